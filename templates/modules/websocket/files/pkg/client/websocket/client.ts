import { type Envelope, type ErrorPayload, type Position, control, topicChannel } from './envelope.ts';
import { MessageError } from './errors.ts';
import { Line } from './line.ts';
import type { ClientOptions, State } from './options.ts';
import { Outbox } from './outbox.ts';
import { payloadOf } from './payload.ts';
import { type Responder, Responders } from './responders.ts';
import { Session } from './session.ts';
import { type Listener, Subscriptions } from './subscriptions.ts';
import { type Message, Writer } from './writer.ts';

const defaultQueueLimit = 1000;
/** Milliseconds that an answer may take, unless told. */
const defaultTimeoutMs = 30_000;

/**
 * A client of the service's WebSocket, for browsers and for Node: it comes back when the connection is lost, subscribes again from
 * where it was, and sends again what the server has not acknowledged.
 */
export class Client {
  readonly #onError: (error: unknown) => void;
  readonly #line: Line;
  readonly #writer: Writer;
  readonly #outbox: Outbox;
  readonly #subscriptions: Subscriptions;
  readonly #session: Session;
  readonly #responders = new Responders();

  /** @param options where to, and who hears what; it does not connect yet */
  constructor(options: ClientOptions) {
    const failed = (error: unknown): void => options.onError?.(error);
    this.#onError = failed;
    this.#writer = new Writer(options.source);
    this.#outbox = new Outbox(options.queueLimit ?? defaultQueueLimit);
    this.#line = new Line(options, {
      opened: () => void this.#session.open(),
      received: (message) => this.#receive(message),
      ping: () => this.#session.ping(),
      lost: (reason) => {
        this.#outbox.detach();
        this.#session.lost(reason);
      },
      ended: (reason) => this.#outbox.close(reason),
    });
    this.#subscriptions = new Subscriptions(
      {
        gap: (gap) => options.onGap?.(gap),
        failed,
        ask: (channel, after) => {
          if (this.state === 'open') void this.#session.join(channel, after);
        },
        leave: (channel) => {
          if (this.state === 'open') this.#session.leave(channel);
        },
      },
      options.positions,
    );
    this.#session = new Session({
      line: this.#line,
      writer: this.#writer,
      outbox: this.#outbox,
      subscriptions: this.#subscriptions,
      failed,
    });
  }

  get state(): State {
    return this.#line.state;
  }

  /** How many messages the server has not acknowledged. */
  get unacknowledged(): number {
    return this.#outbox.size;
  }

  /** Connects, and stays connected until `close`. */
  connect(): void {
    this.#line.connect();
  }

  /** Disconnects for good: what is not acknowledged fails. */
  close(): void {
    this.#line.close();
  }

  /**
   * Sends a message that is acknowledged once it was handled. Offline, it waits. If the server is restarted meanwhile it may be
   * handled twice, each time with the same `msgId`.
   * @param message to send
   * @returns once it is acknowledged
   * @throws {MessageError} what the server says, or `queue_full`, `message_too_large`, `closed`
   */
  async send(message: Message): Promise<void> {
    await this.#put(message, {});
  }

  /**
   * Sends a message that is answered.
   * @param message to send
   * @param options `timeoutMs`: milliseconds to wait, 30,000 unless told; `msgId`: the same as over another way, see docs
   * @returns the payload of the answer
   * @throws {MessageError} what the server says, or `timeout`, `queue_full`, `message_too_large`, `closed`
   */
  async request(
    message: Message,
    options: { readonly timeoutMs?: number; readonly msgId?: string } = {},
  ): Promise<unknown> {
    const { timeoutMs = defaultTimeoutMs, msgId = this.#writer.newId() } = options;
    const timer = setTimeout(() => {
      const reason = { code: 'timeout', message: `No answer within ${timeoutMs} ms.`, retryable: true };
      this.#outbox.fail(msgId, new MessageError(reason));
    }, timeoutMs);
    try {
      const answer = await this.#put(message, { msgId, direction: 'request', timeoutMs });
      return answer?.payload;
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Listens to a topic, across reconnects.
   * @param topic its name
   * @param listener gets each message once, in order; the next waits for its promise
   * @returns what ends it
   * @throws {RangeError} when the name is longer than 384 characters, encoded
   */
  subscribe(topic: string, listener: Listener): () => void {
    const channel = topicChannel(topic);
    this.#subscriptions.add(channel, listener);
    return () => this.#subscriptions.remove(channel, listener);
  }

  /**
   * Listens to what the server pushes to this client in particular: to its subject, or to its tags.
   * @param listener gets each message once, in order of its channel
   */
  onPushed(listener: Listener): void {
    this.#subscriptions.addPushed(listener);
  }

  /**
   * Answers messages of the server of one type.
   * @param type of them
   * @param responder gives the payload of the answer
   */
  respond(type: string, responder: Responder): void {
    this.#responders.set(type, responder);
  }

  /** Channel → offset of the last message that was handled: see the option `positions`. */
  positions(): Record<string, string> {
    return this.#subscriptions.positions();
  }

  #put(message: Message, more: Partial<Envelope>): Promise<Envelope | undefined> {
    const envelope = this.#writer.envelope({ ...message, ...more });
    return this.#outbox.add(envelope.msgId, JSON.stringify(envelope));
  }

  #receive(message: Envelope): void {
    const { type, correlationId, direction } = message;
    if (direction === 'response') this.#answered(message);
    else if (direction === 'request') void this.#respond(message);
    else if (message.channel !== undefined) this.#subscriptions.receive(message);
    else if (type === control.ack) for (const msgId of payloadOf<Acked>(message).msgIds) this.#outbox.settle(msgId);
    else if (type === control.joined) this.#joined(payloadOf<Joined>(message));
    else if (type === control.error && correlationId === undefined) {
      this.#onError(new MessageError(payloadOf<ErrorPayload>(message)));
    }
  }

  #joined({ channel, position }: Joined): void {
    this.#subscriptions.joined(channel, position);
  }

  #answered(message: Envelope): void {
    const { type, correlationId } = message;
    const failure = type === control.error ? new MessageError(payloadOf<ErrorPayload>(message)) : undefined;
    if (correlationId === undefined) this.#onError(failure);
    else if (this.#session.settle(correlationId, failure ?? message)) return;
    else if (failure === undefined) this.#outbox.settle(correlationId, message);
    else this.#outbox.fail(correlationId, failure);
  }

  /** Past the outbox: an answer has no meaning on another connection. */
  async #respond(message: Envelope): Promise<void> {
    this.#line.send(JSON.stringify(this.#writer.envelope(await this.#responders.answer(message))));
  }
}

interface Acked {
  readonly msgIds: readonly string[];
}

interface Joined {
  readonly channel: string;
  readonly position: Position;
}
