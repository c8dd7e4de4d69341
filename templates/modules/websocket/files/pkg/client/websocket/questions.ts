import type { Envelope } from './envelope.ts';

interface Waiting {
  readonly answered: (message: Envelope) => void;
  readonly failed: (reason: Error) => void;
}

/** What is asked over one connection, and ends with it: the protocol's own requests. */
export class Questions {
  readonly #waiting = new Map<string, Waiting>();

  /**
   * @param msgId of the question
   * @returns the answer
   * @throws what the server says; or that the connection has ended
   */
  wait(msgId: string): Promise<Envelope> {
    return new Promise((answered, failed) => this.#waiting.set(msgId, { answered, failed }));
  }

  /**
   * @param msgId of what was asked
   * @param answer to it
   * @returns whether it was asked here
   */
  settle(msgId: string, answer: Envelope | Error): boolean {
    const waiting = this.#waiting.get(msgId);
    if (waiting === undefined) return false;
    this.#waiting.delete(msgId);
    if (answer instanceof Error) waiting.failed(answer);
    else waiting.answered(answer);
    return true;
  }

  /** The connection has ended. */
  close(reason: Error): void {
    for (const msgId of this.#waiting.keys()) this.settle(msgId, reason);
  }
}
