/** How much is allowed: a quota within any window, and within that a bucket that smooths. */
export interface Limit {
  /** Requests within any span of `windowMs`. */
  readonly quota: number;
  readonly windowMs: number;
  /** Requests that the bucket holds. */
  readonly burst: number;
  /** Requests that flow into the bucket each millisecond. */
  readonly perMs: number;
}

/** Let through, or by what it was not: the window is asked first. */
export type Outcome = 'allowed' | 'window' | 'bucket';

/** What was decided about one request, and how things stand after it; times are milliseconds. */
export interface Decision {
  readonly outcome: Outcome;
  /** Requests left in the window. */
  readonly windowLeft: number;
  /** Until some of the window's quota comes back; all of the window when none is used. */
  readonly windowResetMs: number;
  /** Whole requests left in the bucket. */
  readonly bucketLeft: number;
  /** Until one more is in the bucket. */
  readonly bucketResetMs: number;
  /** Until the same request may be allowed; 0 when it was. */
  readonly retryAfterMs: number;
}

/** A window is counted in so many slices, each as a whole: no list of requests is kept, and a step costs the same always. */
export const slices = 10;

/** What is kept of one key. */
export interface State {
  /** Allowed requests by slice: the one at hand, and as many before it as reach into the window. */
  readonly counts: Uint32Array;
  /** Their sum. */
  used: number;
  /** Number of the slice at hand. */
  index: number;
  /** In the bucket at `at`. */
  tokens: number;
  at: number;
}

/** How things stand, as a store tells it. */
export interface Standing {
  readonly outcome: Outcome;
  readonly used: number;
  readonly tokens: number;
  /** Milliseconds until the oldest slice with requests has left the window. */
  readonly freesInMs: number;
}

/**
 * @param limit how much is allowed
 * @param now in milliseconds, by any clock that does not go back
 * @returns the state of a key that was never seen
 */
export function newState(limit: Limit, now: number): State {
  return {
    counts: new Uint32Array(slices + 1),
    used: 0,
    index: Math.floor(now / sliceMs(limit)),
    tokens: limit.burst,
    at: now,
  };
}

/**
 * Decides about one request: first the window, for the total; then the bucket, for the pace. Only what both allow is counted,
 * in both. The slice in which the window begins counts as a whole: within `windowMs` there are never more than the quota, and
 * at worst a slice too long passes until there may be more.
 * @param state of the key; changed
 * @param limit the same for each call with this state
 * @param clock in milliseconds; should it go back, it is taken to stand still
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
 * @param limit that was applied
 * @param standing as the store told it
 * @returns the same in a caller's terms
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
    // At the very end of a slice, rounding may leave nothing to wait for: never told to a request that was refused.
    retryAfterMs: outcome === 'allowed' ? 0 : Math.max(outcome === 'window' ? freesInMs : bucketResetMs, 1),
  };
}

/**
 * @param limit how much is allowed
 * @returns milliseconds after which a key that was not seen is as good as new
 */
export function forgottenAfterMs(limit: Limit): number {
  return Math.ceil(limit.windowMs + sliceMs(limit) + limit.burst / limit.perMs);
}

/**
 * @param limit how much is allowed
 * @returns milliseconds of a slice
 */
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

/** Number of the oldest slice with requests in it. */
function oldest({ counts, index }: State): number {
  for (let slice = index - slices; slice < index; slice += 1) {
    if ((counts[slice % counts.length] ?? 0) > 0) return slice;
  }
  return index;
}
