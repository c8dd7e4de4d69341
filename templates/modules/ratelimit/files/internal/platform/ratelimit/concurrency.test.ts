import { request } from 'node:http';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Concurrency } from './concurrency.ts';
import { testService } from './testing.ts';

const options = { min: 5, max: 1000, tolerance: 2 };

/** A server that answers so many at once; what is more waits, and all get slower by as much. */
function latency(capacity: number, inFlight: number, ms = 10): number {
  return ms * Math.max(1, inFlight / capacity);
}

/** Has a server be asked for more than it can, again and again. */
function press(limit: Concurrency, capacity: number, offered: number, times = 300): void {
  for (let sample = 0; sample < times; sample += 1) {
    const inFlight = Math.min(limit.limit, offered);
    limit.adapt(latency(capacity, inFlight), inFlight);
  }
}

describe('the limit', () => {
  it('grows while replies are as fast as usual and it is used', () => {
    const limit = new Concurrency(options);
    press(limit, 10_000, 10_000);
    expect(limit.limit).toBeGreaterThan(250);
  });

  it('stays where it is while it is not used: that says nothing', () => {
    const limit = new Concurrency(options);
    press(limit, 10, 20);
    expect(limit.limit).toBe(100);
  });

  it('sinks when replies become slower, to where they are about as fast as usual, and rises afterwards', () => {
    const limit = new Concurrency(options);
    press(limit, 400, 1000, 60);
    const before = limit.limit;
    // A database that got slow: a tenth of the capacity.
    press(limit, 20, 1000, 40);
    const meanwhile = limit.limit;
    expect(meanwhile).toBeLessThan(before / 2);
    expect(latency(20, meanwhile)).toBeLessThan(latency(20, before) / 2);
    press(limit, 400, 1000, 300);
    expect(limit.limit).toBeGreaterThan(meanwhile * 2);
  });

  it('keeps its bounds', () => {
    const limit = new Concurrency({ min: 50, max: 120, tolerance: 1 });
    press(limit, 10_000, 10_000);
    expect(limit.limit).toBe(120);
    for (let ms = 1; ms < 1e6; ms *= 1.5) limit.adapt(ms, 120);
    expect(limit.limit).toBe(50);
  });
});

describe('a sample', () => {
  it('is the average of several replies over some time, and what was in flight meanwhile', () => {
    let now = 0;
    const samples: unknown[] = [];
    const concurrency = new Concurrency(options, () => now);
    concurrency.adapt = (ms, inFlight) => void samples.push([ms, inFlight]);
    for (let entered = 0; entered < 12; entered += 1) concurrency.enter('normal');
    for (let left = 0; left < 9; left += 1) concurrency.leave(10);
    concurrency.leave(undefined);
    now += 100;
    expect(samples).toEqual([]);
    concurrency.leave(110);
    expect(samples).toEqual([[20, 12]]);
    expect(concurrency.inFlight).toBe(1);
  });
});

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
    await vi.waitFor(() => expect(waiting.length).toBe(before + 1), 60_000);
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
    await vi.waitFor(async () => expect(await metrics.text()).toContain('ratelimit_in_flight_requests 0'), 60_000);
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
    await vi.waitFor(() => expect(waiting).toHaveLength(2), 60_000);
    leaving.destroy();
    await vi.waitFor(async () => expect(await metrics.text()).toContain('ratelimit_in_flight_requests 1'), 60_000);
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
