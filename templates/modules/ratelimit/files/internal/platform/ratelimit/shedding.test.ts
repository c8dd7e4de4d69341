import { request } from 'node:http';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { testService } from './testing.ts';

/** A service that answers at most two at a time, when it is told to. */
async function start(env: Readonly<Record<string, string>> = {}) {
  const waiting: (() => void)[] = [];
  const wait = () =>
    new Promise<object>((resolve) => {
      waiting.push(() => resolve({}));
    });
  const settings = { RATELIMIT_CONCURRENCY_MIN: '2', RATELIMIT_CONCURRENCY_MAX: '2', ...env };
  const started = await testService(settings, (server) => {
    server.get('/', wait);
    server.get('/low', { config: { ratelimit: { priority: 'low' } } }, wait);
    server.get('/high', { config: { ratelimit: { priority: 'high' } } }, wait);
    server.get('/endless', { config: { deadlineMs: Infinity } }, wait);
  });
  const release = () => waiting.splice(0).forEach((answer) => answer());
  onTestFinished(async () => {
    release();
    await started.service.stop(0, 5000);
  });
  const ask = (path: string, headers: Record<string, string> = {}) => fetch(started.api + path, { headers });
  const hold = async (path: string, headers: Record<string, string> = {}) => {
    const before = waiting.length;
    const answer = ask(path, headers);
    await vi.waitFor(() => expect(waiting.length).toBe(before + 1), 10_000);
    return answer.then.bind(answer);
  };
  return { ...started, ask, hold, release, waiting };
}

describe('more requests than can be answered at once', () => {
  it('are turned away with 503, when to come again, and a problem; those inside are answered', async () => {
    const { ask, hold, release, metrics } = await start();
    const inside = [await hold('/'), await hold('/')];
    const refused = await ask('/');
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({ code: 'overloaded', requestId: expect.any(String) });
    const text = await metrics.text();
    expect(text).toContain('ratelimit_shed_total{priority="normal"} 1');
    expect(text).toContain('ratelimit_in_flight_requests 2');
    expect(text).toContain('ratelimit_concurrency_limit 2');
    release();
    for (const then of inside) expect(await then(({ status }) => status)).toBe(200);
    await vi.waitFor(async () => expect(await metrics.text()).toContain('ratelimit_in_flight_requests 0'), 10_000);
  });

  it('go by priority: the low ones are the first to go, the high ones the last', async () => {
    const { ask, hold } = await start({ RATELIMIT_CONCURRENCY_MIN: '4', RATELIMIT_CONCURRENCY_MAX: '4' });
    for (let held = 0; held < 3; held += 1) await hold('/low');
    expect((await ask('/low')).status).toBe(503);
    await hold('/');
    expect((await ask('/')).status).toBe(503);
    await hold('/high');
    expect((await ask('/high')).status).toBe(503);
  });

  it('may lower their own priority; to raise it takes a trusted proxy', async () => {
    const strange = await start();
    await strange.hold('/');
    await strange.hold('/', { 'x-request-priority': 'absurd' });
    expect((await strange.ask('/', { 'x-request-priority': 'high' })).status).toBe(503);
    const trusted = await start({ HTTP_TRUSTED_PROXIES: '127.0.0.1' });
    await trusted.hold('/', { 'x-request-priority': 'low' });
    await trusted.hold('/', { 'x-request-priority': 'low' });
    expect((await trusted.ask('/high', { 'x-request-priority': 'low' })).status).toBe(503);
    expect((await trusted.ask('/')).status).toBe(503);
    await trusted.hold('/', { 'x-request-priority': 'high' });
  });

  it('leave their place when their client leaves', async () => {
    const { api, hold, waiting, metrics } = await start();
    await hold('/');
    const leaving = request(`${api}/`).on('error', () => {});
    leaving.end();
    await vi.waitFor(() => expect(waiting).toHaveLength(2), 10_000);
    leaving.destroy();
    await vi.waitFor(async () => expect(await metrics.text()).toContain('ratelimit_in_flight_requests 1'), 10_000);
    await hold('/');
  });

  it('are not counted where a reply has no end, or no route', async () => {
    const { ask, hold } = await start();
    for (let held = 0; held < 4; held += 1) await hold('/endless');
    await hold('/');
    await hold('/');
    expect((await ask('/nowhere')).status).toBe(404);
  });

  it('are let in when the setting says so', async () => {
    const { hold, metrics } = await start({ RATELIMIT_CONCURRENCY: 'false' });
    for (let held = 0; held < 5; held += 1) await hold('/');
    expect(await metrics.text()).not.toContain('ratelimit_concurrency');
  });
});
