/** For every test file (vitest's `setupFiles`): a test fails during which a reply has broken the contract, here or in a process that it starts. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach } from 'vitest';
import type { Exchange } from '../support/contract.ts';
import { watchReplies } from '../support/contractWatch.ts';
import { preloads } from '../support/service.ts';

preloads.add(pathToFileURL(path.join(import.meta.dirname, '../support/contractPreload.ts')).href);

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
  const { contractOf } = await import('../support/committedContract.ts');
  return exchanges.splice(0).flatMap((exchange) => contractOf(exchange).breach(exchange) ?? []);
}
