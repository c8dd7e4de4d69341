import type { Duplex } from 'node:stream';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import type { WebSocket } from 'ws';
import { type Envelope, closeCodes, control } from '../../../pkg/client/websocket/envelope.ts';
import { current, givenUp, longestTimer, outOfTime } from '../../../pkg/context/index.ts';
import { invalidArgument, unavailable } from '../../../pkg/errors/index.ts';
import type { Principal } from '../http/requestContext.ts';
import type { Settings } from './config.ts';
import {
  type MessageDefinition,
  ProtocolError,
  type ProtocolErrorCode,
  errorPayload,
  failure,
  newMsgId,
  parseEnvelope,
  writeEnvelope,
} from './messages.ts';
import type { WebSocketMetrics } from './metrics.ts';

/**
 * Limits the bytes that wait for all clients together. Beyond the limit, it disconnects the clients that have been slow for the
 * longest time.
 */
export class SendBudget {
  readonly #limitBytes: number;
  readonly #waiting = new Map<{ giveUp(): void }, number>();
  #total = 0;

  /** @param limitBytes of all clients */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /**
   * Notes that more or fewer bytes wait for a client.
   * @param peer the client
   * @param more bytes
   */
  add(peer: { giveUp(): void }, more: number): void {
    const bytes = (this.#waiting.get(peer) ?? 0) + more;
    this.#total += more;
    if (bytes === 0) this.#waiting.delete(peer);
    else this.#waiting.set(peer, bytes);
    for (const slowest of this.#waiting.keys()) {
      if (this.#total <= this.#limitBytes) return;
      slowest.giveUp();
    }
  }

  /** Forgets a client. */
  remove(peer: { giveUp(): void }): void {
    this.#total -= this.#waiting.get(peer) ?? 0;
    this.#waiting.delete(peer);
  }
}

export interface PeerOptions {
  readonly settings: Settings;
  readonly budget: SendBudget;
  readonly metrics: WebSocketMetrics;
  /** Handles a message. The promise, for a message that takes time, does not reject. */
  readonly receive: (peer: Peer, envelope: Envelope) => Promise<void> | undefined;
  readonly closed: (peer: Peer, code: number) => void;
}

/** A message that breaks the rules counts as so many messages. */
const faultCost = 10;
/** Milliseconds in which a client has to answer a close frame. */
const closeTimeoutMs = 5000;
/** Approximate memory of a waiting frame besides its payload. */
const frameBytes = 200;
/** Maximum number of requests of the server that wait for an answer of one client. */
const maxRequests = 64;

const closeCodeOf: Partial<Record<ProtocolErrorCode, number>> = {
  binary_not_supported: closeCodes.unsupportedData,
  rate_limited: closeCodes.flood,
  token_expired: closeCodes.tokenExpired,
  session_replaced: closeCodes.replaced,
};

/** Outlives a connection. */
export interface Session {
  readonly id: string;
  /** Only this subject may resume the session. */
  readonly subject: string | undefined;
  /** The connection of the client, while there is one. */
  peer: Peer | undefined;
  /** When the client disconnected, by `performance.now()`. */
  goneAt: number;
  /** Keys of the answers that are kept for it, oldest first. */
  readonly answers: Set<string>;
  /** Approximate memory of these. */
  bytes: number;
}

/** One connected client. */
export class Peer {
  /** The authenticated caller (module auth). */
  readonly caller: Principal | undefined;
  /** Address of the client, or of a proxy that is not trusted. */
  readonly address: string;
  /** The channels that the client is on. */
  readonly channels = new Set<string>();
  session: Session | undefined;
  /** Whether the client has sent its first message. */
  isOpen = false;
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #options: PeerOptions;
  #tokens: number;
  #tokensAt = performance.now();
  /** Read, but not begun: messages that came in one piece with the last one that fitted. */
  readonly #unbegun: Envelope[] = [];
  #inFlight = 0;
  #idle: (() => void) | undefined;
  #isClosing = false;
  #isGone = false;
  #isCorked = false;
  /** Payload of the ping that the client has not answered. */
  #ping: string | undefined;
  #pingedAt = performance.now();
  readonly #requests = new Map<string, PromiseWithResolvers<Envelope>>();

  /**
   * @param socket to the client
   * @param stream below the socket
   * @param who caller and address
   * @param options limits
   */
  constructor(
    socket: WebSocket,
    stream: Duplex,
    who: { readonly caller: Principal | undefined; readonly address: string },
    options: PeerOptions,
  ) {
    this.caller = who.caller;
    this.address = who.address;
    this.#socket = socket;
    this.#stream = stream;
    this.#options = options;
    this.#tokens = options.settings.WEBSOCKET_MESSAGES_PER_SECOND * 2;
    socket.on('message', (data, isBinary) => this.#read(data, isBinary));
    socket.on('ping', () => this.#take(1));
    socket.on('pong', (data) => {
      if (String(data) === this.#ping) this.#ping = undefined;
      else this.#take(1);
    });
    // A frame that is not valid: ws closes the connection with the right code.
    socket.on('error', (error) => options.metrics.faults.inc({ code: frameFaultOf(error) }));
    socket.on('close', (code) => {
      this.#isClosing = true;
      this.#isGone = true;
      this.#unbegun.length = 0;
      options.budget.remove(this);
      for (const { reject } of this.#requests.values()) reject(givenUp('the client is gone'));
      options.closed(this, code);
    });
  }

  /** Whether the connection has ended. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Bytes that wait for the client to read them. */
  get bufferedBytes(): number {
    return this.#stream.writableLength;
  }

  /**
   * Sends a message to this client alone.
   * @param text of the envelope
   */
  send(text: string): void {
    this.#write(text, Buffer.byteLength(text), false);
  }

  /**
   * Sends a published message, whose bytes all subscribers share.
   * @param bytes of the envelope
   */
  sendShared(bytes: Buffer): void {
    this.#write(bytes, bytes.length, true);
  }

  /**
   * Sends a request to the client and waits for the answer. The request ends with the connection.
   * @param definition a message with a response
   * @param payload of the request
   * @param timeoutMs milliseconds to wait
   * @returns the payload of the answer
   * @throws {ServiceError} the error of the client; 504 when it does not answer in time; 499 when it disconnects
   */
  async request<Payload extends TSchema, Response extends TSchema>(
    definition: MessageDefinition<Payload, Response>,
    payload: Static<Payload>,
    timeoutMs: number,
  ): Promise<Static<Response>> {
    if (this.#requests.size >= maxRequests) throw unavailable('The client has too many requests to answer.');
    const msgId = newMsgId();
    const waiting = Promise.withResolvers<Envelope>();
    const ms = Math.min(timeoutMs, current().remainingMs(), longestTimer);
    const timer = setTimeout(() => waiting.reject(outOfTime(msgId)), ms);
    this.#requests.set(msgId, waiting);
    try {
      this.send(writeEnvelope(definition, payload, { msgId, direction: 'request', trace: current().trace }));
      const answer = await waiting.promise;
      if (answer.type !== control.error) return Value.Parse(definition.response, answer.payload);
      const { message, ...more } = Value.Parse(failure.payload, answer.payload);
      throw invalidArgument(message, more);
    } finally {
      clearTimeout(timer);
      this.#requests.delete(msgId);
    }
  }

  /**
   * Pings the client when it is time, and disconnects a client that does not answer or whose token has expired. A pong comes only
   * after the client has read what was sent before the ping.
   * @param now by `performance.now()`
   */
  check(now: number): void {
    const { WEBSOCKET_HEARTBEAT_MS: everyMs, WEBSOCKET_HEARTBEAT_TIMEOUT_MS: timeoutMs } = this.#options.settings;
    if (this.caller !== undefined && this.caller.expiresAt <= Date.now()) {
      this.end('token_expired', 'The token has expired: connect again with a new one.');
    } else if (this.#ping === undefined) {
      if (now - this.#pingedAt < everyMs) return;
      this.#pingedAt = now;
      this.#ping = String(now);
      this.#socket.ping(this.#ping);
    } else if (now - this.#pingedAt > timeoutMs && !this.#socket.isPaused) {
      this.#options.metrics.dead.inc();
      this.terminate();
    }
  }

  /** Disconnects a client that reads too slowly, and frees what waits for it. */
  giveUp(): void {
    if (this.#isGone) return;
    this.#options.metrics.faults.inc({ code: 'slow_reader' });
    this.#isClosing = true;
    this.#isGone = true;
    this.#unbegun.length = 0;
    this.#options.budget.remove(this);
    this.terminate();
  }

  /**
   * Reads no more messages, waits for those that are handled, and closes the connection. The client sends again what was not read.
   * @param code of the close frame
   * @param reason of the close frame
   */
  async leave(code: number, reason: string): Promise<void> {
    this.#isClosing = true;
    this.#unbegun.length = 0;
    if (this.#inFlight > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.#close(code, reason);
  }

  /** Ends the connection at once. */
  terminate(): void {
    this.#socket.terminate();
  }

  /**
   * Tells the client what is wrong with a message. The client stays connected.
   * @param error what is wrong
   * @param msgId of the message, when it is known
   */
  fault(error: unknown, msgId?: string): void {
    const payload = errorPayload(error);
    this.#options.metrics.faults.inc({ code: payload.code });
    this.send(
      writeEnvelope(failure, payload, { direction: 'response', ...(msgId !== undefined && { correlationId: msgId }) }),
    );
    this.#take(faultCost);
  }

  /**
   * Tells the client why the connection ends, and ends it.
   * @param code reason for programs, also of the close frame
   * @param message reason for people
   */
  end(code: ProtocolErrorCode, message: string): void {
    if (this.#isClosing) return;
    this.send(writeEnvelope(failure, errorPayload(new ProtocolError(code, message))));
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#unbegun.length = 0;
    this.#options.metrics.faults.inc({ code });
    this.#close(closeCodeOf[code] ?? closeCodes.goingAway, code);
  }

  #read(data: unknown, isBinary: boolean): void {
    if (this.#isClosing || !this.#take(1)) return;
    if (isBinary) {
      this.end('binary_not_supported', 'Messages are text.');
      return;
    }
    this.#cork();
    try {
      const envelope = parseEnvelope(String(data));
      if (envelope.direction === 'response') this.#answered(envelope);
      else if (this.#inFlight < this.#options.settings.WEBSOCKET_IN_FLIGHT_MAX) this.#begin(envelope);
      else {
        this.#unbegun.push(envelope);
        this.#socket.pause();
      }
    } catch (error) {
      this.fault(error);
    }
  }

  /** An answer does not wait in line: a handler may wait for it. */
  #answered(envelope: Envelope): void {
    const waiting = this.#requests.get(envelope.correlationId ?? '');
    if (waiting === undefined)
      throw new ProtocolError('unexpected_response', 'There is no request with this correlationId.');
    waiting.resolve(envelope);
  }

  #begin(envelope: Envelope): void {
    const work = this.#options.receive(this, envelope);
    if (work !== undefined) void this.#follow(work);
  }

  async #follow(work: Promise<void>): Promise<void> {
    this.#inFlight += 1;
    await work;
    this.#inFlight -= 1;
    while (this.#inFlight < this.#options.settings.WEBSOCKET_IN_FLIGHT_MAX) {
      const next = this.#unbegun.shift();
      if (next === undefined) break;
      this.#begin(next);
    }
    if (this.#inFlight === 0) this.#idle?.();
    if (this.#unbegun.length > 0 || !this.#socket.isPaused) return;
    this.#pingedAt = performance.now();
    this.#socket.resume();
  }

  /** Token bucket, with bursts of twice the rate. */
  #take(cost: number): boolean {
    const { WEBSOCKET_MESSAGES_PER_SECOND: messagesPerSecond } = this.#options.settings;
    const now = performance.now();
    const earned = ((now - this.#tokensAt) / 1000) * messagesPerSecond;
    this.#tokens = Math.min(this.#tokens + earned, messagesPerSecond * 2) - cost;
    this.#tokensAt = now;
    if (this.#tokens < 0) this.end('rate_limited', 'Too many messages.');
    return this.#tokens >= 0;
  }

  /** Node keeps in memory what the client does not read. What the system takes at once does not count. */
  #write(data: string | Buffer, size: number, isShared: boolean): void {
    if (this.#isGone) return;
    const { budget, settings } = this.#options;
    if (!this.#stream.writableNeedDrain) {
      this.#socket.send(data, { binary: false });
      return;
    }
    if (this.#stream.writableLength + size > settings.WEBSOCKET_BUFFER_LIMIT_BYTES) {
      this.giveUp();
      return;
    }
    const bytes = frameBytes + (isShared ? 0 : size);
    this.#socket.send(data, { binary: false }, () => {
      if (!this.#isGone) budget.add(this, -bytes);
    });
    budget.add(this, bytes);
  }

  /** The answers to messages that came together go out with one system call. */
  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#stream.cork();
    process.nextTick(() => {
      this.#isCorked = false;
      this.#stream.uncork();
    });
  }

  #close(code: number, reason: string): void {
    this.#socket.resume();
    this.#socket.close(code, reason);
    setTimeout(() => this.#socket.terminate(), closeTimeoutMs).unref();
  }
}

/** Such as `WS_ERR_INVALID_OPCODE`. */
function frameFaultOf(error: Error): string {
  const code = 'code' in error ? String(error.code) : '';
  if (code.startsWith('WS_ERR_UNSUPPORTED_') || code === 'WS_ERR_TOO_MANY_BUFFERED_PARTS') return 'message_too_big';
  if (code === 'WS_ERR_INVALID_UTF8') return 'invalid_utf8';
  return code.startsWith('WS_ERR_') ? 'malformed_frame' : 'connection_broken';
}
