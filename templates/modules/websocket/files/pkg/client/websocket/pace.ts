/** Milliseconds: a little more than the second by which the server counts. */
const turnMs = 1100;

/** Sends no more a second than the server lets through; what is more waits for its turn, in order. */
export class Pace {
  readonly #send: (text: string) => void;
  #waiting: string[] = [];
  #most = Infinity;
  /** In this turn. */
  #sent = 0;
  #turn: ReturnType<typeof setTimeout> | undefined;

  /** @param send takes a text when it is its turn */
  constructor(send: (text: string) => void) {
    this.#send = send;
  }

  /** @param perSecond how many the server lets through */
  limit(perSecond: number): void {
    this.#most = perSecond;
  }

  /** @param text of a message */
  send(text: string): void {
    if (this.#sent >= this.#most) {
      this.#waiting.push(text);
      return;
    }
    this.#sent += 1;
    this.#turn ??= setTimeout(() => this.#next(), turnMs);
    this.#send(text);
  }

  /** Lets go of what waits. */
  close(): void {
    clearTimeout(this.#turn);
    this.#waiting = [];
  }

  #next(): void {
    this.#turn = undefined;
    this.#sent = 0;
    for (const text of this.#waiting.splice(0)) this.send(text);
  }
}
