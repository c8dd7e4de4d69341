import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Context, runWith } from '../../../pkg/context/index.ts';
import { createLogger } from '../log/logger.ts';
import { Delivery } from './otel.ts';

const minute = 60_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

/** What is said of exports that end like this: the error of one that fails, or milliseconds until the next. */
function linesAbout(ends: readonly (string | number | undefined)[]): unknown[] {
  const lines: unknown[] = [];
  const log = pino({ base: null, timestamp: false }, { write: (line) => void lines.push(JSON.parse(line)) });
  let error: Error | undefined;
  const exporter = new Delivery(log).watch({
    export: (_spans, done) => done(error === undefined ? { code: 0 } : { code: 1, error }),
    shutdown: async () => {},
  });
  for (const end of ends) {
    error = typeof end === 'string' ? new Error(end) : undefined;
    if (typeof end === 'number') vi.advanceTimersByTime(end);
    else exporter.export([], () => {});
  }
  return lines;
}

const lost = expect.objectContaining({ msg: 'traces cannot be delivered' });
const again = expect.objectContaining({ msg: 'traces are delivered again' });

describe('a collector that cannot be reached', () => {
  it('is told of once, and once when it is back', () => {
    expect(linesAbout(['away', 'away', minute, undefined, undefined, 'away'])).toEqual([lost, again, lost]);
  });

  it('that is there every other time is told of once', () => {
    expect(linesAbout(['away', undefined, 'away', minute / 2, undefined, 'away', undefined])).toEqual([lost]);
  });
});

it('how many spans were lost is said at the end, by whatever they were lost', () => {
  const lines: unknown[] = [];
  const delivery = new Delivery(pino({}, { write: (line) => void lines.push(JSON.parse(line)) }));
  delivery.failed(new Error('away'), 512);
  delivery.failed('Dropped 30 spans because maxQueueSize reached', 30);
  vi.advanceTimersByTime(minute);
  delivery.succeeded();
  expect(lines.at(-1)).toMatchObject({ lost: 542 });
});

it('what is said names no request: the one that happened to set the timer has nothing to do with it', async () => {
  const lines: string[] = [];
  const log = await createLogger('info', { write: (line) => void lines.push(line) });
  runWith(new Context({ id: 'r-1' }), () => new Delivery(log).failed(new Error('away')));
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain('requestId');
});
