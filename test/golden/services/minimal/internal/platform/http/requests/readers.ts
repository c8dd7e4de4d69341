import { Socket } from 'node:net';
import type { FastifyReply } from 'fastify';

/**
 * Cuts off clients that do not read their replies: each holds a connection, and what it was sent, for as long as it likes. Node's own
 * `timeout` would cut off those too that wait for a reply.
 */
export class Readers {
  readonly #stallMs: number;
  readonly #stalled: () => void;

  /**
   * @param stallMs milliseconds for which a client may read nothing of what it was sent
   * @param stalled hears of each that is cut off
   */
  constructor(stallMs: number, stalled: () => void) {
    this.#stallMs = stallMs;
    this.#stalled = stalled;
  }

  /** Is asked for each reply from time to time: one that is read at once costs no more than that. */
  look({ raw, request }: FastifyReply): void {
    const { socket, writableEnded, writableNeedDrain } = raw;
    // One that waits behind another, or is injected in a test, has no connection.
    if (!(socket instanceof Socket)) return;
    // What carries requests by HTTP/2 looks after its own: there a connection may go on while a reply does not.
    if (request.raw.httpVersionMajor !== 1) return;
    const isUnread = writableEnded || writableNeedDrain;
    if (isUnread === (socket.timeout === this.#stallMs)) return;
    // Begins anew with each byte that the system takes. Once the reply is out, Node sets that of an idle connection.
    socket.setTimeout(isUnread ? this.#stallMs : 0);
    if (raw.listenerCount('timeout') > 0) return;
    raw.once('timeout', () => {
      this.#stalled();
      raw.destroy(new StalledReader());
    });
  }
}

/** Named as the system names it when the other side is silent. */
class StalledReader extends Error {
  readonly code = 'ETIMEDOUT';

  constructor() {
    super('the client does not read its reply');
  }
}
