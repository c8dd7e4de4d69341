import { setImmediate as turn } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { permissionDenied } from '../../../pkg/errors/index.ts';
import { testHttp } from '../../../test/support/http.ts';
import type { Handle } from '../http/types.ts';
import type { Tally } from './metrics.ts';
import { RunningChain } from './runningChain.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** A server with `GET /a` and `GET /b`, whose chain has `jwt`, which stays, then `shedding`, then `quotas`; `passed` notes them. */
async function start(env: Readonly<Record<string, string>> = {}, maxAdded = 10) {
  const passed: string[] = [];
  const log: Record<string, unknown>[] = [];
  const noting =
    (name: string): Handle =>
    (_request, _reply, next) => {
      passed.push(name);
      next();
    };
  const http = await testHttp(env);
  const answered = vi.fn<() => object>(() => ({}));
  http.get('/a', answered);
  http.get('/b', answered);
  const running = new RunningChain({
    chain: http.chain,
    maxAdded,
    log: pino({ base: null, timestamp: false }, { write: (line) => log.push(JSON.parse(line)) }),
  });
  http.chain.add({ name: 'quotas', at: 'preParsing', handle: noting('quotas') });
  http.chain.add({ name: 'jwt', at: 'onRequest', fixed: true, handle: noting('jwt') });
  http.chain.add({ name: 'shedding', at: 'onRequest', handle: noting('shedding') });
  expect(running.entries).toHaveLength(3);
  const add = (
    name: string,
    ...where: Parameters<RunningChain['add']> extends [unknown, ...infer More] ? More : never
  ) => running.add({ name, handle: noting(name) }, ...where);
  const pass = async (url = '/a', method: 'GET' | 'HEAD' = 'GET'): Promise<string> => {
    passed.splice(0);
    const { statusCode } = await http.inject({ url, method });
    return [...passed, statusCode].join(' ');
  };
  const tally = (name: string): Tally => {
    const entry = running.entries.find((each) => each.name === name);
    if (entry === undefined) throw new Error(`no ${name}`);
    return entry.tally;
  };
  return { http, running, add, pass, tally, log, answered };
}

describe('the order', () => {
  it('is that of the service, with what is added before or after one of it', async () => {
    const { running, add, pass } = await start();
    expect(await pass()).toBe('jwt shedding quotas 200');
    add('first', { before: 'jwt' });
    add('second', { after: 'jwt' });
    add('third', { after: 'second' });
    add('last', { after: 'quotas' });
    expect(running.entries.map(({ name }) => name).join(' ')).toBe('first jwt second third shedding quotas last');
    expect(await pass()).toBe('first jwt second third shedding quotas last 200');
    running.remove('second');
    expect(await pass()).toBe('first jwt third shedding quotas last 200');
  });

  it('has what is added beside nobody where it is known who asks', async () => {
    const { running, add } = await start();
    add('block');
    expect(running.entries.find(({ name }) => name === 'block')?.place.at).toBe('preParsing');
  });

  it('takes up what a module adds after it', async () => {
    const { http, pass, running } = await start();
    http.chain.add({ name: 'late', at: 'onRequest', handle: (_request, reply) => void reply.code(202).send({}) });
    running.add({ name: 'beside', handle: (_request, _reply, next) => next() }, { before: 'late' });
    expect(await pass()).toBe('jwt shedding 202');
  });
});

describe('a middleware for some routes', () => {
  it('is passed there alone; HEAD is GET', async () => {
    const { add, pass } = await start();
    add('audit', { after: 'jwt' }, { routes: ['GET /b'] });
    expect(await pass('/a')).toBe('jwt shedding quotas 200');
    expect(await pass('/b')).toBe('jwt audit shedding quotas 200');
    expect(await pass('/b', 'HEAD')).toBe('jwt audit shedding quotas 200');
    add('audit', { after: 'jwt' }, { routes: ['GET /a'] });
    expect(await pass('/a')).toBe('jwt audit shedding quotas 200');
    expect(await pass('/b')).toBe('jwt shedding quotas 200');
  });

  it('may be one of the service, narrowed', async () => {
    const { running, pass } = await start();
    running.switchOn('quotas', { routes: ['GET /b'] });
    expect([await pass('/a'), await pass('/b')]).toEqual(['jwt shedding 200', 'jwt shedding quotas 200']);
    running.switchOn('quotas');
    expect(await pass('/a')).toBe('jwt shedding quotas 200');
  });
});

describe('a change', () => {
  it('switches off and on what the service has, but not what guards it', async () => {
    const { running, pass } = await start();
    running.remove('quotas');
    running.remove('shedding');
    expect(await pass()).toBe('jwt 200');
    expect(() => running.remove('jwt')).toThrow('is fixed');
    expect(() => running.switchOn('jwt', { routes: ['GET /a'] })).toThrow('is fixed');
    expect(() => running.add({ name: 'jwt', handle: () => {} })).toThrow('of its own');
    expect(await pass()).toBe('jwt 200');
    running.switchOn('quotas');
    expect(await pass()).toBe('jwt quotas 200');
  });

  it.each([
    [1000, 'jwt 200'],
    [2000, 'jwt quotas 200'],
    [3000, 'jwt shedding quotas 200'],
  ])('after %i ms, of changes for one, two and three seconds, leaves %s', async (ms, expected) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { running, add, pass } = await start();
    add('block', {}, { forMs: 1000 });
    running.remove('quotas', { forMs: 2000 });
    running.remove('shedding', { forMs: 1000 });
    running.remove('shedding', { forMs: 3000 });
    vi.advanceTimersByTime(ms);
    expect(await pass()).toBe(expected);
    expect(running.entries.some(({ name }) => name === 'block')).toBe(false);
  });

  it('for longer than a timer can wait lasts as long as one can', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { running, pass } = await start();
    running.remove('quotas', { forMs: 30 * 86_400_000 });
    vi.advanceTimersByTime(24 * 86_400_000);
    expect(await pass()).toBe('jwt shedding 200');
    vi.advanceTimersByTime(86_400_000);
    expect(await pass()).toBe('jwt shedding quotas 200');
  });

  it('is in the log', async () => {
    const { running, add, log } = await start();
    add('block', { before: 'jwt' }, { routes: ['GET /a'], forMs: 1000 });
    running.remove('quotas');
    running.remove('block');
    running.reset();
    expect(log).toMatchObject([
      { level: 40, middleware: 'block', change: 'added', before: 'jwt', routes: ['GET /a'], until: expect.any(String) },
      { level: 40, middleware: 'quotas', change: 'off' },
      { level: 40, middleware: 'block', change: 'removed' },
      { level: 40, middleware: 'quotas', change: 'on' },
    ]);
  });

  it('that cannot be made changes nothing', async () => {
    const { running, add, pass, log } = await start({}, 1);
    expect(() => add('lost', { before: 'nobody' })).toThrow('"nobody"');
    expect(() => add('both', { before: 'jwt', after: 'jwt' })).toThrow('either');
    expect(() => running.remove('nobody')).toThrow('"nobody"');
    expect(await pass()).toBe('jwt shedding quotas 200');
    add('one');
    expect(() => add('two')).toThrow('1 added middleware');
    add('one', { before: 'jwt' });
    expect(await pass()).toBe('one jwt shedding quotas 200');
    expect(log).toHaveLength(2);
  });

  it('is undone by a reset, all of them', async () => {
    const { running, add, pass } = await start();
    add('block');
    running.remove('quotas');
    running.switchOn('shedding', { routes: ['GET /b'] });
    running.reset();
    expect(await pass()).toBe('jwt shedding quotas 200');
    expect(running.entries).toHaveLength(3);
  });

  it('leaves requests alone that are on their way: what is removed lets them go on, and is not met by the next', async () => {
    const { running, pass, tally } = await start();
    const { promise: wait, resolve: letGo } = Promise.withResolvers<void>();
    running.add({ name: 'slow', handle: () => wait }, { before: 'shedding' });
    const slow = tally('slow');
    const onItsWay = pass();
    while (slow.inProgress === 0) await turn();
    running.remove('slow');
    running.remove('shedding');
    letGo();
    // The place that it was in is passed as it was, the next as it is.
    expect(await onItsWay).toBe('jwt shedding quotas 200');
    expect(slow.counts.passed).toBe(1);
    expect(await pass()).toBe('jwt quotas 200');
  });
});

describe('a middleware that fails', () => {
  it.each<[string, Handle, number, object]>([
    [
      'throws',
      () => {
        throw new Error('torn');
      },
      500,
      { failed: 1 },
    ],
    ['rejects', () => Promise.reject(new Error('torn')), 500, { failed: 1 }],
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- what a careless one does
    ['rejects with nothing', () => Promise.reject(), 500, { failed: 1 }],
    ['calls back with an error', (_request, _reply, next) => next(new Error('torn')), 500, { failed: 1 }],
    ['denies', () => Promise.reject(permissionDenied('No.')), 403, { answered: 1 }],
    ['answers', (_request, reply) => void reply.code(204).send(), 204, { answered: 1 }],
    [
      'answers later',
      async (_request, reply) => {
        await turn();
        reply.code(204).send();
      },
      204,
      { answered: 1 },
    ],
  ])('or ends a request: one that %s', async (_, handle, status, counts) => {
    const { running, add, pass, tally, answered } = await start();
    running.add({ name: 'torn', handle }, { after: 'jwt' }, { routes: ['GET /a'] });
    add('behind', { after: 'torn' }, { routes: ['GET /a'] });
    expect(await pass()).toBe(`jwt ${status}`);
    expect(answered).not.toHaveBeenCalled();
    expect(tally('torn')).toMatchObject({ counts: { passed: 0, ...counts }, inProgress: 0 });
    expect(await pass('/b')).toBe('jwt shedding quotas 200');
  });

  it('by calling back twice is heard once', async () => {
    const { running, pass, answered } = await start();
    const twice: Handle = (_request, _reply, next) => {
      next();
      next(new Error('again'));
    };
    running.add({ name: 'twice', handle: twice });
    expect(await pass()).toBe('jwt shedding quotas 200');
    expect(answered).toHaveBeenCalledOnce();
  });

  it('after it has called back is not heard either', async () => {
    const { running, pass } = await start();
    const both: Handle = async (_request, _reply, next) => {
      next();
      await turn();
      throw new Error('late');
    };
    running.add({ name: 'both', handle: both });
    expect(await pass()).toBe('jwt shedding quotas 200');
    await turn();
    await turn();
  });

  it('by never calling back costs the request its time, and is seen; called back too late, it is not heard', async () => {
    const { running, pass, tally, answered } = await start({ HTTP_DEADLINE_MS: '20' });
    let late = (): void => {};
    const stuck: Handle = (_request, _reply, next) => void (late = next);
    running.add({ name: 'stuck', handle: stuck }, { after: 'jwt' }, { routes: ['GET /a'] });
    const lost = pass();
    while (tally('stuck').inProgress === 0) await turn();
    expect((await lost).split(' ')).toEqual(['jwt', '504']);
    expect(tally('stuck')).toMatchObject({ counts: { unfinished: 1 }, inProgress: 0 });
    expect(tally('stuck').seconds).toBeGreaterThan(0.015);
    late();
    expect(answered).not.toHaveBeenCalled();
    expect(await pass('/b')).toBe('jwt shedding quotas 200');
  });
});
