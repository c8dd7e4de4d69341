import type { Context } from '../../../../pkg/context/index.ts';

/** Bytes that each request has in any case: bodies that are large, or never end, do not keep small ones out. */
const free = 16_384;

/** Shares out the memory that the bodies of requests in flight may take. Without a bound, some hundred clients could take all. */
export class BodyMemory {
  readonly #limit: number;
  readonly #held = new Map<Context, number>();
  #total = 0;

  /** @param limit bytes for all requests together */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * @param context of the request whose body it is; when it is over, it gives back what it has
   * @param bytes that the body takes by now, all in all; less than before gives back the rest
   * @returns whether there is as much; if not, it keeps what it had
   */
  hold(context: Context, bytes: number): boolean {
    const held = this.#held.get(context);
    if (bytes <= free && held === undefined) return true;
    const needed = Math.max(bytes - free, 0);
    const more = needed - (held ?? 0);
    if (more > 0 && (this.#total + more > this.#limit || context.ended() !== undefined)) return false;
    if (held === undefined) context.whenOver(() => this.#release(context));
    this.#held.set(context, needed);
    this.#total += more;
    return true;
  }

  #release(context: Context): void {
    this.#total -= this.#held.get(context) ?? 0;
    this.#held.delete(context);
  }
}
