import { existsSync } from 'node:fs';
import { cp, glob, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

/** Pictures, videos and fonts (woff2) are compressed already. */
const compressible = /\.(?:css|html?|ics|js|json|map|md|mjs|svg|ttf|txt|wasm|webmanifest|xml)$/;
/** Bytes below which compression saves no network packet. */
const smallest = 1024;

/**
 * Copies files, and writes a compressed copy (brotli, gzip) beside each file that it makes smaller.
 * @param from folder of the files
 * @param to folder for the files and their compressed copies; it is emptied first
 * @returns the number of compressed copies
 */
export async function publish(from: string, to: string): Promise<number> {
  await rm(to, { recursive: true, force: true });
  if (!existsSync(from)) return 0;
  await cp(from, to, { recursive: true });
  let copies = 0;
  for await (const name of glob('**/*', { cwd: to })) {
    if (compressible.test(name)) copies += await compress(path.join(to, name));
  }
  return copies;
}

async function compress(file: string): Promise<number> {
  const bytes = await readFile(file);
  if (bytes.length < smallest) return 0;
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
    promisify(gzip)(bytes, { level: 9 }),
  ]);
  const smaller = [['.br', br] as const, ['.gz', gz] as const].filter(([, { length }]) => length < bytes.length);
  await Promise.all(smaller.map(([ending, packed]) => writeFile(file + ending, packed)));
  return smaller.length;
}
