import type { Envelope } from './envelope.ts';

/** A message that the server answers. */
export interface Message {
  readonly type: string;
  readonly version: string;
  readonly payload: unknown;
  /** W3C Trace Context, if the caller has one. */
  readonly traceparent?: string;
}

/** Puts messages into envelopes. */
export class Writer {
  readonly #source: string;
  readonly #prefix = randomPrefix();
  #count = 0;

  /** @param source stands in each of them */
  constructor(source = 'client') {
    this.#source = source;
  }

  /** @returns a `msgId` that no other message has */
  newId(): string {
    this.#count += 1;
    return `${this.#prefix}-${this.#count.toString(36)}`;
  }

  /**
   * @param message with what is known of its envelope
   * @returns the whole envelope
   */
  envelope(message: Partial<Envelope> & Message): Envelope {
    return { msgId: this.newId(), timestamp: Date.now(), source: this.#source, ...message };
  }
}

/** Random enough that no two clients have the same; `crypto.randomUUID` is not there on pages without TLS. */
function randomPrefix(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(3)), (part) => part.toString(36)).join('');
}
