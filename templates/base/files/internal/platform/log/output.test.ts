import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Output } from './output.ts';

let directory: string;
let fd: number;
let lost: number;
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'output-'));
  lost = 0;
});
afterEach(async () => {
  closeSync(fd);
  await rm(directory, { recursive: true });
});

function outputTo(file: string): Output {
  fd = openSync(file, 'a');
  return new Output(fd, (lines) => {
    lost += lines;
  });
}

describe('the output', () => {
  it('writes every line, in order', async () => {
    const file = path.join(directory, 'log');
    const output = outputTo(file);
    const lines = Array.from({ length: 1000 }, (_, index) => `line ${index} – ${'x'.repeat(100)}\n`);
    for (const line of lines) output.write(line);
    expect(await output.flush(5000)).toBe(true);
    expect(readFileSync(file, 'utf8')).toBe(lines.join(''));
    expect(lost).toBe(0);
  });

  // Linux has a device that is always full.
  it.runIf(existsSync('/dev/full'))('loses and counts what a full disk does not take, and goes on', async () => {
    const output = outputTo('/dev/full');
    output.write('one\n');
    output.write('two\n');
    output.write('three\n');
    expect(await output.flush(5000)).toBe(true);
    expect(lost).toBe(3);
  });

  it('holds no more than 4 MiB for a disk that is slow, and counts the rest as lost', async () => {
    const file = path.join(directory, 'log');
    const output = outputTo(file);
    const line = `${'x'.repeat(1024 * 1024 - 1)}\n`;
    // Until this function awaits something, no write can end: one is under way, and four lines wait.
    for (let count = 0; count < 7; count += 1) output.write(line);
    expect(lost).toBe(2);
    expect(await output.flush(5000)).toBe(true);
    expect(readFileSync(file).length).toBe(5 * 1024 * 1024);
  });

  it('waits for a slow reader of a pipe, and gives up one that takes nothing', async () => {
    const pipe = path.join(directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    await using reader = await open(pipe, 'r+');
    const output = outputTo(pipe);
    const text = `${'x'.repeat(300_000)}\n`;
    output.write(text);
    expect(await output.flush(100)).toBe(false);
    const flushed = output.flush(60_000);
    for (let left = text.length; left > 0;) left -= (await reader.read(Buffer.alloc(left))).bytesRead;
    expect(await flushed).toBe(true);
    expect(lost).toBe(0);
  });

  it('gives a slow reader of a pipe all the time that it needs', async () => {
    const pipe = path.join(directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    await using reader = await open(pipe, 'r+');
    const output = outputTo(pipe);
    const text = `${'x'.repeat(640 * 1024)}\n`;
    output.write(text);
    const flushed = output.flush(200);
    for (let left = text.length; left > 0;) {
      await sleep(50);
      left -= (await reader.read(Buffer.alloc(64 * 1024))).bytesRead;
    }
    expect(await flushed).toBe(true);
  });
});
