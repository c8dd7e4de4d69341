import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { publish } from './publicFiles.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'publish-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('copies what is to be published, and packs what gains by it', async () => {
  const from = path.join(folder, 'public');
  const to = path.join(folder, 'dist', 'public');
  mkdirSync(path.join(from, 'deep'), { recursive: true });
  mkdirSync(to, { recursive: true });
  const text = 'slipway '.repeat(500);
  writeFileSync(path.join(from, 'deep', 'long.css'), text);
  writeFileSync(path.join(from, 'short.css'), 'a {}');
  writeFileSync(path.join(from, 'picture.png'), text);
  writeFileSync(path.join(to, 'gone.css'), text);
  expect(await publish(from, to)).toBe(2);
  expect(readdirSync(to, { recursive: true, encoding: 'utf8' }).toSorted()).toEqual([
    'deep',
    path.join('deep', 'long.css'),
    path.join('deep', 'long.css.br'),
    path.join('deep', 'long.css.gz'),
    'picture.png',
    'short.css',
  ]);
  const packed = (ending: string) => readFileSync(path.join(to, 'deep', `long.css${ending}`));
  expect(brotliDecompressSync(packed('.br')).toString()).toBe(text);
  expect(gunzipSync(packed('.gz')).toString()).toBe(text);
});

it('has nothing to do where nothing is published', async () => {
  expect(await publish(path.join(folder, 'public'), path.join(folder, 'dist'))).toBe(0);
});
