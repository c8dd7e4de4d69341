/** For every test file (vitest's `setupFiles`): a test fails when a reply breaks the contract. */
import { afterAll, afterEach } from 'vitest';
import { watchReplies } from '../support/contract.ts';

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
