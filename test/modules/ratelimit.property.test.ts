import { randomUUID } from 'node:crypto';
import { createClient } from '@redis/client';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Limit,
  type Standing,
  decide,
  forgottenAfterMs,
  newState,
  slicesOfWindow,
  takeScript,
} from '../../templates/modules/ratelimit/files/internal/platform/ratelimit/limiter.ts';
import { runs } from '../helpers/runs.ts';

const limits = fc.record({
  quota: fc.integer({ min: 1, max: 30 }),
  windowMs: fc.integer({ min: 10, max: 5000 }),
  burst: fc.integer({ min: 1, max: 30 }),
  // Powers of two, so that the model's sums are exact as well.
  perMs: fc.constantFrom(1 / 1024, 1 / 128, 1 / 32, 1 / 4, 2),
});
/** Milliseconds between two requests: many at once, some soon, few after long. */
const pauses = fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(50), fc.nat(3000)), {
  minLength: 1,
  maxLength: 120,
});
const beginnings = fc.nat(1e9);

/** A limit as one would write it down: a list of all that was let through, looked at from the first to the last each time. */
class Model {
  readonly #limit: Limit;
  readonly #allowed: number[] = [];

  constructor(limit: Limit) {
    this.#limit = limit;
  }

  /** Requests let through within the span that ends now. */
  within(ms: number, now: number): number {
    return this.#allowed.filter((at) => at > now - ms).length;
  }

  tokens(now: number): number {
    const { burst, perMs } = this.#limit;
    let [tokens, last] = [burst, this.#allowed[0] ?? now];
    for (const at of this.#allowed) {
      tokens = Math.min(burst, tokens + (at - last) * perMs) - 1;
      last = at;
    }
    return Math.min(burst, tokens + (now - last) * perMs);
  }

  allow(now: number): void {
    this.#allowed.push(now);
  }
}

describe('a limit, against a plain model', () => {
  it('never lets through more than the quota in any window, nor faster than the bucket flows; refuses for no other reason', () => {
    fc.assert(
      fc.property(limits, beginnings, pauses, (limit, beginning, between) => {
        const model = new Model(limit);
        const state = newState(limit, beginning);
        let now = beginning;
        for (const pause of between) {
          now += pause;
          const { outcome } = decide(state, limit, now);
          const tokens = model.tokens(now);
          if (outcome === 'allowed') {
            expect(model.within(limit.windowMs, now)).toBeLessThan(limit.quota);
            expect(tokens).toBeGreaterThanOrEqual(1);
            model.allow(now);
          } else if (outcome === 'window') {
            // The slice in which the window begins counts as a whole, and no more.
            expect(model.within(limit.windowMs + limit.windowMs / slicesOfWindow, now)).toBeGreaterThanOrEqual(
              limit.quota,
            );
          } else {
            expect(tokens).toBeLessThan(1);
          }
        }
      }),
      { numRuns: runs(2000) },
    );
  });

  it('says when to come again: then, and not much earlier, it lets one through', () => {
    fc.assert(
      fc.property(limits, beginnings, pauses, (limit, beginning, between) => {
        const state = newState(limit, beginning);
        let now = beginning;
        for (const pause of between) {
          now += pause;
          let decision = decide(state, limit, now);
          for (let waits = 0; decision.outcome !== 'allowed'; waits += 1) {
            expect(decision.retryAfterMs).toBeGreaterThan(0);
            // First the window may have to free something, then the bucket.
            expect(waits).toBeLessThan(3);
            now = Math.ceil(now + decision.retryAfterMs);
            decision = decide(state, limit, now);
          }
          expect(decision.left).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: runs(500) },
    );
  });

  it('forgets nothing that matters: after that time a key is as good as new', () => {
    fc.assert(
      fc.property(limits, beginnings, pauses, (limit, beginning, between) => {
        const state = newState(limit, beginning);
        let now = beginning;
        for (const pause of between) decide(state, limit, (now += pause));
        now += forgottenAfterMs(limit);
        const fresh = newState(limit, now);
        for (let request = 0; request < 40; request += 1) {
          expect(decide(state, limit, now).outcome).toBe(decide(fresh, limit, now).outcome);
        }
      }),
    );
  });

  it('stands still when the clock goes back', () => {
    const limit = { quota: 10, windowMs: 1000, burst: 1, perMs: 0.001 };
    const state = newState(limit, 5000);
    expect(decide(state, limit, 5000).outcome).toBe('allowed');
    expect(decide(state, limit, 100).outcome).toBe('bucket');
    expect(decide(state, limit, 6000).outcome).toBe('allowed');
  });
});

/** Redis writes numbers with 14 digits. */
function rounded({ resetMs, retryAfterMs, ...rest }: Standing) {
  return { ...rest, resetMs: Math.round(resetMs), retryAfterMs: Math.round(retryAfterMs) };
}

const url = process.env['REDIS_URL'];
if (!url && process.env['CI']) throw new Error('this test needs a server: set REDIS_URL');

describe.skipIf(!url)('the script in Redis (needs REDIS_URL)', () => {
  const client = createClient({ url: url ?? '' });
  beforeAll(() => client.connect());
  afterAll(() => client.close());

  it('decides as the code does', async () => {
    const script = takeScript('local now = tonumber(ARGV[6])');
    await fc.assert(
      fc.asyncProperty(limits, beginnings, pauses, async (limit, beginning, between) => {
        const key = `test-${randomUUID()}`;
        const state = newState(limit, beginning);
        let now = beginning;
        const replies: unknown[] = [];
        const expected: unknown[] = [];
        for (const pause of between) {
          now += pause;
          const numbers = [limit.quota, limit.windowMs, limit.burst, limit.perMs, 60_000, now].map(String);
          const reply: unknown = await client.eval(script, { keys: [key], arguments: numbers });
          replies.push(rounded(JSON.parse(typeof reply === 'string' ? reply : '')));
          expected.push(rounded(decide(state, limit, now)));
        }
        await client.del(key);
        expect(replies).toEqual(expected);
      }),
      { numRuns: runs(60) },
    );
  });
});
