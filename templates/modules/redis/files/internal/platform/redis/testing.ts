import { randomUUID } from 'node:crypto';
import { startModules } from '../../../test/support/modules.ts';
import type { Environment } from '../config/config.ts';
import { metrics } from '../metrics/module.ts';
import { type RedisServer, redis } from './module.ts';

/**
 * The server for integration tests.
 * @returns its URL; undefined where there is none, so that those tests are skipped
 * @throws {Error} in CI, where these tests must run
 */
export function serverUrl(): string | undefined {
  const { REDIS_URL: url, CI: ci } = process.env;
  if (!url && ci) throw new Error('integration tests need a server: set REDIS_URL');
  return url;
}

/** @returns settings by which a test has its keys on the server for itself */
export function ownPrefix(): { REDIS_PREFIX: string } {
  return { REDIS_PREFIX: `test-${randomUUID()}:` };
}

/**
 * Deletes all keys of a test.
 * @param server whose prefix is the test's own
 */
export async function deleteKeys({ client, prefix }: RedisServer): Promise<void> {
  for await (const keys of client.scanIterator({ MATCH: `${prefix}*`, COUNT: 1000 })) {
    if (keys.length > 0) await client.del(keys);
  }
}

/**
 * @param env settings that differ from their defaults
 * @returns a service of this module and what it requires
 */
export async function testService(env: Environment = {}) {
  const { value, ...started } = await startModules([metrics, redis], env, (use) => ({
    redis: use(redis),
    metrics: use(metrics),
  }));
  return { ...started, ...value };
}
