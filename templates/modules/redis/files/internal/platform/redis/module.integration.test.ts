import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openProxy } from '../../../test/support/proxy.ts';
import { RedisUnavailableError } from './connection.ts';
import { deleteKeys, ownPrefix, serverUrl, testService } from './testing.ts';

const url = serverUrl() ?? '';

async function start(env: Readonly<Record<string, string>> = {}) {
  const started = await testService({ REDIS_URL: url, ...ownPrefix(), ...env });
  onTestFinished(() => started.service.stop(0, 2000).then(() => undefined));
  const { server } = started.redis;
  if (server === undefined) throw new Error('there is a server');
  return { ...started, server };
}

const fast = { REDIS_COMMAND_TIMEOUT_MS: '300' };
const patient = { timeout: 60_000 };

describe.skipIf(!url)('a Redis server (needs REDIS_URL)', () => {
  it('answers, is measured, and knows its keys by their prefix', async () => {
    const { server, metrics, service } = await start();
    await server.client.set(`${server.prefix}a`, '1');
    expect(await server.client.get(`${server.prefix}a`)).toBe('1');
    await deleteKeys(server);
    expect(await server.client.get(`${server.prefix}a`)).toBeNull();
    const text = await metrics.text();
    expect(text).toContain('redis_up 1');
    expect(text).toContain('redis_command_duration_seconds_count{command="get"} 2');
    expect(await service.stop(0, 5000)).toBe(true);
    expect(server.client.isOpen).toBe(false);
  });

  it('says no in its own words, which is no failure of the connection', async () => {
    const { server, metrics } = await start();
    await expect(server.client.sendCommand(['NO_SUCH_COMMAND'])).rejects.toThrow('unknown command');
    expect(await metrics.text()).toContain('redis_command_failures_total{reason="refused"} 1');
    expect(server.isUp).toBe(true);
  });

  it('fails at once while the way to it is cut, and comes back by itself', async () => {
    const proxy = await openProxy(url, 6379);
    onTestFinished(proxy.close);
    const { server, log } = await start({ ...fast, REDIS_URL: proxy.url });
    expect(await server.client.ping()).toBe('PONG');
    proxy.set('cut');
    await vi.waitFor(() => expect(server.isUp).toBe(false), patient);
    await expect(server.client.ping()).rejects.toThrow(RedisUnavailableError);
    proxy.set('open');
    await vi.waitFor(() => expect(server.isUp).toBe(true), patient);
    expect(await server.client.ping()).toBe('PONG');
    expect(log.text).toContain('Redis is back');
  });

  it('gives up a connection that swallows what is sent, and all who wait on it, and comes back by itself', async () => {
    const proxy = await openProxy(url, 6379);
    onTestFinished(proxy.close);
    const { server, log } = await start({ ...fast, REDIS_URL: proxy.url });
    proxy.set('stalled');
    const asked = await Promise.allSettled([server.client.ping(), server.client.ping()]);
    expect(asked).toEqual([
      { status: 'rejected', reason: expect.any(RedisUnavailableError) },
      { status: 'rejected', reason: expect.any(RedisUnavailableError) },
    ]);
    expect(log.text).toContain('Redis does not answer');
    proxy.set('open');
    await vi.waitFor(async () => expect(await server.client.ping()).toBe('PONG'), patient);
  });

  it('never has more commands wait than it may', async () => {
    const { server } = await start();
    // Answers come in order: the question for the role of the server is answered, too.
    await server.client.ping();
    const asked = await Promise.allSettled(Array.from({ length: 10_100 }, () => server.client.ping()));
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(10_000);
    expect(asked.findLast(({ status }) => status === 'rejected')).toMatchObject({
      reason: expect.any(RedisUnavailableError),
    });
  });

  it('gives connections for subscriptions, which mend themselves and end with the service', async () => {
    const proxy = await openProxy(url, 6379);
    onTestFinished(proxy.close);
    const { server, service } = await start({ ...fast, REDIS_URL: proxy.url });
    const subscriber = await server.connect();
    const heard: string[] = [];
    await subscriber.subscribe(`${server.prefix}news`, (message) => heard.push(message));
    const tell = (news: string) =>
      vi.waitFor(
        async () => {
          await server.client.publish(`${server.prefix}news`, news);
          expect(heard).toContain(news);
        },
        { timeout: 60_000, interval: 100 },
      );
    await tell('first');
    proxy.set('cut');
    await vi.waitFor(() => expect(subscriber.isReady).toBe(false), patient);
    proxy.set('open');
    await tell('second');
    expect(await service.stop(0, 5000)).toBe(true);
    expect(subscriber.isOpen).toBe(false);
  });

  it('waits for answers when it stops, but not for ever', async () => {
    const { server, service } = await start();
    const answer = server.client.ping();
    expect(await service.stop(0, 5000)).toBe(true);
    expect(await answer).toBe('PONG');

    const proxy = await openProxy(url, 6379);
    onTestFinished(proxy.close);
    const stuck = await start({ REDIS_URL: proxy.url, REDIS_COMMAND_TIMEOUT_MS: '60000' });
    proxy.set('stalled');
    const never = stuck.server.client.ping().catch((error: unknown) => error);
    await stuck.service.stop(0, 500);
    expect(await never).toBeInstanceOf(RedisUnavailableError);
  });

  it('does not wait for answers that cannot come: the connection breaks while it stops', async () => {
    const proxy = await openProxy(url, 6379);
    onTestFinished(proxy.close);
    const { server, service } = await start({ ...fast, REDIS_URL: proxy.url });
    proxy.set('stalled');
    const never = server.client.ping().catch((error: unknown) => error);
    expect(await service.stop(0, 10_000)).toBe(true);
    expect(await never).toBeInstanceOf(RedisUnavailableError);
  });
});
