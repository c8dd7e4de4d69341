/** For every test file (vitest's `setupFiles`): a test fails when a reply breaks the contract, here or in a process that it starts. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach } from 'vitest';
import { type Exchange, breachIn, watchReplies } from '../support/contract.ts';
import { preloads } from '../support/service.ts';

preloads.add(`${pathToFileURL(path.join(import.meta.dirname, '../support/contract.ts')).href}?print`);

const exchanges: Exchange[] = [];
// The files of a worker share its globals, and this file runs for each of them.
afterAll(watchReplies((exchange) => exchanges.push(exchange)));

afterEach(() => {
  const breaches = takeBreaches();
  if (breaches.length > 0) throw new Error(`api/openapi.json does not say so:\n${breaches.join('\n')}`);
});

/** @returns the breaches of the contract since the last call */
export function takeBreaches(): string[] {
  return exchanges.splice(0).flatMap((exchange) => breachIn(exchange) ?? []);
}
