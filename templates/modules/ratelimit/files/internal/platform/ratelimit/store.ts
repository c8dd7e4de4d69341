import type { Limit, Standing } from './limiter.ts';

/** Where it is kept how much of its limit each key has used. */
export interface Store {
  /**
   * Decides about one request, in one step.
   * @param key whose limit it is
   * @param limit the same for each call with this key
   * @returns how things stand after it
   */
  readonly take: (key: string, limit: Limit) => Standing | Promise<Standing>;
}
