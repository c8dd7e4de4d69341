/** For every test file (vitest's `setupFiles`): a test fails when a reply breaks the contract, here or in a process that it starts. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach } from 'vitest';
import { preloads } from '../../scripts/service.ts';
import { watchReplies } from '../support/contract.ts';

preloads.add(`${pathToFileURL(path.join(import.meta.dirname, '../support/contract.ts')).href}?print`);

const breaches: string[] = [];
// The files of a worker share its globals, and this file runs for each of them.
afterAll(watchReplies((breach) => breaches.push(breach)));

afterEach(() => {
  const found = takeBreaches();
  if (found.length > 0) throw new Error(`api/openapi.json does not say so:\n${found.join('\n')}`);
});

/** @returns the breaches of the contract since the last call */
export function takeBreaches(): string[] {
  return breaches.splice(0);
}
