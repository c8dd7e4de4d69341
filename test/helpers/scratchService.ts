import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { layDown, scratchFolder } from './cli.ts';

/** The parent of scratch folders: a file system in memory if there is one, because it is fast. */
const memory = existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();

/** Flags of `new` → the service to copy. */
const pristine = new Map<string, string>();
afterAll(() => {
  for (const service of pristine.values()) rmSync(path.dirname(service), { recursive: true, force: true });
});

/**
 * Creates a separate service for one test: `using service = scratchService()`.
 * @param args more flags of `new`; the service has only the modules that they name
 * @returns the folder of a service named orders, removed when it goes out of scope
 */
export function scratchService(...args: string[]): Disposable & { readonly path: string } {
  const key = args.join(' ');
  const original =
    pristine.get(key) ?? layDown(mkdtempSync(path.join(memory, 'slipway-test-')), '--preset=minimal', ...args);
  pristine.set(key, original);
  const scratch = scratchFolder(memory);
  const service = path.join(scratch.path, 'orders');
  cpSync(original, service, { recursive: true });
  return { path: service, [Symbol.dispose]: () => scratch[Symbol.dispose]() };
}
