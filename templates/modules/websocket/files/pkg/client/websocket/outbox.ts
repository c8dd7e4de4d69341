import type { Envelope, Opened } from './envelope.ts';
import { MessageError } from './errors.ts';

interface Entry {
  readonly text: string;
  readonly settled: (answer: Envelope | undefined) => void;
  readonly failed: (reason: Error) => void;
  /** Whether it was sent over the connection that there is now. */
  isSent: boolean;
}

const utf8 = new TextEncoder();

/**
 * What the server has not acknowledged: kept in order, sent again after a reconnect. Offline, it is the queue. At most a window of
 * it is under way at a time: the server recognises the repetition of as many.
 */
export class Outbox {
  readonly #limit: number;
  readonly #entries = new Map<string, Entry>();
  #underWay = 0;
  #window = 0;
  /** Of the server that was there last: a larger message would end every connection it is sent over. */
  #messageLimit = Infinity;
  #send: ((text: string) => void) | undefined;

  /** @param limit how many messages may wait */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many wait to be acknowledged. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * @param msgId of the message
   * @param text of it
   * @returns once it is acknowledged: the answer, if there is one
   * @throws {MessageError} `queue_full`, when too many wait already; `message_too_large`; or what the server says
   */
  add(msgId: string, text: string): Promise<Envelope | undefined> {
    if (this.#entries.size >= this.#limit) {
      return Promise.reject(
        new MessageError({ code: 'queue_full', message: `${this.#limit} messages wait already.`, retryable: true }),
      );
    }
    return new Promise((settled, failed) => {
      this.#entries.set(msgId, { text, settled, failed, isSent: false });
      this.#refuseTooLarge(msgId, text);
      this.#pump();
    });
  }

  /** @param msgId of a message that was acknowledged, and its answer, if there is one */
  settle(msgId: string, answer?: Envelope): void {
    this.#take(msgId)?.settled(answer);
  }

  /** @param msgId of a message that has failed, and why */
  fail(msgId: string, reason: Error): void {
    this.#take(msgId)?.failed(reason);
  }

  /**
   * There is a connection: sends what waits, first what was sent before.
   * @param limits how many may be under way, and how large each may be
   * @param send takes a text
   */
  attach(
    { window, messageLimit = Infinity }: Pick<Opened, 'window' | 'messageLimit'>,
    send: (text: string) => void,
  ): void {
    this.detach();
    this.#window = window;
    this.#messageLimit = messageLimit;
    for (const [msgId, { text }] of this.#entries) this.#refuseTooLarge(msgId, text);
    this.#send = send;
    this.#pump();
  }

  /** The connection is gone: what was under way is to be sent again. */
  detach(): void {
    this.#send = undefined;
    this.#underWay = 0;
    for (const entry of this.#entries.values()) entry.isSent = false;
  }

  /** Gives all of it up. */
  close(reason: Error): void {
    for (const msgId of this.#entries.keys()) this.fail(msgId, reason);
  }

  #refuseTooLarge(msgId: string, text: string): void {
    if (utf8.encode(text).length <= this.#messageLimit) return;
    const message = `The server takes no message of more than ${this.#messageLimit} bytes.`;
    this.fail(msgId, new MessageError({ code: 'message_too_large', message, retryable: false }));
  }

  #take(msgId: string): Entry | undefined {
    const entry = this.#entries.get(msgId);
    if (entry === undefined) return undefined;
    this.#entries.delete(msgId);
    if (entry.isSent) this.#underWay -= 1;
    this.#pump();
    return entry;
  }

  #pump(): void {
    if (this.#send === undefined) return;
    // In order: what is sent comes before what is not.
    for (const entry of this.#entries.values()) {
      if (this.#underWay >= this.#window) return;
      if (entry.isSent) continue;
      entry.isSent = true;
      this.#underWay += 1;
      this.#send(entry.text);
    }
  }
}
