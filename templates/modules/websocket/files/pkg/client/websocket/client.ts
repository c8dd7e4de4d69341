import { type BackoffOptions, backoffMs } from './backoff.ts';
import { Connection, type SocketClass } from './connection.ts';
import {
  type Envelope,
  type ErrorPayload,
  type Opened,
  type Position,
  closeCodes,
  control,
  controlVersion,
} from './envelope.ts';
import { MessageError } from './errors.ts';
import { Outbox } from './outbox.ts';
import { Questions } from './questions.ts';
import { type Gap, type Listener, Subscriptions } from './subscriptions.ts';

export interface ClientOptions {
  /** `wss://orders.example.com/ws`; without a token in it: URLs end up in logs. */
  readonly url: string;
  /** Gives a bearer token, anew for each connection. It travels as a subprotocol. */
  readonly token?: () => string | Promise<string>;
  /** Stands in the messages as `source`. */
  readonly source?: string;
  /** How many messages may wait to be acknowledged, those sent while offline included; 1000 unless told. */
  readonly queueLimit?: number;
  /** Half a second at first, half a minute at most, unless told. */
  readonly backoff?: BackoffOptions;
  /** Milliseconds that connecting may take; 10,000 unless told. */
  readonly connectTimeoutMs?: number;
  /** `positions()` of an earlier client, to go on from. */
  readonly positions?: Readonly<Record<string, string>>;
  /** That of the browser, or of Node, unless told. */
  readonly webSocket?: SocketClass;
  /** The connection has come or gone. */
  readonly onState?: (state: State) => void;
  /** Messages were lost to this client: it was away for too long, or reads too slowly. */
  readonly onGap?: (gap: Gap) => void;
  /** A listener has failed, a channel is not granted, or the server says why it closes. */
  readonly onError?: (error: unknown) => void;
}

/** `waiting`: between two attempts to connect. */
export type State = 'connecting' | 'open' | 'waiting' | 'closed';

/** A message that the server answers. */
export interface Message {
  readonly type: string;
  readonly version: string;
  readonly payload: unknown;
  /** W3C Trace Context, if the caller has one. */
  readonly traceparent?: string;
}

/** Answers what the server asks. */
export type Responder = (payload: unknown, message: Envelope) => unknown;

const defaults = { queueLimit: 1000, connectTimeoutMs: 10_000, backoff: { baseMs: 500, maxMs: 30_000 } };
/** Milliseconds that an answer may take, unless told. */
const defaultTimeoutMs = 30_000;

/**
 * A client of the service's WebSocket, for browsers and for Node: it comes back when the connection is lost, subscribes again from
 * where it was, and sends again what the server has not acknowledged.
 */
export class Client {
  readonly #options: ClientOptions;
  readonly #outbox: Outbox;
  readonly #subscriptions: Subscriptions;
  readonly #questions = new Questions();
  readonly #responders = new Map<string, Responder>();
  readonly #prefix = randomPrefix();
  #count = 0;
  #state: State = 'closed';
  #connection: Connection | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #sessionId: string | undefined;

  /** @param options where to, and who hears what; it does not connect yet */
  constructor(options: ClientOptions) {
    this.#options = options;
    this.#outbox = new Outbox(options.queueLimit ?? defaults.queueLimit);
    this.#subscriptions = new Subscriptions(
      {
        gap: (gap) => options.onGap?.(gap),
        failed: (error) => options.onError?.(error),
        ask: (channel, after) => void this.#ask(channel, after),
      },
      options.positions,
    );
  }

  get state(): State {
    return this.#state;
  }

  /** How many messages the server has not acknowledged. */
  get unacknowledged(): number {
    return this.#outbox.size;
  }

  /** Connects, and stays connected until `close`. */
  connect(): void {
    if (this.#state !== 'closed') return;
    void this.#connect();
  }

  /** Disconnects for good: what is not acknowledged fails. */
  close(): void {
    this.#give(closed('The client was closed.'));
  }

  /**
   * Sends a message that is acknowledged once it was handled. Offline, it waits. If the server is restarted meanwhile it may be
   * handled twice, each time with the same `msgId`.
   * @param message to send
   * @returns once it is acknowledged
   * @throws {MessageError} what the server says, or `queue_full`, or `closed`
   */
  async send(message: Message): Promise<void> {
    await this.#put(message, {});
  }

  /**
   * Sends a message that is answered.
   * @param message to send
   * @param options `timeoutMs`: milliseconds to wait, 30,000 unless told; `msgId`: the same as over another way, see docs
   * @returns the payload of the answer
   * @throws {MessageError} what the server says, or `timeout`, `queue_full`, `closed`
   */
  async request(
    message: Message,
    options: { readonly timeoutMs?: number; readonly msgId?: string } = {},
  ): Promise<unknown> {
    const { timeoutMs = defaultTimeoutMs, msgId = this.#newId() } = options;
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
   */
  subscribe(topic: string, listener: Listener): () => void {
    const channel = `topic:${encodeURIComponent(topic).replaceAll('%2F', '/').replaceAll('%3A', ':')}`;
    if (this.#subscriptions.add(channel, listener) && this.#state === 'open') void this.#ask(channel, undefined);
    return () => {
      if (!this.#subscriptions.remove(channel, listener) || this.#state !== 'open') return;
      this.#sendNow({ type: control.unsubscribe, version: controlVersion, payload: { channel } });
    };
  }

  /**
   * Listens to what the server pushes to this client in particular: to its subject, or to its tags.
   * @param listener gets each message once, in order of its channel
   */
  onPushed(listener: Listener): void {
    this.#subscriptions.addOther(listener);
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

  async #connect(): Promise<void> {
    this.#become('connecting');
    const { url, token, webSocket = WebSocket, connectTimeoutMs = defaults.connectTimeoutMs } = this.#options;
    let value: string | undefined;
    try {
      value = await token?.();
    } catch (error) {
      this.#options.onError?.(error);
      this.#wait();
      return;
    }
    if (this.state !== 'connecting') return;
    this.#connection = new Connection({
      url,
      token: value,
      socketClass: webSocket,
      timeoutMs: connectTimeoutMs,
      opened: () => void this.#open(),
      received: (message) => this.#receive(message),
      closed: (code, reason) => this.#closed(code, reason),
      ping: () => void this.#sendNow({ type: control.ping, version: controlVersion, payload: {} }),
    });
  }

  /** The first message says who this was, and where it stopped. */
  async #open(): Promise<void> {
    const payload = {
      ...(this.#sessionId !== undefined && { sessionId: this.#sessionId }),
      channels: this.#subscriptions.resumeFrom(),
    };
    try {
      const opened = await this.#control<Opened>(control.open, payload);
      this.#sessionId = opened.sessionId;
      this.#attempt = 0;
      this.#become('open');
      for (const [channel, state] of Object.entries(opened.channels)) {
        if ('code' in state) this.#subscriptions.refused(channel, new MessageError(state));
        else this.#subscriptions.joined(channel, state);
      }
      // What was asked for meanwhile.
      for (const [channel, seen] of Object.entries(this.#subscriptions.resumeFrom())) {
        if (!(channel in payload.channels)) void this.#ask(channel, seen ?? undefined);
      }
      this.#connection?.watch(opened.heartbeatMs);
      this.#outbox.attach(opened.window, (text) => this.#connection?.send(text));
    } catch (error) {
      this.#options.onError?.(error);
      this.#connection?.close();
    }
  }

  /** Asks for what comes after a position; the server answers when it has sent that. */
  async #ask(channel: string, after: string | undefined): Promise<void> {
    try {
      const payload = { channel, ...(after !== undefined && { after }) };
      this.#subscriptions.joined(channel, await this.#control<Position>(control.subscribe, payload));
    } catch (error) {
      // Without a connection it is asked for again when there is one.
      if (error instanceof MessageError && error.code !== 'closed') this.#subscriptions.refused(channel, error);
    }
  }

  #receive(message: Envelope): void {
    const { type, correlationId, direction } = message;
    if (direction === 'response') this.#answered(message);
    else if (direction === 'request') void this.#respond(message);
    else if (message.channel !== undefined) this.#subscriptions.receive(message);
    else if (type === control.ack) for (const msgId of payloadOf<Acked>(message).msgIds) this.#outbox.settle(msgId);
    else if (type === control.joined) this.#joined(payloadOf<Joined>(message));
    else if (type === control.error && correlationId === undefined) {
      this.#options.onError?.(new MessageError(payloadOf<ErrorPayload>(message)));
    }
  }

  #joined({ channel, position }: Joined): void {
    this.#subscriptions.joined(channel, position);
  }

  #answered(message: Envelope): void {
    const { type, correlationId } = message;
    const failure = type === control.error ? new MessageError(payloadOf<ErrorPayload>(message)) : undefined;
    if (correlationId === undefined) this.#options.onError?.(failure);
    else if (this.#questions.settle(correlationId, failure ?? message)) return;
    else if (failure === undefined) this.#outbox.settle(correlationId, message);
    else this.#outbox.fail(correlationId, failure);
  }

  async #respond(message: Envelope): Promise<void> {
    const { type, version, msgId: correlationId, payload } = message;
    const answer = { version, correlationId, direction: 'response' } as const;
    const responder = this.#responders.get(type);
    try {
      if (responder === undefined) throw new MessageError({ code: 'unknown_type', message: type, retryable: false });
      this.#sendNow({ ...answer, type, payload: await responder(payload, message) });
    } catch (error) {
      const { code = 'internal', retryable = false } = error instanceof MessageError ? error : {};
      const told: ErrorPayload = { code, message: error instanceof Error ? error.message : 'It failed.', retryable };
      this.#sendNow({ ...answer, type: control.error, version: controlVersion, payload: told });
    }
  }

  #put(message: Message, more: Partial<Envelope>): Promise<Envelope | undefined> {
    const envelope = this.#envelope({ ...message, ...more });
    return this.#outbox.add(envelope.msgId, JSON.stringify(envelope));
  }

  /** Past the outbox: what has no meaning on another connection. */
  #sendNow(message: Partial<Envelope> & Message): string {
    const envelope = this.#envelope(message);
    this.#connection?.send(JSON.stringify(envelope));
    return envelope.msgId;
  }

  /** Asks in the protocol's own words; the server is the one that defines what it answers. */
  async #control<Answer>(type: string, payload: unknown): Promise<Answer> {
    const msgId = this.#newId();
    const answer = this.#questions.wait(msgId);
    this.#sendNow({ msgId, type, version: controlVersion, payload, direction: 'request' });
    return payloadOf<Answer>(await answer);
  }

  #envelope(message: Partial<Envelope> & Message): Envelope {
    return { msgId: this.#newId(), timestamp: Date.now(), source: this.#options.source ?? 'client', ...message };
  }

  #newId(): string {
    this.#count += 1;
    return `${this.#prefix}-${this.#count.toString(36)}`;
  }

  #closed(code: number, reason: string): void {
    this.#connection = undefined;
    this.#outbox.detach();
    this.#questions.close(closed(reason));
    if (this.#state === 'closed') return;
    if (code === closeCodes.replaced) this.#give(closed('Another connection has taken the session over.'));
    else this.#wait();
  }

  #wait(): void {
    this.#become('waiting');
    const delay = backoffMs(this.#attempt, this.#options.backoff ?? defaults.backoff);
    this.#attempt += 1;
    this.#retry = setTimeout(() => void this.#connect(), delay);
  }

  #give(reason: MessageError): void {
    if (this.#state === 'closed') return;
    this.#become('closed');
    clearTimeout(this.#retry);
    this.#connection?.close();
    this.#outbox.close(reason);
  }

  #become(state: State): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onState?.(state);
  }
}

interface Acked {
  readonly msgIds: readonly string[];
}

interface Joined {
  readonly channel: string;
  readonly position: Position;
}

/** The server is trusted to keep to its own schemas: `api/websocket.json`. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
function payloadOf<Payload>({ payload }: Envelope): Payload {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return payload as Payload;
}

function closed(message: string): MessageError {
  return new MessageError({ code: 'closed', message, retryable: true });
}

/** Random enough that no two clients have the same; `crypto.randomUUID` is not there on pages without TLS. */
function randomPrefix(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(3)), (part) => part.toString(36)).join('');
}
