import { type Envelope, MessageError, type Opened, closeCodes, subprotocol, tokenPrefix } from './envelope.ts';

/** What is used of the `WebSocket` of a browser, or of Node 22 and later. */
export type SocketClass = new (url: string, protocols: string[]) => WebSocket;

/** `waiting`: between two attempts to connect. */
export type ConnectionState = 'connecting' | 'open' | 'waiting' | 'closed';

export interface BackoffOptions {
  /** Maximum of the first pause in milliseconds. The maximum doubles with every failure. */
  readonly baseMs: number;
  /** Maximum of every pause in milliseconds. */
  readonly maxMs: number;
}

export interface ConnectionOptions {
  /** Such as `wss://orders.example.com/ws`. Put no token into it: URLs end up in logs. */
  readonly url: string;
  /** Gives a bearer token for each connection. It is sent as a subprotocol. */
  readonly token?: () => string | Promise<string>;
  /** Default: 500 ms at first, 30 s at most. */
  readonly backoff?: BackoffOptions;
  /** Milliseconds until the server has opened the session. Default: 10,000. */
  readonly connectTimeoutMs?: number;
  /** Default: the global `WebSocket`. */
  readonly webSocket?: SocketClass;
  readonly onState?: (state: ConnectionState) => void;
  /** Called when there is no token, a listener fails, a topic is refused, or the server says why it closes the connection. */
  readonly onError?: (error: unknown) => void;
}

export interface ConnectionEvents {
  /** There is a connection. Call `established` when the server has opened the session. */
  readonly opened: () => void;
  readonly received: (message: Envelope) => void;
  /** Called every `heartbeatMs`: the server has to answer before the next one. */
  readonly ping: () => void;
  /** The connection is lost. */
  readonly lost: () => void;
  /** The connection is closed for good. */
  readonly closed: (reason: MessageError) => void;
}

/**
 * Exponential backoff with full jitter: clients that lost their connections together do not come back together
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 * @param failures number of failed attempts so far
 * @param options limits
 * @param random number from 0 to 1
 * @returns milliseconds to wait
 */
export function backoffMs(failures: number, { baseMs, maxMs }: BackoffOptions, random = Math.random()): number {
  return random * Math.min(maxMs, baseMs * 2 ** failures);
}

/** Close code when no close frame came (RFC 6455, 7.4.1). */
const abnormal = 1006;
/** Milliseconds in which `messagesPerSecond` are sent: a little more than the second by which the server counts. */
const turnMs = 1100;

/** Keeps a connection: when one is lost, it opens another one, until it is closed. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  #state: ConnectionState = 'closed';
  #socket: WebSocket | undefined;
  /** The present attempt: an attempt whose token comes after `close` is dropped. */
  #attempt: symbol | undefined;
  #failures = 0;
  /** The pause before the next attempt, or the timeout of this one. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  #hasReceived = false;
  readonly #queue: string[] = [];
  #perTurn = Infinity;
  #sentInTurn = 0;
  #turn: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param options where to connect
   * @param events called when something happens
   */
  constructor(options: ConnectionOptions, events: ConnectionEvents) {
    this.#options = options;
    this.#events = events;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Connects, and stays connected until `close`. */
  connect(): void {
    if (this.#state === 'closed') void this.#dial();
  }

  /**
   * The server has opened the session.
   * @param opened its limits
   */
  established({ heartbeatMs, messagesPerSecond }: Opened): void {
    clearTimeout(this.#timer);
    this.#failures = 0;
    this.#perTurn = messagesPerSecond;
    // A browser does not show pings of the server to its pages.
    this.#heartbeat = setInterval(() => {
      if (!this.#hasReceived) {
        this.drop();
        return;
      }
      this.#hasReceived = false;
      this.#events.ping();
    }, heartbeatMs);
    this.#become('open');
  }

  /**
   * Sends a message, no faster than the server allows. Without a connection the message is dropped.
   * @param text of the message
   */
  readonly send = (text: string): void => {
    if (this.#socket === undefined) return;
    this.#queue.push(text);
    this.#flush();
  };

  /** Gives the present connection up, and opens another one. */
  drop(): void {
    if (this.#socket !== undefined) this.#lose(this.#socket, abnormal);
  }

  /**
   * Disconnects for good.
   * @param message why, for what still waits
   */
  close(message = 'The client was closed.'): void {
    if (this.#state === 'closed') return;
    this.#become('closed');
    this.#attempt = undefined;
    clearTimeout(this.#timer);
    if (this.#socket !== undefined) this.#lose(this.#socket, abnormal);
    this.#events.closed(new MessageError({ code: 'closed', message, retryable: true }));
  }

  async #dial(): Promise<void> {
    this.#become('connecting');
    const { url, token, webSocket = WebSocket, connectTimeoutMs = 10_000 } = this.#options;
    const attempt = Symbol('attempt');
    this.#attempt = attempt;
    try {
      const value = await token?.();
      if (this.#attempt !== attempt) return;
      const socket = new webSocket(url, value === undefined ? [subprotocol] : [subprotocol, `${tokenPrefix}${value}`]);
      this.#socket = socket;
      this.#timer = setTimeout(() => this.#lose(socket, abnormal), connectTimeoutMs);
      this.#listen(socket);
    } catch (error) {
      // There is no token, or it cannot be sent as a subprotocol, or the URL is not valid.
      this.#options.onError?.(error);
      if (this.#attempt === attempt) this.#wait();
    }
  }

  #listen(socket: WebSocket): void {
    socket.addEventListener('open', () => {
      if (socket === this.#socket) this.#events.opened();
    });
    socket.addEventListener('message', ({ data }) => {
      if (socket !== this.#socket) return;
      this.#hasReceived = true;
      const message = parse(data);
      if (message !== undefined) this.#events.received(message);
    });
    socket.addEventListener('error', () => {});
    socket.addEventListener('close', ({ code }) => this.#lose(socket, code));
  }

  /** Called once for each socket. Does not wait for the answer to the close frame. */
  #lose(socket: WebSocket, code: number): void {
    if (socket !== this.#socket) return;
    this.#socket = undefined;
    for (const timer of [this.#timer, this.#heartbeat, this.#turn]) clearTimeout(timer);
    this.#turn = undefined;
    this.#queue.length = 0;
    this.#sentInTurn = 0;
    this.#perTurn = Infinity;
    socket.close();
    this.#events.lost();
    if (this.#state === 'closed') return;
    if (code === closeCodes.replaced) this.close('Another connection has taken the session over.');
    else this.#wait();
  }

  #wait(): void {
    this.#become('waiting');
    const delay = backoffMs(this.#failures, this.#options.backoff ?? { baseMs: 500, maxMs: 30_000 });
    this.#failures += 1;
    this.#timer = setTimeout(() => void this.#dial(), delay);
  }

  #flush(): void {
    while (this.#queue.length > 0 && this.#sentInTurn < this.#perTurn) {
      this.#sentInTurn += 1;
      this.#socket?.send(this.#queue.shift() ?? '');
    }
    this.#turn ??= setTimeout(() => {
      this.#turn = undefined;
      this.#sentInTurn = 0;
      if (this.#queue.length > 0) this.#flush();
    }, turnMs);
  }

  #become(state: ConnectionState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onState?.(state);
  }
}

/** Messages that are not an envelope are ignored. */
function parse(data: unknown): Envelope | undefined {
  try {
    const parsed: unknown = JSON.parse(String(data));
    return isEnvelope(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isEnvelope(value: unknown): value is Envelope {
  return typeof value === 'object' && value !== null && 'msgId' in value && 'type' in value && 'payload' in value;
}
