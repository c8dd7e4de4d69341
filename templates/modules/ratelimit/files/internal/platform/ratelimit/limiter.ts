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

/** `window` and `bucket` refused the request. */
export type Outcome = 'allowed' | 'window' | 'bucket';

/** What was decided about a request, and the state after it. */
export interface Standing {
  readonly outcome: Outcome;
  /** Requests of the window. */
  readonly used: number;
  /** Tokens in the bucket. */
  readonly tokens: number;
  /** Milliseconds until the oldest slice with requests leaves the window. */
  readonly freesInMs: number;
}

/** The same in numbers for the caller. Times are milliseconds. */
export interface Decision {
  readonly outcome: Outcome;
  readonly windowLeft: number;
  readonly windowResetMs: number;
  readonly bucketLeft: number;
  readonly bucketResetMs: number;
  /** 0 when the request was allowed. */
  readonly retryAfterMs: number;
}

/** Knows how much of its limit each key has used. */
export interface Store {
  /**
   * Decides about one request, in one step.
   * @param key of the caller
   * @param limit the same for each call with this key
   */
  readonly take: (key: string, limit: Limit) => Standing | Promise<Standing>;
}

/** The window is counted in slices: a key takes the same memory and time for any quota. */
export const slices = 10;

/** What is kept of one key. */
export interface State {
  /** Allowed requests by slice: the present one, and those before it that reach into the window. */
  readonly counts: Uint32Array;
  /** Sum of the counts. */
  used: number;
  /** Number of the present slice. */
  index: number;
  /** Tokens in the bucket at the time `at`. */
  tokens: number;
  at: number;
}

/**
 * Makes the state of a new key.
 * @param limit how much is allowed
 * @param now in milliseconds, by a clock that does not go back
 * @returns the state
 */
export function newState(limit: Limit, now: number): State {
  const counts = new Uint32Array(slices + 1);
  return { counts, used: 0, index: Math.floor(now / sliceMs(limit)), tokens: limit.burst, at: now };
}

/**
 * Decides about one request: the window limits the total, then the bucket limits the pace. Only a request that both allow is counted.
 * The slice in which the window begins counts as a whole: the quota is never exceeded within `windowMs`, and at worst one slice
 * passes too long until there may be more.
 * @param state of the key; it is changed
 * @param limit the same for each call with this state
 * @param clock in milliseconds; when it goes back, the time of the last request counts
 * @returns what was decided
 */
export function decide(state: State, limit: Limit, clock: number): Standing {
  const now = Math.max(clock, state.at);
  advance(state, Math.floor(now / sliceMs(limit)));
  const tokens = Math.min(limit.burst, state.tokens + (now - state.at) * limit.perMs);
  const outcome = state.used >= limit.quota ? 'window' : tokens < 1 ? 'bucket' : 'allowed';
  if (outcome === 'allowed') {
    const slot = state.index % state.counts.length;
    state.counts[slot] = (state.counts[slot] ?? 0) + 1;
    state.used += 1;
    state.tokens = tokens - 1;
    state.at = now;
  }
  return {
    outcome,
    used: state.used,
    tokens: outcome === 'allowed' ? state.tokens : tokens,
    freesInMs: state.used === 0 ? limit.windowMs : (oldest(state) + slices + 1) * sliceMs(limit) - now,
  };
}

/**
 * Translates a standing for the caller.
 * @param limit that was applied
 * @param standing of the store
 * @returns what is left, and until when
 */
export function decisionOf(limit: Limit, { outcome, used, tokens, freesInMs }: Standing): Decision {
  const bucketLeft = Math.floor(tokens);
  const bucketResetMs = (bucketLeft + 1 - tokens) / limit.perMs;
  return {
    outcome,
    windowLeft: Math.max(limit.quota - used, 0),
    windowResetMs: freesInMs,
    bucketLeft,
    bucketResetMs,
    // Rounding may leave 0 at the very end of a slice.
    retryAfterMs: outcome === 'allowed' ? 0 : Math.max(outcome === 'window' ? freesInMs : bucketResetMs, 1),
  };
}

/** @returns milliseconds without requests after which a key is like a new one */
export function forgottenAfterMs(limit: Limit): number {
  return Math.ceil(limit.windowMs + sliceMs(limit) + limit.burst / limit.perMs);
}

/** @returns milliseconds of a slice */
export function sliceMs(limit: Limit): number {
  return limit.windowMs / slices;
}

/** Empties the slices that have left the window. */
function advance(state: State, index: number): void {
  const { counts } = state;
  for (let next = Math.max(state.index + 1, index - slices); next <= index; next += 1) {
    const slot = next % counts.length;
    state.used -= counts[slot] ?? 0;
    counts[slot] = 0;
  }
  state.index = index;
}

/** Number of the oldest slice with requests. */
function oldest({ counts, index }: State): number {
  for (let slice = index - slices; slice < index; slice += 1) {
    if ((counts[slice % counts.length] ?? 0) > 0) return slice;
  }
  return index;
}

/**
 * The same as `decide`, in one step on a Redis server. A state is text: number of the last slice, tokens, time, and the
 * counts of the slices. KEYS: the key. ARGV: quota, milliseconds of a slice, burst, tokens a millisecond, milliseconds until the key
 * expires.
 * @param clock Lua that sets `now`
 * @returns the script; it replies with outcome, used requests, tokens, milliseconds until some of the quota comes back
 */
export function takeScript(clock: string): string {
  return `${clock}
local quota, slice, burst, rate = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local slots = ${slices + 1}
local counts, used, tokens = {}, 0, burst
for slot = 0, slots - 1 do counts[slot] = 0 end
local state = redis.call('GET', KEYS[1])
local index
if state then
  local values = {}
  for value in string.gmatch(state, '[^,]+') do values[#values + 1] = tonumber(value) end
  now = math.max(now, values[3])
  index = math.floor(now / slice)
  tokens = math.min(burst, values[2] + (now - values[3]) * rate)
  for number = index - slots + 1, values[1] do
    local slot = number % slots
    counts[slot] = values[4 + slot]
    used = used + counts[slot]
  end
else
  index = math.floor(now / slice)
end
local outcome = 'allowed'
if used >= quota then outcome = 'window' elseif tokens < 1 then outcome = 'bucket' end
if outcome == 'allowed' then
  local slot = index % slots
  counts[slot] = counts[slot] + 1
  used = used + 1
  tokens = tokens - 1
  local text = string.format('%.0f,%.17g,%.17g', index, tokens, now)
  for each = 0, slots - 1 do text = text .. ',' .. counts[each] end
  redis.call('SET', KEYS[1], text, 'PX', ARGV[5])
end
local oldest = index - slots + 1
while oldest < index and counts[oldest % slots] == 0 do oldest = oldest + 1 end
local frees = (slots - 1) * slice
if used > 0 then frees = (oldest + slots) * slice - now end
return { outcome, used, string.format('%.17g', tokens), string.format('%.17g', frees) }`;
}

/** Counts in the memory of this process. Beyond a number of keys it forgets the key that was used least recently. */
export class MemoryStore implements Store {
  /** Least recently used first. */
  readonly #states = new Map<string, State>();
  readonly #maxKeys: number;
  readonly #evicted: () => void;

  /**
   * @param maxKeys maximum number of keys
   * @param evicted called for each key that is forgotten
   */
  constructor(maxKeys: number, evicted: () => void) {
    this.#maxKeys = maxKeys;
    this.#evicted = evicted;
  }

  /** Number of keys. */
  get size(): number {
    return this.#states.size;
  }

  take(key: string, limit: Limit): Standing {
    const now = performance.now();
    const state = this.#states.get(key) ?? newState(limit, now);
    this.#states.delete(key);
    this.#states.set(key, state);
    const [first] = this.#states.size > this.#maxKeys ? this.#states.keys() : [];
    if (first !== undefined) {
      this.#states.delete(first);
      this.#evicted();
    }
    return decide(state, limit, now);
  }
}
