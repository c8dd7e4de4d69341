import { setImmediate as turn } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { permissionDenied } from '../../../pkg/errors/index.ts';
import { testHttp } from '../../../test/support/http.ts';
import type { Handle } from '../http/types.ts';
import { RunningChain } from './runningChain.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** A server with `GET /a`, whose chain has `jwt`, which is fixed, then `quotas`; `passed` notes them. */
async function start(quotas?: Handle) {
  const passed: string[] = [];
  const log: Record<string, unknown>[] = [];
  const noting =
    (name: string): Handle =>
    (_request, _reply, next) => {
      passed.push(name);
      next();
    };
  const http = await testHttp();
  http.get('/a', () => ({}));
  const write = (line: string) => log.push(JSON.parse(line));
  const running = new RunningChain(http.chain, pino({ base: null, timestamp: false }, { write }));
  http.chain.add({ name: 'quotas', at: 'preParsing', handle: quotas ?? noting('quotas') });
  http.chain.add({ name: 'jwt', at: 'onRequest', fixed: true, handle: noting('jwt') });
  expect(running.entries.map(({ step }) => step.name)).toEqual(['jwt', 'quotas']);
  const pass = async (): Promise<string> => {
    passed.splice(0);
    const { statusCode } = await http.inject('/a');
    return [...passed, statusCode].join(' ');
  };
  return { running, pass, log };
}

it('switches a middleware off and on, but not what is fixed', async () => {
  const { running, pass, log } = await start();
  expect(await pass()).toBe('jwt quotas 200');
  running.switch('quotas', false);
  expect(await pass()).toBe('jwt 200');
  expect(() => running.switch('jwt', false)).toThrow('is fixed');
  expect(() => running.switch('nobody', false)).toThrow('"nobody"');
  running.switch('quotas', true);
  running.switch('quotas', false);
  running.reset();
  expect(await pass()).toBe('jwt quotas 200');
  const [off, on] = [false, true].map((isOn) => ({ level: 40, middleware: 'quotas', on: isOn }));
  expect(log).toMatchObject([off, on, off, on]);
});

it('switches it on again after a time, which a later change replaces', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { running, pass } = await start();
  running.switch('quotas', false, 1);
  running.switch('quotas', false, 3);
  vi.advanceTimersByTime(2000);
  expect(await pass()).toBe('jwt 200');
  vi.advanceTimersByTime(1000);
  expect(await pass()).toBe('jwt quotas 200');
});

describe('a middleware that ends a request', () => {
  it.each<[string, Handle, number]>([
    [
      'throws',
      () => {
        throw new Error('torn');
      },
      500,
    ],
    ['rejects', () => Promise.reject(new Error('torn')), 500],
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- what a careless one does
    ['rejects with nothing', () => Promise.reject(), 500],
    ['calls back with an error', (_request, _reply, next) => next(new Error('torn')), 500],
    ['denies', () => Promise.reject(permissionDenied('No.')), 403],
    ['answers', (_request, reply) => void reply.code(204).send(), 204],
    [
      'answers later',
      async (_request, reply) => {
        await turn();
        return void reply.code(204).send();
      },
      204,
    ],
    ['takes its time', () => turn(), 200],
  ])('or not: one that %s', async (_, handle, status) => {
    const { pass } = await start(handle);
    expect(await pass()).toBe(`jwt ${status}`);
  });

  it('is measured', async () => {
    const { running, pass } = await start(async () => void (await new Promise((resolve) => setTimeout(resolve, 20))));
    await pass();
    expect(running.entries[1]).toMatchObject({ requests: 1 });
    expect(running.entries[1]?.seconds).toBeGreaterThan(0.015);
  });
});
