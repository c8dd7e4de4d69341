import { Connection, type ConnectionOptions, type ConnectionState } from './connection.ts';
import {
  type Envelope,
  type ErrorPayload,
  MessageError,
  type Opened,
  control,
  controlVersion,
  isAfter,
  maxChannels,
  maxTopicLength,
} from './envelope.ts';
import { Outbox } from './outbox.ts';

export interface ClientOptions extends ConnectionOptions {
  /** `source` of its messages. Default: `client`. */
  readonly source?: string;
  /** Maximum number of messages that are not answered, including those sent while offline. Default: 1000. */
  readonly queueLimit?: number;
  /** Called when published messages are lost to this client: fetch the present state anew. */
  readonly onLost?: () => void;
}

/** A message that the server acknowledges or answers. */
export interface Message {
  readonly type: string;
  readonly version: string;
  readonly payload: unknown;
  /** W3C Trace Context. */
  readonly traceparent?: string;
}

/** Handles a published message. */
export type Listener = (message: Envelope) => void | Promise<void>;

/** Answers a request of the server: gives the payload of the answer. */
export type Responder = (payload: unknown, message: Envelope) => unknown;

/**
 * A client of the service's WebSocket, for browsers and Node. It reconnects, subscribes again, gets what it missed, and sends again
 * what the server has not answered.
 */
export class Client {
  readonly #options: ClientOptions;
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  readonly #topics = new Map<string, Set<Listener>>();
  readonly #pushed = new Set<Listener>();
  readonly #responders = new Map<string, Responder>();
  /** The protocol's own requests over the present connection, by `msgId`. */
  readonly #asked = new Map<string, (answer: Envelope) => void>();
  readonly #idPrefix = randomPrefix();
  #ids = 0;
  #sessionId: string | undefined;
  /** Position of the last published message that came. */
  #offset: string | undefined;

  /** @param options where to connect; it does not connect yet */
  constructor(options: ClientOptions) {
    this.#options = options;
    this.#outbox = new Outbox(options.queueLimit ?? 1000);
    this.#connection = new Connection(options, {
      opened: () => this.#open(),
      received: (message) => this.#receive(message),
      ping: () => this.#ask(control.ping, {}, (answer) => this.#moveTo(payloadOf<Partial<Opened>>(answer).offset)),
      lost: () => {
        this.#asked.clear();
        this.#outbox.detach();
      },
      closed: (reason) => this.#outbox.close(reason),
    });
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** Number of messages that the server has not answered. */
  get unacknowledged(): number {
    return this.#outbox.size;
  }

  /** Connects, and stays connected until `close`. */
  connect(): void {
    this.#connection.connect();
  }

  /** Disconnects for good: messages that are not answered fail. */
  close(): void {
    this.#connection.close();
  }

  /**
   * Sends a message. While offline, the message waits. When the server restarts, the message may be handled twice with the same
   * `msgId`.
   * @param message to send
   * @returns once the server has handled it
   * @throws {MessageError} the error of the server, or `queue_full`, `message_too_large`, `closed`
   */
  async send(message: Message): Promise<void> {
    await this.#put({ ...message, msgId: this.#newId() });
  }

  /**
   * Sends a message and waits for the answer.
   * @param message to send
   * @param options `timeoutMs`: milliseconds to wait, by default 30,000; `msgId`: the `Idempotency-Key` of the same write by REST
   * @returns the payload of the answer
   * @throws {MessageError} the error of the server, or `timeout`, `queue_full`, `message_too_large`, `closed`
   */
  async request(
    message: Message,
    options: { readonly timeoutMs?: number; readonly msgId?: string } = {},
  ): Promise<unknown> {
    const { timeoutMs = 30_000, msgId = this.#newId() } = options;
    const timer = setTimeout(() => {
      const reason = { code: 'timeout', message: `No answer within ${timeoutMs} ms.`, retryable: true };
      this.#outbox.settle(msgId, new MessageError(reason));
    }, timeoutMs);
    try {
      const { payload } = await this.#put({ ...message, msgId, direction: 'request', timeoutMs });
      return payload;
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Listens to a topic, across reconnects.
   * @param topic its name
   * @param listener gets each message once, in order
   * @returns a function that stops listening
   * @throws {RangeError} when the name is longer than 256 characters
   */
  subscribe(topic: string, listener: Listener): () => void {
    if (topic.length > maxTopicLength)
      throw new RangeError(`The name of a topic has at most ${maxTopicLength} characters.`);
    const listeners = this.#topics.get(topic) ?? new Set();
    listeners.add(listener);
    if (!this.#topics.has(topic)) {
      this.#topics.set(topic, listeners);
      if (this.state === 'open') this.#subscribe(topic);
    }
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0 || this.#topics.get(topic) !== listeners) return;
      this.#topics.delete(topic);
      if (this.state === 'open') this.#ask(control.unsubscribe, { topic }, () => {});
    };
  }

  /**
   * Listens to what the server pushes to the subject or the tags of this client.
   * @param listener gets each message once, in order
   */
  onPushed(listener: Listener): void {
    this.#pushed.add(listener);
  }

  /**
   * Answers requests of the server.
   * @param type of the requests
   * @param responder gives the payload of the answer
   */
  respond(type: string, responder: Responder): void {
    this.#responders.set(type, responder);
  }

  /** The first message of a connection. */
  #open(): void {
    const topics = [...this.#topics.keys()].slice(0, maxChannels);
    const payload = { topics, sessionId: this.#sessionId, after: this.#offset };
    this.#ask(control.open, payload, (answer) => {
      if (answer.type === control.error) {
        this.#fail(new MessageError(payloadOf(answer)));
        this.#connection.drop();
        return;
      }
      const opened = payloadOf<Opened>(answer);
      this.#sessionId = opened.sessionId;
      if (opened.lost) this.#offset = undefined;
      this.#moveTo(opened.offset);
      this.#connection.established(opened);
      for (const [topic, error] of Object.entries(opened.refused)) this.#refuse(topic, error);
      // The topics may have changed since the question.
      for (const topic of topics) if (!this.#topics.has(topic)) this.#ask(control.unsubscribe, { topic }, () => {});
      for (const topic of this.#topics.keys()) if (!topics.includes(topic)) this.#subscribe(topic);
      this.#outbox.attach(opened, this.#connection.send);
      if (opened.lost) this.#options.onLost?.();
    });
  }

  #subscribe(topic: string): void {
    this.#ask(control.subscribe, { topic }, (answer) => {
      if (answer.type === control.error) this.#refuse(topic, payloadOf(answer));
      else this.#moveTo(payloadOf<Opened>(answer).offset);
    });
  }

  #refuse(topic: string, error: ErrorPayload): void {
    if (this.#topics.delete(topic)) this.#fail(new MessageError(error));
  }

  #receive(message: Envelope): void {
    const { type, correlationId = '', direction, offset } = message;
    if (direction === 'request') void this.#respond(message);
    else if (direction === 'response') {
      const answered = this.#asked.get(correlationId);
      this.#asked.delete(correlationId);
      if (answered !== undefined) answered(message);
      else this.#outbox.settle(correlationId, type === control.error ? new MessageError(payloadOf(message)) : message);
    } else if (offset !== undefined) this.#published(message, offset);
    else if (type === control.lost) {
      this.#offset = payloadOf<Opened>(message).offset;
      this.#options.onLost?.();
    } else if (type === control.error) this.#fail(new MessageError(payloadOf(message)));
  }

  #published(message: Envelope, offset: string): void {
    // It was sent again.
    if (this.#offset !== undefined && !isAfter(offset, this.#offset)) return;
    this.#offset = offset;
    const listeners = message.topic === undefined ? this.#pushed : this.#topics.get(message.topic);
    for (const listener of listeners ?? []) void this.#call(listener, message);
  }

  async #call(listener: Listener, message: Envelope): Promise<void> {
    try {
      await listener(message);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #respond({ type, version, msgId: correlationId, payload, ...rest }: Envelope): Promise<void> {
    const answer = { version, correlationId, direction: 'response' } as const;
    try {
      const responder = this.#responders.get(type);
      if (responder === undefined) throw new MessageError({ code: 'unknown_type', message: type, retryable: false });
      const answered = await responder(payload, { type, version, msgId: correlationId, payload, ...rest });
      this.#connection.send(this.#write({ ...answer, type, payload: answered }));
    } catch (error) {
      const { code = 'internal', retryable = false } = error instanceof MessageError ? error : {};
      const failure = { code, message: error instanceof Error ? error.message : 'It failed.', retryable };
      this.#connection.send(this.#write({ ...answer, type: control.error, version: controlVersion, payload: failure }));
    }
  }

  #put(message: Message & { readonly msgId: string } & Partial<Envelope>): Promise<Envelope> {
    return this.#outbox.add(message.msgId, this.#write(message));
  }

  #ask(type: string, payload: unknown, answered: (answer: Envelope) => void): void {
    const msgId = this.#newId();
    this.#asked.set(msgId, answered);
    this.#connection.send(this.#write({ msgId, type, version: controlVersion, payload, direction: 'request' }));
  }

  #write(message: Message & Partial<Envelope>): string {
    const source = this.#options.source ?? 'client';
    return JSON.stringify({ msgId: this.#newId(), timestamp: Date.now(), source, ...message });
  }

  #newId(): string {
    this.#ids += 1;
    return `${this.#idPrefix}-${this.#ids.toString(36)}`;
  }

  #moveTo(offset: string | undefined): void {
    if (offset === undefined) return;
    if (this.#offset === undefined || isAfter(offset, this.#offset)) this.#offset = offset;
  }

  #fail(error: unknown): void {
    this.#options.onError?.(error);
  }
}

/** The client trusts the server to keep to its own schemas. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
function payloadOf<Payload>({ payload }: Envelope): Payload {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return payload as Payload;
}

/** `crypto.randomUUID` is missing on pages without TLS. */
function randomPrefix(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(3)), (part) => part.toString(36)).join('');
}
