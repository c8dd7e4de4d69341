import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { Type } from 'typebox';
import { Service } from '../app/lifecycle.ts';
import { defineModule } from '../app/module.ts';
import { type Environment, readConfig } from '../config/config.ts';
import { type Metrics, metrics } from '../metrics/module.ts';
import { type Redis, type RedisServer, redis } from './module.ts';

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

/** The module, started as a service starts it. */
export interface TestService {
  readonly service: Service;
  readonly redis: Redis;
  readonly metrics: Metrics;
  /** Its log, as text. */
  readonly log: { text: string };
}

/**
 * @param env settings that differ from their defaults
 * @returns a service of this module and what it requires
 */
export async function testService(env: Environment = {}): Promise<TestService> {
  const log = { text: '' };
  const { promise, resolve } = Promise.withResolvers<Pick<TestService, 'redis' | 'metrics'>>();
  const slice = defineModule({
    name: 'slice',
    config: Type.Object({}),
    requires: [metrics, redis],
    start({ use }) {
      resolve({ redis: use(redis), metrics: use(metrics) });
      return { value: undefined };
    },
  });
  const service = new Service([metrics, redis, slice], {
    log: pino({ base: null }, { write: (line) => (log.text += line) }),
    configOf: (module) => readConfig(module.config, env),
    startTimeoutMs: 120_000,
  });
  try {
    await service.start();
  } catch (error) {
    await service.stop(0, 1000);
    throw error;
  }
  return { service, ...(await promise), log };
}
