import { write, writeSync } from 'node:fs';

/** Characters that wait for a reader at most; what comes beyond is lost. */
const mostWaiting = 4 * 1024 * 1024;
/** Bytes of one write: one that ends shows that the reader still reads. */
const mostAtOnce = 64 * 1024;
/** Milliseconds until a pipe that takes no more is tried again. */
const retryAfter = 10;
/** Milliseconds that an exit nobody announced may be held up by what is still to be written. */
const exitTimeout = 1000;

/**
 * Writes lines to a file descriptor without ever waiting for it. While one write is under way, lines gather for the next.
 * What a full disk or a broken pipe does not take is lost and counted, and so is what comes while a reader that stands still
 * has 4 MiB to read: a service must not end, or stand still, because its log does.
 *
 * In place of pino's own destination: that waits for the reader or, told not to, tries for ever to write its last lines to a
 * disk that is full, and gives no way to know when all is written.
 */
export class Output {
  readonly #fd: number;
  readonly #onLost: (lines: number) => void;
  #waiting = '';
  #writing = false;
  /** What comes right after the write under way. */
  #unsent: Buffer = Buffer.alloc(0);
  #onIdle: (() => void)[] = [];
  readonly #patience = new Set<NodeJS.Timeout>();

  /**
   * @param fd file descriptor, 1 for standard output
   * @param onLost hears how many lines could not be written
   */
  constructor(fd: number, onLost: (lines: number) => void) {
    this.#fd = fd;
    this.#onLost = onLost;
    // For a process.exit that has not flushed. What is being written at that moment is, beside this.
    process.on('exit', () => this.#writeNow());
  }

  /** @param line with its line feed */
  write(line: string): void {
    if (this.#waiting.length + line.length > mostWaiting) {
      this.#onLost(1);
      return;
    }
    this.#waiting += line;
    if (!this.#writing) this.#next();
  }

  /**
   * @param ms milliseconds to wait for a reader that takes nothing; one that is slow is waited for
   * @returns whether everything has been written, or has been given up as lost; false means that a write is stuck
   */
  async flush(ms: number): Promise<boolean> {
    if (!this.#writing) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#onIdle.push(() => resolve(true));
    const timer = setTimeout(resolve, ms, false);
    this.#patience.add(timer);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#patience.delete(timer);
    }
  }

  #next(): void {
    this.#writing = this.#waiting !== '';
    if (this.#writing) {
      const lines = Buffer.from(this.#waiting);
      this.#waiting = '';
      this.#send(lines);
      return;
    }
    for (const idle of this.#onIdle.splice(0)) idle();
  }

  #send(lines: Buffer): void {
    this.#unsent = lines.subarray(mostAtOnce);
    write(this.#fd, lines, 0, Math.min(lines.length, mostAtOnce), (error, written) => {
      if (error?.code === 'EAGAIN') this.#sendLater(lines);
      else if (error === null) this.#sent(lines.subarray(written));
      else {
        this.#onLost(linesIn(lines));
        this.#unsent = Buffer.alloc(0);
        this.#next();
      }
    });
  }

  #sent(rest: Buffer): void {
    for (const timer of this.#patience) timer.refresh();
    if (rest.length > 0) this.#send(rest);
    else this.#next();
  }

  #sendLater(lines: Buffer): void {
    this.#unsent = lines;
    setTimeout(() => this.#send(lines), retryAfter);
  }

  #writeNow(): void {
    let rest = Buffer.concat([this.#unsent, Buffer.from(this.#waiting)]);
    const end = performance.now() + exitTimeout;
    while (rest.length > 0 && performance.now() < end) {
      try {
        rest = rest.subarray(writeSync(this.#fd, rest));
      } catch (error) {
        // The process ends, and there is nowhere left to say what else is wrong.
        if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) return;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryAfter);
      }
    }
  }
}

function linesIn(bytes: Buffer): number {
  return bytes.filter((byte) => byte === 0x0a).length;
}
