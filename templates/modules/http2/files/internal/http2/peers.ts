import type { Socket } from 'node:net';

/** Counts the connections of each address. */
export class Peers {
  readonly #limit: number;
  readonly #counts = new Map<string, number>();

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
    const count = this.#counts.get(address) ?? 0;
    if (count >= this.#limit) return false;
    this.#counts.set(address, count + 1);
    socket.once('close', () => this.#leave(address));
    return true;
  }

  #leave(address: string): void {
    const left = (this.#counts.get(address) ?? 1) - 1;
    if (left === 0) this.#counts.delete(address);
    else this.#counts.set(address, left);
  }
}
