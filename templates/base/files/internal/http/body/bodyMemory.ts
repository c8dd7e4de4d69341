import type { RequestContext } from '../requests/requestContext.ts';

/** Bytes that each request has in any case: bodies that are large, or never end, do not keep small ones out. */
const free = 16_384;

/** Shares out the memory that the bodies of requests in flight may take. Without a bound, some hundred clients could take all. */
export class BodyMemory {
  readonly #limit: number;
  readonly #held = new Map<RequestContext, number>();
  #total = 0;

  /** @param limit bytes for all requests together */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * @param context of the request whose body it is; when it is over, it gives back what it has
   * @param bytes that the body takes by now, all in all
   * @returns whether there is as much; if not, it keeps what it had
   */
  hold(context: RequestContext, bytes: number): boolean {
    if (bytes <= free) return true;
    const held = this.#held.get(context);
    const more = bytes - free - (held ?? 0);
    if (this.#total + more > this.#limit || context.ended() !== undefined) return false;
    if (held === undefined) context.whenOver(() => this.#release(context));
    this.#held.set(context, bytes - free);
    this.#total += more;
    return true;
  }

  #release(context: RequestContext): void {
    this.#total -= this.#held.get(context) ?? 0;
    this.#held.delete(context);
  }
}
