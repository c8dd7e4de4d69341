/** For every test file (vitest's `setupFiles`): a test fails during which a reply has broken the contract. */
import { afterAll, afterEach } from 'vitest';
import type { Exchange } from './contract.ts';
import { watchReplies } from './contractWatch.ts';

const exchanges: Exchange[] = [];
// The files of a worker share what is global, and this runs for each.
afterAll(watchReplies((exchange) => exchanges.push(exchange)));

afterEach(async () => {
  const breaches = await takeBreaches();
  if (breaches.length > 0) throw new Error(`api/openapi.json does not say so:\n${breaches.join('\n')}`);
});

/** @returns what has broken the contract since the last time */
export async function takeBreaches(): Promise<string[]> {
  if (exchanges.length === 0) return [];
  // Most test files have no API: they do without what it takes to read a contract.
  const { contractOf } = await import('./committedContract.ts');
  return exchanges.splice(0).flatMap((exchange) => contractOf(exchange).breach(exchange) ?? []);
}
