import type { Socket } from 'node:net';
import { Counts } from '../http/connections/counts.ts';

/** Lets each address have so many connections. */
export class Peers {
  readonly #limit: number;
  readonly #counts = new Counts();

  /** @param limit connections of one address at the same time */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * @param socket that has just come; counted until it closes
   * @returns whether its address may have one more
   */
  admit(socket: Socket): boolean {
    const address = socket.remoteAddress ?? '';
    if (this.#counts.of(address) >= this.#limit) return false;
    this.#counts.add(address);
    socket.once('close', () => this.#counts.remove(address));
    return true;
  }
}
