import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
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

  describe('into a pipe', () => {
    const chunk = 64 * 1024;
    const chunks = 10;
    let pipe: string;
    beforeEach(() => {
      pipe = path.join(directory, 'pipe');
      execFileSync('mkfifo', [pipe]);
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    });
    afterEach(() => vi.useRealTimers());

    /** Reads all that was written, a chunk at a time. */
    async function readAll(reader: FileHandle, afterChunk: () => void): Promise<void> {
      const buffer = Buffer.alloc(chunk);
      for (let left = chunks * chunk; left > 0;) {
        left -= (await reader.read(buffer, 0, Math.min(left, chunk))).bytesRead;
        afterChunk();
      }
    }

    it('waits for a reader that is slow, however long it takes in all', async () => {
      await using reader = await open(pipe, 'r+');
      const output = outputTo(pipe);
      output.write(`${'x'.repeat(chunks * chunk - 1)}\n`);
      const flushed = output.flush(1000);
      await readAll(reader, () => vi.advanceTimersByTime(300));
      expect(await flushed).toBe(true);
    });

    it('writes together what comes shortly after a write, and the first line at once', async () => {
      await using reader = await open(pipe, 'r+');
      const output = outputTo(pipe);
      const read = async (): Promise<string> =>
        (await reader.read(Buffer.alloc(chunk))).buffer.toString().replace(/\0+$/, '');
      output.write('one\n');
      expect(await read()).toBe('one\n');
      const next = read();
      output.write('two\n');
      output.write('three\n');
      const passing = setInterval(() => vi.advanceTimersByTime(1), 1);
      expect(await next).toBe('two\nthree\n');
      clearInterval(passing);
    });

    it('gives up a reader that takes nothing', async () => {
      await using reader = await open(pipe, 'r+');
      const output = outputTo(pipe);
      output.write(`${'x'.repeat(chunks * chunk - 1)}\n`);
      const flushed = output.flush(1000);
      vi.advanceTimersByTime(1000);
      expect(await flushed).toBe(false);
      await readAll(reader, () => {});
    });
  });
});
