import {
  type Envelope,
  type ErrorPayload,
  type Position,
  type Subscribed,
  closeCodes,
  control,
  controlVersion,
  isAfter,
  maxTopicLength,
  maxTopics,
  subprotocol,
  tokenPrefix,
} from './envelope.ts';

export * from './envelope.ts';

/** Maximum number of messages that are not answered, including those sent while offline. */
const maxWaiting = 1000;

/** `waiting`: between two attempts to connect. */
export type ConnectionState = 'connecting' | 'open' | 'waiting' | 'closed';

export interface ClientOptions {
  /** Such as `wss://orders.example.com/ws`. Put no token into it: URLs end up in logs. */
  readonly url: string;
  /** Gives a bearer token for each connection. It is sent as a subprotocol. */
  readonly token?: () => string | Promise<string>;
  /** `source` of its messages. Default: `client`. */
  readonly source?: string;
  /** Maximum of the first pause before a reconnect, which doubles with each failure, and of every pause. Default: 500 ms and 30 s. */
  readonly backoff?: { readonly baseMs: number; readonly maxMs: number };
  /** Milliseconds between two pings, and in which the server has to answer each, and a new connection. Default: 25,000. */
  readonly heartbeatMs?: number;
  readonly onState?: (state: ConnectionState) => void;
  /** Called when published messages are lost to this client: fetch the present state anew. */
  readonly onLost?: () => void;
  /** Called when there is no token, a listener fails, a topic is refused, or the server closes the connection and says why. */
  readonly onError?: (error: unknown) => void;
}

/** A message that the server acknowledges or answers. */
export type Message = Pick<Envelope, 'type' | 'version' | 'payload' | 'traceparent'>;

/** Handles a published message. */
export type Listener = (message: Envelope) => void | Promise<void>;

/** An error of the server, or one of this client: `queue_full`, `message_too_large`, `timeout`, `closed`. */
export class MessageError extends Error {
  override readonly name = 'MessageError';
  readonly code: string;
  /** Whether the same message may succeed later. */
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  /** @param payload code, message and details */
  constructor({ code, message, retryable, details }: ErrorPayload) {
    super(message);
    this.code = code;
    this.retryable = retryable;
    this.details = details;
  }
}

/** A message that waits for its answer. */
interface Waiting {
  readonly text: string;
  readonly settle: (answer: Envelope | MessageError) => void;
  /** The protocol's own messages belong to one connection. All others are sent again over the next one. */
  readonly isControl: boolean;
}

/**
 * A client of the service's WebSocket, for browsers and Node. It reconnects, subscribes again, gets what it missed, and sends again
 * what the server has not answered.
 */
export class Client {
  readonly #options: ClientOptions;
  readonly #heartbeatMs: number;
  #state: ConnectionState = 'closed';
  #socket: WebSocket | undefined;
  #failures = 0;
  /** The pause before the next attempt, or the timeout of this one. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  #hasReceived = false;
  /** By `msgId`, in the order sent. */
  readonly #waiting = new Map<string, Waiting>();
  /** By topic. */
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #pushed = new Set<Listener>();
  readonly #idPrefix = randomPrefix();
  #ids = 0;
  /** Position of the last published message that came. */
  #offset: string | undefined;

  /** @param options where to connect; it does not connect yet */
  constructor(options: ClientOptions) {
    this.#options = options;
    this.#heartbeatMs = options.heartbeatMs ?? 25_000;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Connects, and stays connected until `close`. */
  connect(): void {
    if (this.#state === 'closed') void this.#dial();
  }

  /** Disconnects for good: messages that are not answered fail. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#become('closed');
    clearTimeout(this.#timer);
    this.#lose(this.#socket);
    for (const msgId of this.#waiting.keys()) this.#settle(msgId, failure('closed', 'The client was closed.'));
  }

  /**
   * Sends a message and waits for the answer. While offline, the message waits. When the connection is lost, it is sent again with
   * the same `msgId`, so the server may handle it twice.
   * @param message to send
   * @param options `timeoutMs`: milliseconds to wait, by default 30,000
   * @returns the payload of the answer, once the server has handled the message
   * @throws {MessageError} the error of the server, or `timeout`, `queue_full`, `message_too_large`, `closed`
   */
  request(message: Message, { timeoutMs = 30_000 }: { readonly timeoutMs?: number } = {}): Promise<unknown> {
    if (this.#waiting.size >= maxWaiting)
      return Promise.reject(failure('queue_full', `${maxWaiting} messages wait already.`));
    return new Promise((resolve, reject) => {
      const msgId = this.#put({ ...message, direction: 'request', timeoutMs }, false, (answer) => {
        clearTimeout(timer);
        if (answer instanceof MessageError) reject(answer);
        else resolve(answer.payload);
      });
      const timer = setTimeout(() => {
        this.#settle(msgId, failure('timeout', `No answer within ${timeoutMs} ms.`));
      }, timeoutMs);
    });
  }

  /**
   * Listens to a topic, across reconnects.
   * @param topic its name
   * @param listener gets each message once, in order
   * @returns a function that stops listening
   * @throws {RangeError} when the name is empty or longer than 256 characters, or there are 128 topics
   */
  subscribe(topic: string, listener: Listener): () => void {
    if (topic === '' || topic.length > maxTopicLength)
      throw new RangeError(`The name of a topic has 1 to ${maxTopicLength} characters.`);
    const known = this.#listeners.get(topic);
    if (known === undefined && this.#listeners.size >= maxTopics)
      throw new RangeError(`A client has at most ${maxTopics} topics.`);
    const listeners = known ?? new Set();
    this.#listeners.set(topic, listeners.add(listener));
    if (known === undefined) this.#subscribe([topic]);
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0 || this.#listeners.get(topic) !== listeners) return;
      this.#listeners.delete(topic);
      this.#ask(control.unsubscribe, { topic });
    };
  }

  /**
   * Listens to what the server pushes to the subject of this client.
   * @param listener gets each message once, in order
   */
  onPushed(listener: Listener): void {
    this.#pushed.add(listener);
  }

  async #dial(): Promise<void> {
    this.#become('connecting');
    const { url, token, onError } = this.#options;
    try {
      const value = await token?.();
      // The client may be closed by now, or connected by another call of `connect`.
      if (!this.#isDialling) return;
      const socket = new WebSocket(url, value === undefined ? [subprotocol] : [subprotocol, `${tokenPrefix}${value}`]);
      this.#socket = socket;
      this.#timer = setTimeout(() => this.#lose(socket), this.#heartbeatMs);
      socket.addEventListener('open', () => this.#open(socket));
      socket.addEventListener('message', ({ data }) => {
        if (socket === this.#socket) this.#receive(String(data));
      });
      socket.addEventListener('error', () => {});
      socket.addEventListener('close', (event) => this.#lose(socket, event));
    } catch (error) {
      // There is no token, or it cannot be sent as a subprotocol, or the URL is not valid.
      onError?.(error);
      if (this.#isDialling) this.#wait();
    }
  }

  get #isDialling(): boolean {
    return this.#state === 'connecting' && this.#socket === undefined;
  }

  /** Subscribes to all topics from where it was, and sends what is not answered. */
  #open(socket: WebSocket): void {
    if (socket !== this.#socket) return;
    const unanswered = [...this.#waiting.values()];
    this.#subscribe([...this.#listeners.keys()], this.#offset, () => {
      clearTimeout(this.#timer);
      this.#failures = 0;
      // A browser does not show pings of the server to its pages.
      this.#heartbeat = setInterval(() => this.#beat(), this.#heartbeatMs);
      this.#become('open');
    });
    for (const { text } of unanswered) socket.send(text);
  }

  #beat(): void {
    if (!this.#hasReceived) {
      this.#lose(this.#socket);
      return;
    }
    this.#hasReceived = false;
    this.#ask(control.ping, {}, (answer) => this.#moveTo(payloadOf<Position>(answer).offset));
  }

  /** Called once for each socket. Does not wait for the answer to the close frame. */
  #lose(socket: WebSocket | undefined, end?: { readonly code: number; readonly reason: string }): void {
    if (socket === undefined || socket !== this.#socket) return;
    this.#socket = undefined;
    clearTimeout(this.#timer);
    clearInterval(this.#heartbeat);
    socket.close();
    for (const [msgId, { isControl }] of this.#waiting) if (isControl) this.#waiting.delete(msgId);
    if (end?.code === closeCodes.messageTooBig) this.#dropLargest();
    // A server that stops is no error.
    if (end !== undefined && end.reason !== '' && end.code !== closeCodes.goingAway)
      this.#options.onError?.(failure('closed', end.reason));
    if (this.#state !== 'closed') this.#wait();
  }

  /** The message that was too big would end every connection over which it is sent. */
  #dropLargest(): void {
    const [largest] = [...this.#waiting].toSorted(([, a], [, b]) => b.text.length - a.text.length);
    if (largest === undefined) return;
    const message = 'The server does not accept a message of this size.';
    this.#settle(largest[0], new MessageError({ code: 'message_too_large', message, retryable: false }));
  }

  /**
   * Exponential backoff with full jitter: clients that lost their connections together do not come back together
   * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
   */
  #wait(): void {
    this.#become('waiting');
    const { baseMs, maxMs } = this.#options.backoff ?? { baseMs: 500, maxMs: 30_000 };
    const delayMs = Math.random() * Math.min(maxMs, baseMs * 2 ** this.#failures);
    this.#failures += 1;
    this.#timer = setTimeout(() => void this.#dial(), delayMs);
  }

  #become(state: ConnectionState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onState?.(state);
  }

  #subscribe(topics: readonly string[], after?: string, subscribed?: () => void): void {
    this.#ask(control.subscribe, { topics, after }, (answer) => {
      const { offset, lost, refused } = payloadOf<Subscribed>(answer);
      if (lost) this.#offset = undefined;
      this.#moveTo(offset);
      subscribed?.();
      for (const [topic, error] of Object.entries(refused)) {
        if (this.#listeners.delete(topic)) this.#options.onError?.(new MessageError(error));
      }
      if (lost) this.#options.onLost?.();
    });
  }

  #receive(text: string): void {
    this.#hasReceived = true;
    const message = parse(text);
    const { type, topic, correlationId, offset } = message;
    if (correlationId !== undefined) {
      this.#settle(correlationId, type === control.error ? new MessageError(payloadOf(message)) : message);
    } else if (type === control.lost) {
      this.#offset = payloadOf<Position>(message).offset;
      this.#options.onLost?.();
    } else if (offset !== undefined && (this.#offset === undefined || isAfter(offset, this.#offset))) {
      this.#offset = offset;
      const listeners = topic === undefined ? this.#pushed : this.#listeners.get(topic);
      for (const listener of listeners ?? []) void this.#call(listener, message);
    }
  }

  async #call(listener: Listener, message: Envelope): Promise<void> {
    try {
      await listener(message);
    } catch (error) {
      this.#options.onError?.(error);
    }
  }

  /** Sends a message of the protocol, when there is a connection. */
  #ask(type: string, payload: unknown, answered: (answer: Envelope) => void = () => {}): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#put({ type, version: controlVersion, payload, direction: 'request' }, true, (answer) => {
      if (!(answer instanceof MessageError)) answered(answer);
      else if (this.#state !== 'closed') {
        this.#options.onError?.(answer);
        this.#lose(this.#socket);
      }
    });
  }

  #put(message: Message & Partial<Envelope>, isControl: boolean, settle: Waiting['settle']): string {
    this.#ids += 1;
    const msgId = `${this.#idPrefix}-${this.#ids.toString(36)}`;
    const source = this.#options.source ?? 'client';
    const text = JSON.stringify({ msgId, timestamp: Date.now(), source, ...message });
    this.#waiting.set(msgId, { text, settle, isControl });
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(text);
    return msgId;
  }

  #settle(msgId: string, answer: Envelope | MessageError): void {
    const waiting = this.#waiting.get(msgId);
    this.#waiting.delete(msgId);
    waiting?.settle(answer);
  }

  #moveTo(offset: string): void {
    if (this.#offset === undefined || isAfter(offset, this.#offset)) this.#offset = offset;
  }
}

/** A text that is not JSON is ignored. Otherwise the client trusts the server to keep to its own schemas. */
function parse(text: string): Envelope {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {}
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return Object(value) as Envelope;
}

function failure(code: string, message: string): MessageError {
  return new MessageError({ code, message, retryable: true });
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
function payloadOf<Payload>({ payload }: Envelope): Payload {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return payload as Payload;
}

/** `crypto.randomUUID` is missing on pages without TLS. */
function randomPrefix(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(3)), (part) => part.toString(36)).join('');
}
