import { randomUUID } from 'node:crypto';
import { createClient } from '@redis/client';
import type { Measurement } from './measurement.ts';
import { slipway, slipwayWith } from './services.ts';
import { lacksForLoad, type Server, underLoad, withHello } from './throughput.ts';

const redis = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';

/** A quota that is never used up: what is measured is to count, not to refuse. */
export const quota = { RATELIMIT_QUOTA: '1000000000', RATELIMIT_BURST: '1000000', RATELIMIT_RATE: '1000000' };

/** What it costs a request to be counted. */
export const ratelimit: Measurement = {
  title: 'Cost of rate limits for a small JSON route, under the same load',
  async lacks() {
    return [...lacksForLoad(), ...((await answers()) ? [] : ['Redis'])];
  },
  async measure({ service }) {
    const plain = withHello(service(slipway));
    const own = withHello(service(slipwayWith('ratelimit')));
    const servers: Server[] = [
      { name: 'the base service', ...plain },
      { name: 'with ratelimit, no quota', ...own },
      { name: 'with a quota, in memory', ...own, env: quota },
      {
        name: 'with a quota, in Redis on the same machine',
        ...own,
        env: { ...quota, REDIS_URL: redis, REDIS_PREFIX: `bench-${randomUUID()}:` },
      },
    ];
    return underLoad(servers, { ADMIN_PORT: '0', NODE_ENV: 'production', REDIS_URL: '' });
  },
};

async function answers(): Promise<boolean> {
  const client = createClient({ url: redis, socket: { reconnectStrategy: false } }).on('error', () => {});
  try {
    await client.connect();
    await client.close();
    return true;
  } catch {
    return false;
  }
}
