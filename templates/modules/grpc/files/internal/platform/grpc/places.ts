import { Counts } from '../http/connections.ts';

/** Places for connections or calls. Without a limit for one address, one client could take all of them. */
export class Places {
  readonly #all: number;
  readonly #peer: number;
  readonly #byPeer = new Counts();
  #count = 0;

  /**
   * @param all places
   * @param peer places of one address
   */
  constructor(all: number, peer: number) {
    this.#all = all;
    this.#peer = peer;
  }

  /** How many are taken. */
  get count(): number {
    return this.#count;
  }

  /**
   * @param peer address that takes a place
   * @returns the limit that refuses it, if one does
   */
  take(peer: string): 'all' | 'peer' | undefined {
    if (this.#byPeer.of(peer) >= this.#peer) return 'peer';
    if (this.#count >= this.#all) return 'all';
    this.#byPeer.add(peer);
    this.#count += 1;
    return undefined;
  }

  /** @param peer address that gives its place back */
  free(peer: string): void {
    this.#byPeer.remove(peer);
    this.#count -= 1;
  }
}
