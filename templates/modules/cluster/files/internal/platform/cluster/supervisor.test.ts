import { Registry } from '@prometheus-io/client';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Exit, Supervisor, type Worker, createMetrics } from './supervisor.ts';

/** A worker that is no process. */
interface Fake extends Worker {
  readonly signals: string[];
  isReady: boolean;
  readonly end: (code?: number) => void;
}

let fakes: Fake[];
let log: string;
let supervisor: Supervisor;
let registry: Registry;
/** What a new worker does. */
let born: (fake: Fake) => void;
/** What a worker does while it is asked. */
let asked: (fake: Fake | undefined) => void;
/** What a worker does on SIGTERM. */
let onStop: (fake: Fake) => void;

beforeEach(() => {
  vi.useFakeTimers();
  fakes = [];
  log = '';
  born = (fake) => (fake.isReady = true);
  asked = () => undefined;
  onStop = (fake) => fake.end(0);
  registry = new Registry();
  supervisor = new Supervisor({
    count: 2,
    fork: () => Promise.resolve(fork()),
    async probe(worker) {
      const found = fakes.find((fake) => fake === worker);
      const isReady = found?.isReady ?? false;
      asked(found);
      return isReady;
    },
    log: pino({ base: null }, { write: (line) => (log += line) }),
    metrics: createMetrics(registry),
    startMs: 1000,
    stopMs: 5000,
  });
});
afterEach(() => vi.useRealTimers());

function fork(): Fake {
  const { promise: exited, resolve } = Promise.withResolvers<Exit>();
  const fake: Fake = {
    id: fakes.length + 1,
    pid: 1000 + fakes.length,
    admin: '',
    exited,
    signals: [],
    isReady: false,
    end(code = 1) {
      fake.isReady = false;
      resolve({ code, signal: null });
    },
    kill(signal) {
      fake.signals.push(signal);
      if (signal === 'SIGTERM') onStop(fake);
      if (signal === 'SIGKILL') fake.end(1);
    },
  };
  fakes.push(fake);
  born(fake);
  return fake;
}

const ids = (): number[] => supervisor.workers.map(({ id }) => id);

describe('workers', () => {
  it('are as many as there are to be, each with a number', async () => {
    await supervisor.start();
    expect(ids()).toEqual([1, 2]);
    expect(supervisor.phase).toBe('ready');
    expect(await registry.metrics()).toMatch(/^cluster_workers 2$/m);
  });

  it('that cannot start keep the service from starting', async () => {
    born = (fake) => fake.end(1);
    await expect(supervisor.start()).rejects.toThrow('ended before it was ready');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(fakes).toHaveLength(2);
  });

  it('that crash are replaced, at longer and longer intervals', async () => {
    await supervisor.start();
    born = (fake) => fake.end(1);
    fakes[0]?.end(1);
    await vi.advanceTimersByTimeAsync(499);
    expect(fakes).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(fakes).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(1000);
    expect(fakes).toHaveLength(4);
    await vi.advanceTimersByTimeAsync(1999);
    expect(fakes).toHaveLength(4);
    born = (fake) => (fake.isReady = true);
    await vi.advanceTimersByTimeAsync(1);
    expect(ids()).toEqual([2, 5]);
    expect(await registry.metrics()).toMatch(/^cluster_worker_exits_total\{expected="false"\} 3$/m);
    // After a quiet time it counts as the first again.
    await vi.advanceTimersByTimeAsync(61_000);
    fakes.at(-1)?.end(1);
    await vi.advanceTimersByTimeAsync(500);
    expect(ids()).toEqual([2, 6]);
  });

  it('that crash together are replaced together', async () => {
    await supervisor.start();
    for (const fake of fakes) fake.end(1);
    await vi.advanceTimersByTimeAsync(500);
    expect(ids()).toEqual([3, 4]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(fakes).toHaveLength(4);
  });

  it('that crash again and again, all of them, are replaced less and less often', async () => {
    await supervisor.start();
    born = (fake) => setTimeout(() => fake.end(1), 100);
    for (const fake of fakes) fake.end(1);
    await vi.advanceTimersByTimeAsync(600_000);
    // Two every half minute.
    expect(fakes.length).toBeLessThan(60);
  });

  it('that end while they say that they are ready do not serve', async () => {
    await supervisor.start();
    asked = (fake) => fake?.end(1);
    fakes[0]?.end(1);
    await vi.advanceTimersByTimeAsync(600);
    expect(fakes).toHaveLength(3);
    expect(ids()).toEqual([2]);
  });
});

describe('a rolling restart', () => {
  it('replaces one after another, and stops none before its successor is ready', async () => {
    await supervisor.start();
    const [first, second] = fakes;
    born = () => undefined;
    const rolling = supervisor.roll();
    await vi.advanceTimersByTimeAsync(500);
    expect(fakes).toHaveLength(3);
    expect(first?.signals).toEqual([]);
    // It is not asked for its health yet.
    expect(ids()).toEqual([1, 2]);
    born = (fake) => (fake.isReady = true);
    if (fakes[2]) fakes[2].isReady = true;
    await vi.advanceTimersByTimeAsync(100);
    expect(await rolling).toBe(true);
    expect([first?.signals, second?.signals]).toEqual([['SIGTERM'], ['SIGTERM']]);
    expect(ids()).toHaveLength(2);
    expect(fakes).toHaveLength(4);
    expect(await registry.metrics()).not.toMatch(/expected="false"/);
  });

  it('ends when a successor does not get ready: the old ones stay', async () => {
    await supervisor.start();
    born = (fake) => setTimeout(() => fake.end(1), 100);
    const rolling = supervisor.roll();
    await vi.advanceTimersByTimeAsync(200);
    expect(await rolling).toBe(false);
    expect(ids()).toEqual([1, 2]);
    expect(fakes.slice(0, 2).flatMap(({ signals }) => signals)).toEqual([]);
    expect(log).toContain('rolling restart abandoned');
    // Nobody is missing.
    await vi.advanceTimersByTimeAsync(120_000);
    expect(fakes).toHaveLength(3);
  });

  it.each([
    ['is to go next', 0],
    ['is to go later', 1],
  ])('makes up for an old one that crashes meanwhile, and %s', async (_which, index) => {
    await supervisor.start();
    born = () => undefined;
    const rolling = supervisor.roll();
    await vi.advanceTimersByTimeAsync(100);
    fakes[index]?.end(1);
    await vi.advanceTimersByTimeAsync(600);
    expect(fakes).toHaveLength(3);
    born = (fake) => (fake.isReady = true);
    if (fakes[2]) fakes[2].isReady = true;
    await vi.advanceTimersByTimeAsync(100);
    expect(await rolling).toBe(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(fakes).toHaveLength(4);
    expect(ids()).toHaveLength(2);
    expect(supervisor.workers).not.toContain(fakes[0]);
    expect(supervisor.workers).not.toContain(fakes[1]);
    expect(await supervisor.stop('SIGTERM')).toBe(true);
  });

  it('makes up for it also when no successor gets ready', async () => {
    await supervisor.start();
    born = () => undefined;
    const rolling = supervisor.roll();
    await vi.advanceTimersByTimeAsync(100);
    fakes[0]?.end(1);
    await vi.advanceTimersByTimeAsync(600);
    born = (fake) => (fake.isReady = true);
    fakes[2]?.end(1);
    await vi.advanceTimersByTimeAsync(100);
    expect(await rolling).toBe(false);
    expect(ids()).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(fakes).toHaveLength(4);
  });

  it('is one at a time', async () => {
    await supervisor.start();
    const rolling = supervisor.roll();
    expect(await supervisor.roll()).toBe(false);
    await vi.advanceTimersByTimeAsync(100);
    expect(await rolling).toBe(true);
  });
});

describe('the end', () => {
  it('is clean when all workers end so', async () => {
    await supervisor.start();
    expect(await supervisor.stop('SIGTERM')).toBe(true);
    expect(supervisor.phase).toBe('stopping');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(fakes).toHaveLength(2);
  });

  it('is asked of a worker once, also when its successor serves already', async () => {
    await supervisor.start();
    onStop = () => undefined;
    const rolling = supervisor.roll();
    await vi.advanceTimersByTimeAsync(2000);
    expect(fakes[0]?.signals).toEqual(['SIGTERM']);
    const stopped = supervisor.stop('SIGTERM');
    await vi.advanceTimersByTimeAsync(100);
    expect(fakes.map(({ signals }) => signals)).toEqual([['SIGTERM'], ['SIGTERM'], ['SIGTERM']]);
    for (const fake of fakes) fake.end(0);
    expect(await stopped).toBe(true);
    await rolling;
  });

  it('comes to who does not heed it', async () => {
    await supervisor.start();
    onStop = () => undefined;
    const stopped = supervisor.stop('SIGTERM');
    await vi.advanceTimersByTimeAsync(5000);
    expect(await stopped).toBe(false);
    expect(fakes[0]?.signals).toEqual(['SIGTERM', 'SIGKILL']);
  });

  it('does not wait for workers that are about to be replaced', async () => {
    await supervisor.start();
    fakes[0]?.end(1);
    await vi.advanceTimersByTimeAsync(10);
    expect(await supervisor.stop('SIGTERM')).toBe(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(fakes).toHaveLength(2);
  });
});
