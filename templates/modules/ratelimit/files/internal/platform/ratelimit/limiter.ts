import { type Static, Type } from 'typebox';

/** How much is allowed: a quota within any window, and within it a token bucket. */
export interface Limit {
  /** Requests within any span of `windowMs`. */
  readonly quota: number;
  readonly windowMs: number;
  /** Requests that the bucket holds. */
  readonly burst: number;
  /** Requests that flow into the bucket each millisecond. */
  readonly perMs: number;
}

/** What was decided about a request, and the state after it. Times are milliseconds. */
export type Standing = Static<typeof Standing>;
export const Standing = Type.Object({
  /** `window` and `bucket` refused the request. */
  outcome: Type.Enum(['allowed', 'window', 'bucket']),
  /** What is left of the quota. */
  left: Type.Number(),
  /** Until some of the quota comes back. */
  resetMs: Type.Number(),
  /** 0 when the request was allowed. */
  retryAfterMs: Type.Number(),
});

/** Knows how much of its limit each key has used. */
export interface Store {
  /**
   * Decides about one request, in one step.
   * @param key of the caller
   * @param limit the same for each call with this key
   */
  readonly take: (key: string, limit: Limit) => Standing | Promise<Standing>;
}

/** A window is counted in slices: a key takes the same memory and time for any quota. */
export const slicesOfWindow = 10;

/** What is kept of one key. */
export interface State {
  /** Allowed requests of the present slice and of those that reach into the window; the oldest first. */
  readonly slices: { readonly number: number; count: number }[];
  /** Tokens in the bucket at the time `at`. */
  tokens: number;
  at: number;
}

/**
 * @param limit how much is allowed
 * @param now in milliseconds, by a clock that does not go back
 * @returns the state of a new key
 */
export function newState(limit: Limit, now: number): State {
  return { slices: [], tokens: limit.burst, at: now };
}

/**
 * Decides about one request: the window limits the total, then the bucket limits the pace. Only a request that both allow is counted.
 * The slice in which the window begins counts as a whole: the quota is never exceeded within `windowMs`, and at worst one slice
 * passes too long until there may be more. `takeScript` does the same in Redis.
 * @param state of the key; it is changed
 * @param limit the same for each call with this state
 * @param clock in milliseconds; when it goes back, the time of the last request counts
 * @returns what was decided
 */
export function decide(state: State, limit: Limit, clock: number): Standing {
  const { slices } = state;
  const now = Math.max(clock, state.at);
  const sliceMs = limit.windowMs / slicesOfWindow;
  const present = Math.floor(now / sliceMs);
  while (slices[0] !== undefined && slices[0].number < present - slicesOfWindow) slices.shift();
  let left = slices.reduce((rest, { count }) => rest - count, limit.quota);
  const tokens = Math.min(limit.burst, state.tokens + (now - state.at) * limit.perMs);
  const outcome = left < 1 ? 'window' : tokens < 1 ? 'bucket' : 'allowed';
  if (outcome === 'allowed') {
    if (slices.at(-1)?.number !== present) slices.push({ number: present, count: 0 });
    for (const last of slices.slice(-1)) last.count += 1;
    left -= 1;
    state.tokens = tokens - 1;
    state.at = now;
  }
  const [oldest] = slices;
  const resetMs = oldest === undefined ? limit.windowMs : (oldest.number + slicesOfWindow + 1) * sliceMs - now;
  // Rounding may leave 0 at the very end of a slice.
  const waits = { allowed: 0, window: Math.max(resetMs, 1), bucket: (1 - tokens) / limit.perMs };
  return { outcome, left, resetMs, retryAfterMs: waits[outcome] };
}

/**
 * The same as `decide`, in one step on a Redis server. KEYS: the key. ARGV: quota, milliseconds of the window, burst, tokens a
 * millisecond, milliseconds until the key expires.
 * @param clock Lua that sets `now`
 * @returns the script; it replies with a standing, as JSON
 */
export function takeScript(clock: string): string {
  return `${clock}
local quota, window, burst, rate = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local stored = redis.call('GET', KEYS[1])
local state = stored and cjson.decode(stored) or { slices = {}, tokens = burst, at = now }
local slices = state.slices
now = math.max(now, state.at)
local slice = window / ${slicesOfWindow}
local present = math.floor(now / slice)
while slices[1] and slices[1].number < present - ${slicesOfWindow} do table.remove(slices, 1) end
local left = quota
for _, each in ipairs(slices) do left = left - each.count end
local tokens = math.min(burst, state.tokens + (now - state.at) * rate)
local outcome = left < 1 and 'window' or tokens < 1 and 'bucket' or 'allowed'
if outcome == 'allowed' then
  if #slices == 0 or slices[#slices].number ~= present then table.insert(slices, { number = present, count = 0 }) end
  slices[#slices].count = slices[#slices].count + 1
  left = left - 1
  redis.call('SET', KEYS[1], cjson.encode({ slices = slices, tokens = tokens - 1, at = now }), 'PX', ARGV[5])
end
local reset = slices[1] and (slices[1].number + ${slicesOfWindow + 1}) * slice - now or window
local waits = { allowed = 0, window = math.max(reset, 1), bucket = (1 - tokens) / rate }
return cjson.encode({ outcome = outcome, left = left, resetMs = reset, retryAfterMs = waits[outcome] })`;
}

/** @returns milliseconds without requests after which a key is like a new one */
export function forgottenAfterMs({ windowMs, burst, perMs }: Limit): number {
  return Math.ceil(windowMs + windowMs / slicesOfWindow + burst / perMs);
}

/** Counts in the memory of this process. Beyond a number of keys it forgets the key that was used least recently. */
export class MemoryStore implements Store {
  /** Least recently used first. */
  readonly #states = new Map<string, State>();
  readonly #maxKeys: number;

  /** @param maxKeys maximum number of keys */
  constructor(maxKeys = 100_000) {
    this.#maxKeys = maxKeys;
  }

  take(key: string, limit: Limit): Standing {
    const now = performance.now();
    const state = this.#states.get(key) ?? newState(limit, now);
    this.#states.delete(key);
    this.#states.set(key, state);
    const [first] = this.#states.size > this.#maxKeys ? this.#states.keys() : [];
    if (first !== undefined) this.#states.delete(first);
    return decide(state, limit, now);
  }
}
