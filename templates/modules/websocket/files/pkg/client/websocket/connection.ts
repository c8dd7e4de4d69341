import { type Envelope, subprotocol, tokenPrefix } from './envelope.ts';
import { Pace } from './pace.ts';

/** What a `WebSocket` of a browser, or of Node 22 and later, is used for. */
export type SocketClass = new (url: string, protocols: string[]) => WebSocket;

export interface ConnectionOptions {
  readonly url: string;
  readonly token: string | undefined;
  readonly socketClass: SocketClass;
  /** Milliseconds that connecting may take. */
  readonly timeoutMs: number;
  readonly opened: () => void;
  readonly received: (message: Envelope) => void;
  /** Called once, however it ends; 1006 when nobody has closed it. */
  readonly closed: (code: number, reason: string) => void;
  /** Asks whether the server is there. */
  readonly ping: () => void;
}

/** Nobody has closed it (RFC 6455, 7.4.1). */
const abnormal = 1006;

/** One connection, from the attempt to its end. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #socket: WebSocket;
  readonly #pace = new Pace((text) => this.#socket.send(text));
  readonly #timer: ReturnType<typeof setTimeout>;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  #isSilent = false;
  #isOver = false;

  /** @param options where to, and who hears of it */
  constructor(options: ConnectionOptions) {
    const { url, token, socketClass, timeoutMs } = options;
    this.#options = options;
    const protocols = token === undefined ? [subprotocol] : [subprotocol, `${tokenPrefix}${token}`];
    this.#socket = new socketClass(url, protocols);
    this.#timer = setTimeout(() => this.#end(abnormal, 'connecting took too long'), timeoutMs);
    this.#socket.addEventListener('open', () => {
      if (this.#isOver) return;
      clearTimeout(this.#timer);
      options.opened();
    });
    this.#socket.addEventListener('message', ({ data }) => {
      this.#isSilent = false;
      const message = parse(data);
      if (message !== undefined && !this.#isOver) options.received(message);
    });
    this.#socket.addEventListener('error', () => {});
    this.#socket.addEventListener('close', ({ code, reason }) => this.#end(code, reason));
  }

  /** @param text of a message */
  readonly send = (text: string): void => {
    if (this.#socket.readyState === this.#socket.OPEN) this.#pace.send(text);
  };

  /** @param perSecond how many messages the server lets through from now on */
  pace(perSecond: number): void {
    this.#pace.limit(perSecond);
  }

  /**
   * A browser tells its pages nothing of pings: a client that hears nothing for a while asks, and gives up when there is no answer.
   * @param everyMs milliseconds
   */
  watch(everyMs: number): void {
    this.#heartbeat = setInterval(() => {
      if (!this.#isSilent) {
        this.#isSilent = true;
        this.#options.ping();
      } else this.#end(abnormal, 'the server is silent');
    }, everyMs);
  }

  /** Ends it, from this side. */
  close(): void {
    this.#end(1000, 'closed');
  }

  /** Once: a close that is not answered is not waited for. */
  #end(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    clearInterval(this.#heartbeat);
    this.#pace.close();
    this.#socket.close();
    this.#options.closed(code, reason);
  }
}

/** What is no envelope is not the server we know. */
function parse(data: unknown): Envelope | undefined {
  if (typeof data !== 'string') return undefined;
  try {
    const parsed: unknown = JSON.parse(data);
    return isEnvelope(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isEnvelope(value: unknown): value is Envelope {
  return typeof value === 'object' && value !== null && 'msgId' in value && 'type' in value && 'payload' in value;
}
