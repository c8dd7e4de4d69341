import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { type ServiceProcess, startProcess } from '../scripts/service.ts';

const hour = 3_600_000;

/** A service whose clock can be set, with all that waits for a time, or keeps something for one. */
const program = `
  import { setTimeout as sleep } from 'node:timers/promises';
  import { Type } from 'typebox';
  import { admin } from './internal/platform/admin/module.ts';
  import { run } from './internal/platform/app/run.ts';
  import { http } from './internal/platform/http/module.ts';
  import { metrics } from './internal/platform/metrics/module.ts';
  import { tracing } from './internal/platform/app/tracing.ts';
  import { current } from './pkg/context/index.ts';
  const routes = {
    name: 'routes',
    config: Type.Object({}),
    requires: [http],
    start({ log, use }) {
      const server = use(http);
      server.get('/clock', ({ query }) => {
        setClock(Number(query.by));
        return { now: Date.now() };
      });
      server.get('/wait', async ({ query }) => {
        log.warn('waiting');
        await sleep(Number(query.ms), undefined, { signal: current().signal });
        return {};
      });
      return { value: undefined };
    },
  };
  await run([metrics, tracing, admin, http, routes]);`;

const Line = Type.Object({ msg: Type.String(), time: Type.String(), ms: Type.Optional(Type.Number()) });

let service: ServiceProcess;
let api: string;
let admin: string;
beforeAll(async () => {
  const args = ['--import=./test/support/jumpingClock.ts', '--input-type=module', '--eval', program];
  service = startProcess(args, {
    // Two lines say where it listens.
    LOG_SAMPLE_INITIAL: '2',
    LOG_SAMPLE_THEREAFTER: '0',
  });
  await service.logged('ready');
  [api, admin] = [`http://127.0.0.1:${service.port('http')}`, `http://127.0.0.1:${service.port('admin')}`];
});
afterAll(async () => {
  await service.stop('SIGKILL');
});

/** @returns what the clock of the service says now, in milliseconds */
async function setClock(byMs: number): Promise<number> {
  const { now } = Value.Parse(
    Type.Object({ now: Type.Number() }),
    await (await fetch(`${api}/clock?by=${byMs}`)).json(),
  );
  return now;
}

/** Asks for a reply after so many milliseconds; the function that it gives waits for the status. */
async function waiting(ms: number, timeoutMs: number): Promise<() => Promise<number>> {
  const before = count('waiting');
  const reply = fetch(`${api}/wait?ms=${ms}`, { headers: { 'x-request-timeout': String(timeoutMs) } });
  await expect.poll(() => count('waiting')).toBe(before + 1);
  return async () => (await reply).status;
}

function count(message: string): number {
  return service.messages.filter((each) => each === message).length;
}

describe.each([
  ['forward by an hour', hour],
  ['back by two', -2 * hour],
])('a clock that is set %s', (_what, byMs) => {
  it('ends no request early, and leaves none without an end', async () => {
    const inTime = await waiting(300, 30_000);
    const late = await waiting(30_000, 300);
    await setClock(byMs);
    expect(await inTime()).toBe(200);
    expect(await late()).toBe(504);
  });

  it('gives the lines of the log the new time, and samples them as before', async () => {
    const now = await setClock(byMs);
    await expect
      .poll(async () => {
        await fetch(`${api}/version`);
        const { time } = logged().findLast(({ msg }) => msg === 'request') ?? { time: '' };
        return Math.abs(Date.parse(time) - now);
      })
      .toBeLessThan(60_000);
  });
});

describe('a service whose clock was set', () => {
  it('measures as if it had not been', async () => {
    for (const { ms = 0, msg } of logged()) expect([msg, ms >= 0 && ms < 60_000]).toEqual([msg, true]);
    const metrics = await (await fetch(`${admin}/metrics`)).text();
    const seconds = [
      ...metrics.matchAll(/^(?:http_request_duration_seconds_sum|nodejs_eventloop_lag\w*seconds)(?:\{.*\})? (\S+)$/gm),
    ];
    expect(seconds.length).toBeGreaterThan(3);
    for (const [sample, value] of seconds)
      expect([sample, Number(value) >= 0 && Number(value) < 60]).toEqual([sample, true]);
  });

  it('is ready, and stops in time', async () => {
    expect((await fetch(`${admin}/readyz`)).status).toBe(200);
    expect(await service.stop()).toEqual({ code: 0, signal: null });
  });
});

function logged(): { msg: string; time: string; ms?: number }[] {
  return service.output.flatMap((line) => {
    const parsed: unknown = JSON.parse(line);
    return Value.Check(Line, parsed) ? [parsed] : [];
  });
}
