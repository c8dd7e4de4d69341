import type { Duplex } from 'node:stream';
import type { Static, TSchema } from 'typebox';
import type { WebSocket } from 'ws';
import { type Envelope, closeCodes } from '../../../../pkg/client/websocket/envelope.ts';
import type { Principal } from '../../http/requestContext.ts';
import type { Acks } from '../messages/acks.ts';
import { Calls } from '../messages/calls.ts';
import { parseEnvelope, writeEnvelope } from '../messages/envelope.ts';
import { type FaultCode, ProtocolError, payloadOf } from '../messages/faults.ts';
import { failure } from '../messages/control.ts';
import type { MessageDefinition } from '../messages/definitions.ts';
import type { WebSocketMetrics } from '../metrics.ts';
import { Outbox, type OutboxOptions } from './outbox.ts';
import { Rate } from './rate.ts';
import type { Session } from '../messages/sessions.ts';

export interface PeerOptions {
  readonly socket: WebSocket;
  /** The connection below the WebSocket. */
  readonly stream: Duplex;
  readonly caller: Principal | undefined;
  /** Of the client, or of a proxy that is not trusted. */
  readonly address: string;
  readonly limits: {
    readonly messagesPerSecond: number;
    readonly inFlight: number;
    readonly buffer: Pick<OutboxOptions, 'limitBytes' | 'policy' | 'backlog'>;
  };
  readonly metrics: WebSocketMetrics;
  readonly acks: Acks;
  /** Handles a message; a promise when that takes its time. It does not fail. */
  readonly receive: (peer: Peer, envelope: Envelope) => Promise<void> | undefined;
  readonly closed: (peer: Peer, code: number) => void;
  /** Messages that were published on these channels were dropped: it reads again, and is to be told. */
  readonly missed: (peer: Peer, channels: ReadonlySet<string>) => void;
}

/** What a message costs of the client's rate when it breaks the rules: who sends nothing else is soon done. */
const faultCost = 10;
/** Milliseconds that a client has to answer a close. */
const closeTimeoutMs = 5000;

/** Why we ended a connection → the code it is closed with. */
const codeOfFault: Partial<Record<FaultCode, number>> = {
  binary_not_supported: closeCodes.unsupportedData,
  rate_limited: closeCodes.flood,
  slow_reader: closeCodes.slowReader,
  token_expired: closeCodes.tokenExpired,
  session_replaced: closeCodes.replaced,
};

/** One client, connected: reads, writes, and knows when to stop. */
export class Peer {
  /** Who has connected, when the service knows (module auth). */
  readonly caller: Principal | undefined;
  /** Where it comes from. */
  readonly address: string;
  readonly #options: PeerOptions;
  readonly #outbox: Outbox;
  readonly #rate: Rate;
  readonly #calls = new Calls();
  /** Read, and not yet begun: no more than what came in one piece with the last one. */
  readonly #unbegun: Envelope[] = [];
  #inFlight = 0;
  #idle: (() => void) | undefined;
  #isClosing = false;
  #isGone = false;
  /** Whether it owes us a pong. */
  #isPinged = false;
  /** The channels that it is on. */
  readonly channels = new Set<string>();
  /** What it was tagged with. */
  readonly tags = new Set<string>();
  /** Where it stopped, as it says, in channels that it was on before. */
  positions: ReadonlyMap<string, string | undefined> = new Map();
  session: Session | undefined;
  /** Whether it has said who it is, or has begun without. */
  isOpen = false;
  /** By `performance.now()`. */
  seenAt = performance.now();
  pingedAt = performance.now();

  /** @param options the connection, its limits, and who hears of its messages */
  constructor(options: PeerOptions) {
    const { socket, stream, caller, address, limits, metrics } = options;
    this.caller = caller;
    this.address = address;
    this.#options = options;
    this.#rate = new Rate(limits.messagesPerSecond);
    this.#outbox = new Outbox(socket, stream, {
      ...limits.buffer,
      dropped: () => metrics.dropped.inc(),
      missed: (channels) => options.missed(this, channels),
      overflowed: () => this.#end('slow_reader', 'The client reads too slowly.'),
    });
    socket.on('message', (data, isBinary) => this.#read(data, isBinary));
    socket.on('pong', () => {
      // The first after a ping answers it; of any other nobody has asked.
      this.#takeFrame(this.#isPinged ? 0 : 1);
      this.#isPinged = false;
    });
    socket.on('ping', () => this.#takeFrame(1));
    // What is no frame, or too large a message: ws closes the connection with the code that belongs to it.
    socket.on('error', (error) => metrics.faults.inc({ code: frameFaultOf(error) }));
    socket.on('close', (code) => {
      this.#isClosing = true;
      this.#isGone = true;
      this.#unbegun.length = 0;
      this.#outbox.close();
      this.#calls.close();
      this.#settle();
      options.closed(this, code);
    });
  }

  /** Who it belongs to, by name. */
  get subject(): string | undefined {
    return this.caller?.subject;
  }

  /** Whether its connection has ended: what comes to be done for it now is for nobody. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Whether we read nothing of it, for now: what it says in the meantime is heard later. */
  get isPaused(): boolean {
    return this.#options.socket.isPaused;
  }

  /** Bytes that wait to be read by the client. */
  get bufferedBytes(): number {
    return this.#outbox.bytes;
  }

  /**
   * @param text of an envelope
   */
  send(text: string): void {
    this.#outbox.send(text);
  }

  /** Sends what was published, which may be lost to a client that is slow, if that is how it is set. */
  deliver(bytes: Buffer, channel: string): void {
    this.#outbox.send(bytes, channel);
  }

  /** Says that a message was handled: soon, together with others. */
  acknowledge(msgId: string): void {
    this.#options.acks.add(this, msgId);
  }

  /**
   * Asks the client, and waits for its answer. It lasts as long as the connection does.
   * @param definition of a message with a response
   * @param payload of the question
   * @param timeoutMs milliseconds
   * @returns the payload of the answer
   * @throws {ServiceError} what the client answered with; 504 when it does not answer; 499 when it is gone
   */
  request<Payload extends TSchema, Response extends TSchema>(
    definition: MessageDefinition<Payload, Response>,
    payload: Static<Payload>,
    timeoutMs: number,
  ): Promise<Static<Response>> {
    return this.#calls.begin(definition, payload, timeoutMs, (text) => this.send(text));
  }

  /** Pings; a client answers by itself (RFC 6455, 5.5.2). */
  ping(now: number): void {
    this.pingedAt = now;
    this.#isPinged = true;
    this.#options.socket.ping();
  }

  /** Ends the connection because the token it came with is over. */
  expire(): void {
    this.#end('token_expired', 'The token has expired: connect again with a new one.');
  }

  /**
   * Ends the connection when the client has taken nothing of what waits for it.
   * @param since by `performance.now()`
   */
  endIfStuck(since: number): void {
    if (this.#outbox.isStuckSince(since)) this.#outbox.giveUp();
  }

  /** Ends the connection because its session goes on with another one. */
  replace(): void {
    this.#end('session_replaced', 'The session goes on with another connection.');
  }

  /**
   * Reads no further message, lets those in flight end, and closes. What was not read is not acknowledged: its client sends it again.
   * @param code to close with
   * @param reason to close with
   */
  async leave(code: number, reason: string): Promise<void> {
    this.#isClosing = true;
    this.#unbegun.length = 0;
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    this.#options.acks.flush(this);
    this.#close(code, reason);
  }

  /** Ends the connection at once. */
  terminate(): void {
    this.#options.socket.terminate();
  }

  /** Takes a sign of life that is no message, and costs as much as one unless we have asked for it. */
  #takeFrame(cost: number): void {
    this.seenAt = performance.now();
    if (!this.#rate.take(cost)) this.#end('rate_limited', 'Too many messages.');
  }

  #read(data: unknown, isBinary: boolean): void {
    if (this.#isClosing) return;
    this.#outbox.hold();
    const now = performance.now();
    this.seenAt = now;
    if (!this.#rate.take(1)) {
      this.#end('rate_limited', 'Too many messages.');
      return;
    }
    if (isBinary) {
      this.#end('binary_not_supported', 'Messages are text.');
      return;
    }
    try {
      // Text comes as one Buffer: `binaryType` is "nodebuffer".
      this.#take(parseEnvelope(String(data)));
    } catch (error) {
      this.fault(error);
    }
  }

  #take(envelope: Envelope): void {
    if (envelope.direction === 'response') {
      // Not in line with the others: one of them may wait for it.
      if (!this.#calls.end(envelope))
        throw new ProtocolError('unexpected_response', 'Nothing was asked that this answers.');
      return;
    }
    if (this.#inFlight >= this.#options.limits.inFlight) {
      this.#unbegun.push(envelope);
      this.#options.socket.pause();
      return;
    }
    this.#begin(envelope);
  }

  #begin(envelope: Envelope): void {
    const work = this.#options.receive(this, envelope);
    if (work === undefined) return;
    void this.#follow(work);
  }

  async #follow(work: Promise<void>): Promise<void> {
    this.#inFlight += 1;
    await work;
    this.#inFlight -= 1;
    this.#settle();
  }

  /** Goes on with what waits. */
  #settle(): void {
    while (this.#inFlight < this.#options.limits.inFlight) {
      const next = this.#unbegun.shift();
      if (next === undefined) break;
      this.#begin(next);
    }
    if (this.#inFlight === 0) this.#idle?.();
    if (this.#unbegun.length > 0 || !this.isPaused) return;
    this.seenAt = performance.now();
    this.#options.socket.resume();
  }

  /**
   * Tells the client what is wrong with a message; it stays connected.
   * @param error a ProtocolError
   * @param about the message, when that much of it is known
   */
  fault(error: unknown, about?: Pick<Envelope, 'msgId'>): void {
    const payload = payloadOf(error);
    this.#options.metrics.faults.inc({ code: payload.code });
    this.send(
      writeEnvelope(failure.type, failure.version, payload, {
        direction: 'response',
        ...(about && { correlationId: about.msgId }),
      }),
    );
    if (!this.#rate.take(faultCost)) this.#end('rate_limited', 'Too many messages.');
  }

  /** Tells the client why the connection ends, and ends it. */
  #end(code: FaultCode, message: string): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#unbegun.length = 0;
    this.#options.metrics.faults.inc({ code });
    // Who reads nothing would not read this either.
    if (code !== 'slow_reader') {
      this.send(writeEnvelope(failure.type, failure.version, payloadOf(new ProtocolError(code, message))));
    }
    this.#close(codeOfFault[code] ?? closeCodes.goingAway, code);
  }

  #close(code: number, reason: string): void {
    const { socket } = this.#options;
    socket.resume();
    socket.close(code, reason);
    // A client that does not answer, or that does not read, is not waited for.
    setTimeout(() => socket.terminate(), closeTimeoutMs).unref();
  }
}

/** ws names what it refuses: `WS_ERR_INVALID_OPCODE`, say. */
function frameFaultOf(error: Error): string {
  const code = 'code' in error ? String(error.code) : '';
  if (code.startsWith('WS_ERR_UNSUPPORTED_') || code === 'WS_ERR_TOO_MANY_BUFFERED_PARTS') return 'message_too_big';
  if (code === 'WS_ERR_INVALID_UTF8') return 'invalid_utf8';
  return code.startsWith('WS_ERR_') ? 'malformed_frame' : 'connection_broken';
}
