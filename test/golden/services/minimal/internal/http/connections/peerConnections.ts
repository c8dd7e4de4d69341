import type { Socket } from 'node:net';
import { Counts } from './counts.ts';

export interface PeerConnectionsOptions {
  /** Connections of one address at the same time. */
  readonly most: number;
  /** Whether an address may have as many as it likes: that of a proxy of ours, behind which are many clients. */
  readonly isExempt: (address: string) => boolean;
}

/** Lets each address have so many connections: nobody may have all of them. */
export class PeerConnections {
  readonly #options: PeerConnectionsOptions;
  readonly #counts = new Counts();
  /** Both ends of each that counts → whose it is. What TLS makes of a connection has the same ends. */
  readonly #addresses = new Map<string, string>();

  /** @param options how many, and of whom */
  constructor(options: PeerConnectionsOptions) {
    this.#options = options;
  }

  /**
   * @param socket of a connection that has just come; when it is let in it counts until it closes, or is released
   * @returns whether there is room for it
   */
  admit(socket: Socket): boolean {
    const { remoteAddress: address = '' } = socket;
    const ends = endsOf(socket);
    // By TLS it was let in before the handshake.
    if (this.#addresses.has(ends) || this.#options.isExempt(address)) return true;
    if (this.#counts.of(address) >= this.#options.most) return false;
    this.#addresses.set(ends, address);
    this.#counts.add(address);
    socket.once('close', () => this.#remove(ends));
    return true;
  }

  /** @param socket of a connection that is counted elsewhere from now on, as a WebSocket is */
  release(socket: Socket): void {
    this.#remove(endsOf(socket));
  }

  #remove(ends: string): void {
    const address = this.#addresses.get(ends);
    if (address === undefined) return;
    this.#addresses.delete(ends);
    this.#counts.remove(address);
  }
}

/** The server listens on one address and one port. */
function endsOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}|${remotePort}`;
}
