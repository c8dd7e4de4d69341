import { type Envelope, MessageError, type Opened } from './envelope.ts';

interface Entry {
  readonly text: string;
  readonly resolve: (answer: Envelope) => void;
  readonly reject: (reason: Error) => void;
  /** Whether it was sent over the present connection. */
  isSent: boolean;
}

const utf8 = new TextEncoder();

/**
 * Keeps messages in order until the server answers them. After a reconnect it sends them again. At most a window of them is on its
 * way at a time: the server recognises as many repetitions.
 */
export class Outbox {
  readonly #limit: number;
  readonly #entries = new Map<string, Entry>();
  #window = 0;
  #messageLimit = Infinity;
  #send: ((text: string) => void) | undefined;

  /** @param limit maximum number of messages that wait */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Number of messages that the server has not answered. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Sends a message when there is a connection.
   * @param msgId of the message
   * @param text of the message
   * @returns the answer or acknowledgement of the server
   * @throws {MessageError} `queue_full`, `message_too_large`, or the error of the server
   */
  add(msgId: string, text: string): Promise<Envelope> {
    if (this.#entries.size >= this.#limit) {
      const message = `${this.#limit} messages wait already.`;
      return Promise.reject(new MessageError({ code: 'queue_full', message, retryable: true }));
    }
    return new Promise((resolve, reject) => {
      this.#entries.set(msgId, { text, resolve, reject, isSent: false });
      this.#rejectTooLarge(msgId, text);
      this.#pump();
    });
  }

  /**
   * Ends the wait for an answer.
   * @param msgId of the message
   * @param answer to it, or why it failed
   */
  settle(msgId: string, answer: Envelope | Error): void {
    const entry = this.#entries.get(msgId);
    if (entry === undefined) return;
    this.#entries.delete(msgId);
    if (answer instanceof Error) entry.reject(answer);
    else entry.resolve(answer);
    this.#pump();
  }

  /**
   * Begins to send over a new connection.
   * @param opened limits of the server
   * @param send sends a text
   */
  attach({ window, messageLimit }: Opened, send: (text: string) => void): void {
    this.detach();
    this.#window = window;
    this.#messageLimit = messageLimit;
    for (const [msgId, { text }] of this.#entries) this.#rejectTooLarge(msgId, text);
    this.#send = send;
    this.#pump();
  }

  /** Stops sending until the next connection. */
  detach(): void {
    this.#send = undefined;
    for (const entry of this.#entries.values()) entry.isSent = false;
  }

  /**
   * Fails all messages that wait.
   * @param reason why
   */
  close(reason: Error): void {
    for (const msgId of this.#entries.keys()) this.settle(msgId, reason);
  }

  /** A message that is too large would end every connection over which it is sent. */
  #rejectTooLarge(msgId: string, text: string): void {
    if (utf8.encode(text).length <= this.#messageLimit) return;
    const message = `The server takes messages of at most ${this.#messageLimit} bytes.`;
    this.settle(msgId, new MessageError({ code: 'message_too_large', message, retryable: false }));
  }

  #pump(): void {
    if (this.#send === undefined) return;
    let position = 0;
    for (const entry of this.#entries.values()) {
      position += 1;
      if (position > this.#window) return;
      if (entry.isSent) continue;
      entry.isSent = true;
      this.#send(entry.text);
    }
  }
}
