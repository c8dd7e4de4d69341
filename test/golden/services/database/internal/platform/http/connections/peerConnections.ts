import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Counts } from './counts.ts';

export interface PeerConnectionsOptions {
  /** Connections of one address at the same time. */
  readonly most: number;
  /** Whether an address may have as many as it likes: that of a proxy of ours, behind which are many clients. */
  readonly isExempt: (address: string) => boolean;
}

/** One that counts. */
interface Counted {
  readonly socket: Socket;
  readonly address: string;
}

/** Lets each address have so many connections: nobody may have all of them. */
export class PeerConnections {
  readonly #options: PeerConnectionsOptions;
  readonly #counts = new Counts();
  /** By both ends, which are those of what TLS makes of a connection, too. */
  readonly #counted = new Map<string, Counted>();

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
    // By TLS it was let in before the handshake.
    if (socket instanceof TLSSocket || this.#options.isExempt(address)) return true;
    const ends = endsOf(socket);
    // A client that was reset may come again from the same port before Node has told of the end.
    this.#remove(ends);
    if (this.#counts.of(address) >= this.#options.most) return false;
    this.#counted.set(ends, { socket, address });
    this.#counts.add(address);
    socket.once('close', () => {
      if (this.#counted.get(ends)?.socket === socket) this.#remove(ends);
    });
    return true;
  }

  /** @param socket of a connection that is counted elsewhere from now on, as a WebSocket is */
  release(socket: Socket): void {
    this.#remove(endsOf(socket));
  }

  #remove(ends: string): void {
    const counted = this.#counted.get(ends);
    if (counted === undefined) return;
    this.#counted.delete(ends);
    this.#counts.remove(counted.address);
  }
}

/** The server listens on one address and one port. */
function endsOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}|${remotePort}`;
}
