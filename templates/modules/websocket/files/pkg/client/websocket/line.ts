import { backoffMs } from './backoff.ts';
import { Connection } from './connection.ts';
import { type Envelope, closeCodes } from './envelope.ts';
import { MessageError } from './errors.ts';
import type { ClientOptions, State } from './options.ts';

const defaults = { connectTimeoutMs: 10_000, backoff: { baseMs: 500, maxMs: 30_000 } };

/** Who hears of a line. */
export interface LineEvents {
  /** There is a connection; `established` is due once the server has granted it. */
  readonly opened: () => void;
  readonly received: (message: Envelope) => void;
  /** Asks whether the server is there. */
  readonly ping: () => void;
  /** The connection is gone. */
  readonly lost: (reason: MessageError) => void;
  /** There will be no other. */
  readonly ended: (reason: MessageError) => void;
}

/** One connection after another: when one is lost, the next, until the line is closed. */
export class Line {
  readonly #options: ClientOptions;
  readonly #events: LineEvents;
  #state: State = 'closed';
  #connection: Connection | undefined;
  /** The attempt to connect that counts: one whose token comes after the line was closed does not. */
  #present: symbol | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;

  /**
   * @param options where to
   * @param events who hears of it
   */
  constructor(options: ClientOptions, events: LineEvents) {
    this.#options = options;
    this.#events = events;
  }

  get state(): State {
    return this.#state;
  }

  /** Connects, and stays connected until `close`. */
  connect(): void {
    if (this.#state === 'closed') void this.#connect();
  }

  /** The server has granted the connection: the next one that is lost is the first. */
  established(): void {
    this.#attempt = 0;
    this.#become('open');
  }

  /**
   * Gives the connection up when the server is silent.
   * @param everyMs milliseconds after which it is asked whether it is there
   */
  watch(everyMs: number): void {
    this.#connection?.watch(everyMs);
  }

  /** @param perSecond how many messages the server lets through: more wait for their turn */
  pace(perSecond: number): void {
    this.#connection?.pace(perSecond);
  }

  /** @param text of a message; without a connection it goes nowhere */
  readonly send = (text: string): void => {
    this.#connection?.send(text);
  };

  /** Gives this connection up for the next. */
  drop(): void {
    this.#connection?.close();
  }

  /** Disconnects for good. */
  close(): void {
    this.#end(closed('The client was closed.'));
  }

  async #connect(): Promise<void> {
    this.#become('connecting');
    const { url, token, webSocket = WebSocket, connectTimeoutMs = defaults.connectTimeoutMs } = this.#options;
    const attempt = Symbol('attempt');
    this.#present = attempt;
    try {
      const value = await token?.();
      if (this.#present !== attempt) return;
      this.#connection = new Connection({
        url,
        token: value,
        socketClass: webSocket,
        timeoutMs: connectTimeoutMs,
        opened: this.#events.opened,
        received: this.#events.received,
        closed: (code, reason) => this.#lost(code, reason),
        ping: this.#events.ping,
      });
    } catch (error) {
      // There is no token, or none that can travel as a subprotocol, or no such URL.
      this.#options.onError?.(error);
      if (this.#present === attempt) this.#wait();
    }
  }

  #lost(code: number, reason: string): void {
    this.#connection = undefined;
    this.#events.lost(closed(reason));
    if (this.#state === 'closed') return;
    if (code === closeCodes.replaced) this.#end(closed('Another connection has taken the session over.'));
    else this.#wait();
  }

  #wait(): void {
    this.#become('waiting');
    const delay = backoffMs(this.#attempt, this.#options.backoff ?? defaults.backoff);
    this.#attempt += 1;
    this.#retry = setTimeout(() => void this.#connect(), delay);
  }

  #end(reason: MessageError): void {
    if (this.#state === 'closed') return;
    this.#become('closed');
    this.#present = undefined;
    clearTimeout(this.#retry);
    this.#connection?.close();
    this.#events.ended(reason);
  }

  #become(state: State): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onState?.(state);
  }
}

function closed(message: string): MessageError {
  return new MessageError({ code: 'closed', message, retryable: true });
}
