import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../../test/support/proxy.ts';
import { RedisUnavailableError } from './connection.ts';
import { testService } from './testing.ts';

describe('without REDIS_URL', () => {
  it('says that there is no server, measures nothing, and stops', async () => {
    const { service, redis, metrics, log } = await testService({});
    expect(redis.server).toBeUndefined();
    expect(log.text).toContain('each process keeps its data in memory');
    expect(await metrics.text()).not.toContain('redis_');
    expect(await service.stop(0, 5000)).toBe(true);
  });
});

describe('with a server that is away', () => {
  it('starts all the same, fails commands at once, is ready, says so once, and never tells the password', async () => {
    const url = `redis://:hunter2@127.0.0.1:${await freePort()}`;
    const { service, redis, metrics, log } = await testService({ REDIS_URL: url });
    let attempts = 0;
    redis.server?.client.on('reconnecting', () => (attempts += 1));
    await expect(redis.server?.client.get('key')).rejects.toThrow(RedisUnavailableError);
    expect(redis.server?.isUp).toBe(false);
    expect(await service.health(1000)).toEqual({ redis: 'impaired: there is no connection to Redis' });
    const text = await metrics.text();
    expect(text).toContain('redis_up 0');
    expect(text).toContain('redis_command_failures_total{reason="unavailable"} 1');
    await expect.poll(() => attempts).toBeGreaterThan(2);
    expect(log.text.match(/Redis is out of reach/g)).toHaveLength(1);
    expect(log.text).not.toContain('hunter2');
    expect(await service.stop(0, 5000)).toBe(true);
  });

  it('starts and stops where something listens that does not speak Redis', async () => {
    const mute = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
    onTestFinished(() => void mute.close());
    await once(mute, 'listening');
    const { service, redis } = await testService({
      REDIS_URL: `redis://127.0.0.1:${portOf(mute)}`,
      REDIS_COMMAND_TIMEOUT_MS: '100',
    });
    await expect(redis.server?.client.get('key')).rejects.toThrow(RedisUnavailableError);
    expect(await service.stop(0, 5000)).toBe(true);
  });
});

describe('a wrong REDIS_URL', () => {
  it('is refused without a word of its password', async () => {
    const failure = await testService({ REDIS_URL: 'redis://:hun#ter2@[host' }).catch((error: unknown) => error);
    expect(String(failure)).toContain('REDIS_URL is not a URL');
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain('ter2');
  });

  it('is refused when it is no URL of Redis', async () => {
    await expect(testService({ REDIS_URL: 'http://localhost' })).rejects.toThrow('REDIS_URL');
  });
});

function portOf(server: ReturnType<typeof createServer>): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
