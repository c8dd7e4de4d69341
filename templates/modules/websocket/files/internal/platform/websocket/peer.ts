import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { closeCodes } from '../../../pkg/client/websocket/envelope.ts';
import { longestTimer } from '../../../pkg/context/index.ts';
import type { Principal } from '../http/requestContext.ts';

export interface PeerOptions {
  /** WEBSOCKET_HEARTBEAT_MS. */
  readonly heartbeatMs: number;
  /** WEBSOCKET_MESSAGES_PER_SECOND. */
  readonly perSecond: number;
  /** Handles a message and returns the answer. Does not reject. */
  readonly answer: (peer: Peer, text: string) => Promise<string>;
  /** Called once. The reason is one of a fixed set, whatever the client sent. */
  readonly closed: (peer: Peer, reason: string) => void;
}

/** Bytes that may wait for one client. */
export const maxUnreadBytes = 1_048_576;
/** Messages of one client that are handled at the same time. */
const maxInFlight = 16;
/** Milliseconds of the rate that a client may use at once. */
const burstMs = 2000;
/** Maximum of a pause in milliseconds. While a connection is not read, its end is not noticed. */
const maxPauseMs = 5000;
/** The reason of connections that end because the service stops. */
const leaving = 'going_away';

/** One connected client. It is read no faster than its messages are handled, the rate allows, and it reads the answers. */
export class Peer {
  /** The authenticated caller (module auth). */
  readonly caller: Principal | undefined;
  /** The channels that the client is on. */
  readonly channels = new Set<string>();
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #options: PeerOptions;
  /** Read, but not begun: messages that came in one piece with the last one that fitted. */
  readonly #unbegun: string[] = [];
  #inFlight = 0;
  /** Why the connection ends, once that is known. Nothing is read any more then. */
  #reason: string | undefined;
  /** When the messages that were read are within the rate, by `performance.now()`. */
  #paidAt = 0;
  #resumption: NodeJS.Timeout | undefined;
  /** Payload of the ping that the client has not answered. */
  #ping: string | undefined;

  /**
   * @param socket to the client
   * @param stream below the socket
   * @param caller the authenticated caller, if there is one
   * @param options limits, and what to do with messages
   */
  constructor(socket: WebSocket, stream: Duplex, caller: Principal | undefined, options: PeerOptions) {
    this.caller = caller;
    this.#socket = socket;
    this.#stream = stream;
    this.#options = options;
    const heartbeat = setInterval(() => this.#beat(), options.heartbeatMs).unref();
    const validMs = Math.min((caller?.expiresAt ?? Infinity) - Date.now(), longestTimer);
    const expiry = setTimeout(() => this.#close('token_expired', closeCodes.tokenExpired), validMs).unref();
    stream.on('drain', () => this.#regulate());
    socket.on('message', (data: unknown, isBinary) => this.#read(String(data), isBinary));
    socket.on('ping', () => this.#count());
    socket.on('pong', (data) => {
      if (String(data) === this.#ping) this.#ping = undefined;
      else this.#count();
    });
    // A frame that is not valid, such as `WS_ERR_INVALID_OPCODE`: ws closes the connection with the right code.
    socket.on('error', (error) => {
      if ('code' in error) this.#stop(String(error.code).replace('WS_ERR_', '').toLowerCase());
    });
    socket.on('close', (code) => {
      clearInterval(heartbeat);
      clearTimeout(expiry);
      clearTimeout(this.#resumption);
      this.#stop(code === closeCodes.noCloseFrame ? 'connection_lost' : 'client');
      options.closed(this, String(this.#reason));
    });
  }

  /** Whether messages can be sent to the client. */
  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  /**
   * Sends a message. Node keeps in memory what the client does not read: a client that reads too slowly is disconnected.
   * @param message the envelope; subscribers share the bytes of a published one
   */
  send(message: string | Buffer): void {
    if (!this.isOpen) return;
    if (this.#stream.writableLength <= maxUnreadBytes) this.#socket.send(message, { binary: false });
    else this.terminate('slow_reader');
  }

  /** Closes the connection with 1001 after the messages that are handled. The client sends again what was not read. */
  leave(): void {
    this.#stop(leaving);
    if (this.#inFlight === 0) this.#close(leaving, closeCodes.goingAway);
  }

  /** Ends the connection at once. */
  terminate(reason = leaving): void {
    this.#stop(reason);
    this.#socket.terminate();
  }

  #read(text: string, isBinary: boolean): void {
    if (this.#reason !== undefined) return;
    if (isBinary) {
      this.#close('binary_not_supported', closeCodes.unsupportedData);
      return;
    }
    this.#unbegun.push(text);
    this.#count();
    this.#begin();
  }

  #begin(): void {
    while (this.#inFlight < maxInFlight) {
      const text = this.#unbegun.shift();
      if (text === undefined) break;
      void this.#handle(text);
    }
    this.#regulate();
  }

  async #handle(text: string): Promise<void> {
    this.#inFlight += 1;
    this.send(await this.#options.answer(this, text));
    this.#inFlight -= 1;
    if (this.#reason === leaving) this.leave();
    this.#begin();
  }

  /** Counts a message or a control frame. */
  #count(): void {
    const now = performance.now();
    this.#paidAt = Math.min(Math.max(this.#paidAt, now - burstMs) + 1000 / this.#options.perSecond, now + maxPauseMs);
    this.#regulate();
  }

  /** Reads no more from a client that is too fast, has enough in flight, or does not read its answers. */
  #regulate(): void {
    if (this.#reason !== undefined) return;
    const earlyMs = this.#paidAt - performance.now();
    if (earlyMs > 0) {
      this.#resumption ??= setTimeout(() => {
        this.#resumption = undefined;
        this.#regulate();
      }, earlyMs).unref();
    }
    if (earlyMs > 0 || this.#unbegun.length > 0 || this.#stream.writableNeedDrain) this.#socket.pause();
    else if (this.#socket.isPaused) {
      this.#ping = undefined;
      this.#socket.resume();
    }
  }

  /** Pings the client, and disconnects one that did not answer. A pong comes only after the client has read what was sent before. */
  #beat(): void {
    const isUnread = this.#socket.isPaused && !this.#stream.writableNeedDrain;
    if (this.#ping !== undefined && !isUnread) {
      this.terminate('silent');
      return;
    }
    this.#ping = String(performance.now());
    this.#socket.ping(this.#ping);
  }

  #stop(reason: string): void {
    this.#reason ??= reason;
    this.#unbegun.length = 0;
  }

  #close(reason: string, code: number): void {
    this.#stop(reason);
    // The close frame of the client has to be read.
    this.#socket.resume();
    this.#socket.close(code, reason);
  }
}
