import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { closeCodes } from '../../../pkg/client/websocket/envelope.ts';
import { longestTimer } from '../../../pkg/context/index.ts';
import type { Principal } from '../http/requestContext.ts';
import type { Settings } from './config.ts';

export interface PeerOptions {
  readonly settings: Settings;
  /** Handles a message and returns the answer. Does not reject. */
  readonly answer: (peer: Peer, text: string) => Promise<string>;
  /** Counts a fault of the client. */
  readonly fault: (code: string) => void;
  readonly closed: (peer: Peer, code: number) => void;
}

/** Messages of one client that are handled at the same time. */
const maxInFlight = 16;
/** Milliseconds of the rate that a client may use at once. */
const burstMs = 2000;
/** Maximum of a pause in milliseconds. While a connection is not read, its end is not noticed. */
const maxPauseMs = 5000;

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
  #idle: (() => void) | undefined;
  #isClosing = false;
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
    const heartbeat = setInterval(() => this.#beat(), options.settings.WEBSOCKET_HEARTBEAT_MS).unref();
    const validMs = Math.min((caller?.expiresAt ?? Infinity) - Date.now(), longestTimer);
    const expiry = setTimeout(() => this.#close(closeCodes.tokenExpired, 'token_expired'), validMs).unref();
    stream.on('drain', () => this.#regulate());
    socket.on('message', (data: unknown, isBinary) => this.#read(String(data), isBinary));
    socket.on('ping', () => this.#count());
    socket.on('pong', (data) => {
      if (String(data) === this.#ping) this.#ping = undefined;
      else this.#count();
    });
    // A frame that is not valid, such as `WS_ERR_INVALID_OPCODE`: ws closes the connection with the right code.
    socket.on('error', (error) => {
      const code = 'code' in error ? String(error.code) : '';
      options.fault(code.startsWith('WS_ERR_') ? code.slice('WS_ERR_'.length).toLowerCase() : 'connection_broken');
    });
    socket.on('close', (code) => {
      this.#stopReading();
      clearInterval(heartbeat);
      clearTimeout(expiry);
      clearTimeout(this.#resumption);
      options.closed(this, code);
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
    if (this.#stream.writableLength <= this.#options.settings.WEBSOCKET_BUFFER_LIMIT_BYTES) {
      this.#socket.send(message, { binary: false });
    } else {
      this.#options.fault('slow_reader');
      this.terminate();
    }
  }

  /** Waits for the messages that are handled, and closes the connection with 1001. The client sends again what was not read. */
  async leave(): Promise<void> {
    this.#stopReading();
    if (this.#inFlight > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.#close(closeCodes.goingAway, 'going away');
  }

  /** Ends the connection at once. */
  terminate(): void {
    this.#socket.terminate();
  }

  #read(text: string, isBinary: boolean): void {
    if (this.#isClosing) return;
    if (isBinary) {
      this.#options.fault('binary_not_supported');
      this.#close(closeCodes.unsupportedData, 'binary_not_supported');
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
    if (this.#inFlight === 0) this.#idle?.();
    this.#begin();
  }

  /** Counts a message or a control frame. */
  #count(): void {
    const { WEBSOCKET_MESSAGES_PER_SECOND: perSecond } = this.#options.settings;
    const now = performance.now();
    this.#paidAt = Math.min(Math.max(this.#paidAt, now - burstMs) + 1000 / perSecond, now + maxPauseMs);
    this.#regulate();
  }

  /** Reads no more from a client that is too fast, has enough in flight, or does not read its answers. */
  #regulate(): void {
    if (this.#isClosing) return;
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
      this.#options.fault('silent');
      this.terminate();
      return;
    }
    this.#ping = String(performance.now());
    this.#socket.ping(this.#ping);
  }

  #stopReading(): void {
    this.#isClosing = true;
    this.#unbegun.length = 0;
  }

  #close(code: number, reason: string): void {
    this.#stopReading();
    // The close frame of the client has to be read.
    this.#socket.resume();
    this.#socket.close(code, reason);
  }
}
