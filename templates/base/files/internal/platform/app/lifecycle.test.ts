import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { Type } from 'typebox';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { current, detach } from '../../../pkg/context/index.ts';
import { inOrder, Service, withDeadline } from './lifecycle.ts';
import { type Module, type Running, defineModule } from './module.ts';

let events: string[];
beforeEach(() => {
  events = [];
});

/** A module that notes each step of its life; `over` replaces steps. */
function module(name: string, requires: readonly Module[] = [], over: Partial<Running<string>> = {}): Module {
  const note = (step: string) => () => {
    events.push(`${name} ${step}`);
  };
  return defineModule({
    name,
    config: Type.Object({}),
    requires,
    start(): Running<string> {
      note('start')();
      return { value: name, serve: note('serve'), drain: note('drain'), stop: note('stop'), ...over };
    },
  });
}

/** A module whose start takes as long as `start` does. */
function starting(name: string, requires: readonly Module[], start: (signal: AbortSignal) => Promise<void>): Module {
  return defineModule({
    name,
    config: Type.Object({}),
    requires,
    async start({ signal }) {
      await start(signal);
      return { value: undefined };
    },
  });
}

function service(...modules: Module[]): Service {
  return new Service(modules, { log: pino({ level: 'silent' }), configOf: () => ({}), startTimeoutMs: 10_000 });
}

const forever = (): Promise<never> => new Promise(() => {});

/** Waits until it is told to give up, and does. */
async function heed(signal: AbortSignal): Promise<void> {
  await once(signal, 'abort');
  signal.throwIfAborted();
}

describe('a start', () => {
  it('goes by requirement, and serves once all have started', async () => {
    const a = module('a');
    await service(module('b', [a]), a).start();
    expect(events).toEqual(['a start', 'b start', 'a serve', 'b serve']);
  });

  it('waits for what completes a module that is required, which stops after those that require it', async () => {
    const slot = module('slot');
    const user = module('user', [slot]);
    const filling = defineModule({
      name: 'filling',
      config: Type.Object({}),
      requires: [],
      completes: slot,
      async start({ use }): Promise<Running<string>> {
        await sleep(20);
        events.push(`filling start with ${String(use(slot))}`);
        return { value: 'filling', stop: () => void events.push('filling stop') };
      },
    });
    const running = service(user, filling, slot);
    await running.start();
    expect(events.slice(0, 3)).toEqual(['slot start', 'filling start with slot', 'user start']);
    await running.stop(0, 1000);
    expect(events.slice(-3)).toEqual(['user stop', 'filling stop', 'slot stop']);
  });

  it('is ready only at its end', async () => {
    const phases: string[] = [];
    const watching = service(module('a', [], { serve: () => void phases.push(watching.phase) }));
    phases.push(watching.phase);
    await watching.start();
    expect([...phases, watching.phase]).toEqual(['starting', 'starting', 'ready']);
  });

  it('gives a module the value of one that it requires', async () => {
    const a = defineModule({
      name: 'a',
      config: Type.Object({}),
      requires: [],
      start: () => ({ value: { answer: 42 } }),
    });
    let answer = 0;
    const b = defineModule({
      name: 'b',
      config: Type.Object({}),
      requires: [a],
      start({ use }) {
        answer = use(a).answer;
        return { value: undefined };
      },
    });
    await service(a, b).start();
    expect(answer).toBe(42);
  });

  it('does not give the value of one that it does not require', async () => {
    const a = module('a');
    const thief = defineModule({
      name: 'thief',
      config: Type.Object({}),
      requires: [],
      start: ({ use }) => ({ value: use(a) }),
    });
    await expect(service(a, thief).start()).rejects.toThrow('Module "thief" uses "a" without requiring it');
  });

  it('is side by side where modules do not require each other', async () => {
    const { promise: wait, resolve: go } = Promise.withResolvers<void>();
    const slow = starting('slow', [], () => wait);
    const a = module('a');
    const started = service(slow, a, module('b', [a]), module('after slow', [slow])).start();
    await sleep(10);
    expect(events).toEqual(['a start', 'b start']);
    go();
    await started;
    expect(events.slice(2)).toEqual(['after slow start', 'a serve', 'b serve', 'after slow serve']);
  });

  it('that fails leaves what has started to be unwound, in reverse', async () => {
    const a = module('a');
    const b = module('b', [a]);
    const broken = starting('broken', [b], () => Promise.reject(new Error('no database')));
    const unlucky = service(a, b, broken, module('never', [broken]));
    await expect(unlucky.start()).rejects.toThrow('no database');
    expect(await unlucky.stop(0, 60_000)).toBe(true);
    expect(events).toEqual(['a start', 'b start', 'a drain', 'b drain', 'b stop', 'a stop']);
  });

  it('that fails has the others give up, and stops those that end after all', async () => {
    const heeding = starting('heeding', [], heed);
    const late = defineModule({
      name: 'late',
      config: Type.Object({}),
      requires: [],
      async start({ signal }): Promise<Running<string>> {
        await once(signal, 'abort');
        await sleep(20);
        return { value: 'late', stop: () => void events.push('late stop') };
      },
    });
    const broken = starting('broken', [], () => Promise.reject(new Error('no database')));
    const unlucky = service(heeding, late, broken);
    await expect(unlucky.start()).rejects.toThrow('no database');
    expect(await unlucky.stop(0, 60_000)).toBe(true);
    expect(events).toEqual(['late stop']);
  });

  it('has a time limit for each module', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const failure = service(starting('slow', [], forever))
      .start()
      .catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await failure).toEqual(new Error('slow: start took longer than 10000 ms'));
  });

  it('is given up when the service is told to stop', async () => {
    const a = module('a');
    const slow = starting('slow', [a], heed);
    const interrupted = service(a, slow, module('never', [slow]));
    const [started, clean] = await Promise.allSettled([
      interrupted.start(),
      // The delay is for load balancers: none has ever heard of this instance.
      sleep(10).then(() => interrupted.stop(60_000, 60_000)),
    ]);
    expect(started).toMatchObject({ status: 'rejected', reason: { message: 'the service is stopping' } });
    expect(clean).toMatchObject({ value: true });
    expect(events).toEqual(['a start', 'a drain', 'a stop']);
  });

  it('that does not give up is waited for no longer than a quarter of the time, and the stop is not clean', async () => {
    const a = module('a');
    const stubborn = service(a, starting('stubborn', [a], forever));
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    void stubborn.start().catch(() => undefined);
    await vi.advanceTimersByTimeAsync(10);
    const stopped = stubborn.stop(0, 1600);
    await vi.advanceTimersByTimeAsync(400);
    expect(await stopped).toBe(false);
    expect(events).toEqual(['a start', 'a drain', 'a stop']);
  });
});

describe('a stop', () => {
  it('drains all, then stops in reverse order of the start', async () => {
    const a = module('a');
    const stopping = service(a, module('b', [a]));
    await stopping.start();
    events = [];
    expect(await stopping.stop(0, 60_000)).toBe(true);
    expect(events).toEqual(['a drain', 'b drain', 'b stop', 'a stop']);
  });

  it('fails readiness first, and waits before it drains', async () => {
    let drainedAfter = 0;
    const begun = performance.now();
    const waiting = service(
      module('a', [], {
        drain: () => {
          drainedAfter = performance.now() - begun;
        },
      }),
    );
    await waiting.start();
    const stopped = waiting.stop(50, 60_000);
    expect(waiting.phase).toBe('stopping');
    await stopped;
    expect(drainedAfter).toBeGreaterThanOrEqual(49);
  });

  it('goes on past a module that throws, and is not clean', async () => {
    const a = module('a');
    const broken = module('b', [a], {
      stop: () => {
        throw new Error('stuck');
      },
    });
    const stopping = service(a, broken);
    await stopping.start();
    expect(await stopping.stop(0, 60_000)).toBe(false);
    expect(events.at(-1)).toBe('a stop');
  });

  it('keeps within its time though two modules never end, and leaves time for the others', async () => {
    const aborted: string[] = [];
    const hang = (name: string) => (signal: AbortSignal) => {
      signal.addEventListener('abort', () => aborted.push(name));
      return forever();
    };
    const a = module('a');
    const stopping = service(a, module('b', [a], { drain: hang('b') }), module('c', [a], { stop: hang('c') }));
    await stopping.start();
    // It would wait for ever for one of them.
    expect(await stopping.stop(0, 300)).toBe(false);
    expect(aborted).toEqual(['b', 'c']);
    expect(events.at(-1)).toBe('a stop');
  });
});

describe('detached work', () => {
  /** A service with a module that leaves this work behind while it drains, as requests do. */
  async function leaving(work: () => Promise<void>, lines: string[] = []): Promise<Service> {
    const log = pino({ base: null }, { write: (line) => void lines.push(line) });
    const drain = (): void => {
      void detach('mail', work);
      events.push('drain');
    };
    const stopping = new Service([module('a', [], { drain })], { log, configOf: () => ({}), startTimeoutMs: 10_000 });
    await stopping.start();
    events = [];
    return stopping;
  }

  it('is waited for after requests, and before modules stop: it uses them', async () => {
    const stopping = await leaving(async () => {
      await sleep(50);
      events.push('mail sent');
    });
    expect(await stopping.stop(0, 60_000)).toBe(true);
    expect(events).toEqual(['drain', 'mail sent', 'a stop']);
  });

  it('is given up when the time to drain is over, which one line tells; the stop is not clean', async () => {
    const lines: string[] = [];
    const stopping = await leaving(async () => {
      const { signal } = current();
      await once(signal, 'abort');
      events.push('mail given up');
    }, lines);
    const { promise: deaf, resolve: end } = Promise.withResolvers<void>();
    const audit = detach('audit', () => deaf);
    expect(await stopping.stop(0, 400)).toBe(false);
    end();
    await audit;
    expect(events.toSorted()).toEqual(['a stop', 'drain', 'mail given up']);
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      expect.objectContaining({
        msg: 'detached work given up',
        work: { audit: 1, mail: 1 },
      }),
    ]);
  });
});

describe('a reload', () => {
  it('reaches every module in order, whatever one of them throws', async () => {
    const a = module('a', [], { reload: () => void events.push('a reload') });
    const broken = module('b', [a], { reload: () => Promise.reject(new Error('no such certificate')) });
    const c = module('c', [broken], { reload: () => void events.push('c reload') });
    const reloading = service(c, broken, a, module('without'));
    await reloading.start();
    events = [];
    expect(await reloading.reload()).toBe(false);
    expect(events).toEqual(['a reload', 'c reload']);
    expect(reloading.phase).toBe('ready');
  });

  it('that fails during the stop is no fault of the stop', async () => {
    const { promise: loaded, reject: fail } = Promise.withResolvers<void>();
    const reloading = service(module('a', [], { reload: () => loaded, stop: () => fail(new Error('too late')) }));
    await reloading.start();
    const reloaded = reloading.reload();
    expect(await reloading.stop(0, 5000)).toBe(true);
    expect(await reloaded).toBe(false);
  });
});

describe('links', () => {
  it('are those of all modules', async () => {
    const linked = service(module('a', [], { links: () => ({ API: 'http://localhost:1' }) }), module('b'));
    await linked.start();
    expect(linked.links()).toEqual({ API: 'http://localhost:1' });
  });
});

describe('health', () => {
  it('is asked of every module that has a check, each within the time limit', async () => {
    const watched = service(
      module('well', [], { health: () => {} }),
      module('ill', [], { health: () => Promise.reject(new Error('no connection')) }),
      module('slow', [], { health: forever }),
      module('limping', [], { health: () => 'no second server' }),
      module('silent'),
    );
    await watched.start();
    expect(await watched.health(20)).toEqual({
      well: 'ok',
      ill: { error: 'no connection' },
      limping: 'no second server',
      slow: { error: 'health check took longer than 20 ms' },
    });
  });
});

describe('inOrder', () => {
  const a = module('a');
  const b = module('b', [a]);
  const c = module('c', [b, a]);

  it('puts a module after what it requires', () => {
    expect(inOrder([c, b, a])).toEqual([a, b, c]);
  });

  it('keeps the given order where nothing requires another', () => {
    const d = module('d');
    expect(inOrder([d, a, b])).toEqual([d, a, b]);
  });

  it('names what is missing, and for whom', () => {
    expect(() => inOrder([b])).toThrow('Module "b" requires "a", which is not in the list of modules');
  });

  it('puts a module after what completes one that it requires', () => {
    const filling: Module = { ...module('filling'), completes: a };
    expect(inOrder([c, b, filling, a])).toEqual([a, filling, b, c]);
  });

  it('names a circle by way of what completes another', () => {
    const filling: Module = { ...module('filling', [b]), completes: a };
    expect(() => inOrder([a, b, filling])).toThrow('Modules require each other: b → filling → b');
  });

  it('names the module that is to be completed and is missing', () => {
    const filling: Module = { ...module('filling'), completes: a };
    expect(() => inOrder([filling])).toThrow('Module "filling" requires "a", which is not in the list of modules');
  });

  it('names both ends of a cycle', () => {
    const requires: Module[] = [];
    const first: Module = { ...module('first'), requires };
    const second = module('second', [first]);
    requires.push(second);
    expect(() => inOrder([first, second])).toThrow('Modules require each other: first → second → first');
  });

  it('refuses two modules of one name', () => {
    expect(() => inOrder([a, module('a')])).toThrow('Duplicate module name "a"');
  });
});

describe('withDeadline', () => {
  it('returns what the work returns', async () => {
    await expect(withDeadline('work', 1000, () => 42)).resolves.toBe(42);
  });

  it('passes on what the work throws', async () => {
    const work = Promise.reject(new RangeError('no'));
    await expect(withDeadline('work', 1000, () => work)).rejects.toThrow(RangeError);
  });

  it('ends work that ignores its signal, and aborts the signal', async () => {
    let given: AbortSignal | undefined;
    const never = withDeadline('start', 10, (signal) => {
      given = signal;
      return new Promise(() => {});
    });
    await expect(never).rejects.toThrow(new Error('start took longer than 10 ms'));
    expect(given?.aborted).toBe(true);
  });
});
