import { write, writeSync } from 'node:fs';

/** Max characters that wait to be written; further lines are lost. */
const maxWaiting = 4 * 1024 * 1024;
/** Bytes of one write. A completed write shows that the reader still reads. */
const maxWrite = 64 * 1024;
/** Milliseconds until a write to a full pipe is tried again. */
const retryAfter = 10;
/** Milliseconds that follow a write, in which lines gather for the next one. A quiet service does not wait. */
const gatherFor = 5;
/** Milliseconds that an exit without `flush` may wait for the last lines. */
const exitTimeout = 1000;

/**
 * Writes lines to a file descriptor and never waits for it. Lines gather while a write is under way, and for some
 * milliseconds after it. Lines that a full disk, a broken pipe or a reader with 4 MiB of backlog does not take are lost and counted:
 * the service goes on without its log.
 *
 * pino's own destination waits for the reader, or retries for ever on a full disk, and cannot say when all is written.
 */
export class Output {
  readonly #fd: number;
  readonly #onLost: (lines: number) => void;
  #waiting = '';
  /** The bytes that follow the write under way. */
  #unsent: Buffer = Buffer.alloc(0);
  /** Whether a write is under way, or lines gather after one. */
  #writing = false;
  #gathering: NodeJS.Timeout | undefined;
  #onIdle: (() => void)[] = [];
  readonly #flushTimers = new Set<NodeJS.Timeout>();

  /**
   * @param fd file descriptor, 1 for standard output
   * @param onLost is called with the number of lines that could not be written
   */
  constructor(fd: number, onLost: (lines: number) => void) {
    this.#fd = fd;
    this.#onLost = onLost;
    // For an exit without `flush`. The write under way may come after these lines.
    process.on('exit', () => this.#writeNow());
  }

  /** @param line with its line feed */
  write(line: string): void {
    if (this.#waiting.length + line.length > maxWaiting) {
      this.#onLost(1);
      return;
    }
    this.#waiting += line;
    if (!this.#writing) this.#next();
  }

  /**
   * @param ms milliseconds to wait for a reader that reads nothing; a slow reader gets all the time it needs
   * @returns whether everything is written or lost; false means that a write is stuck
   */
  async flush(ms: number): Promise<boolean> {
    if (!this.#writing) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#onIdle.push(() => resolve(true));
    const timer = setTimeout(resolve, ms, false);
    this.#flushTimers.add(timer);
    if (this.#gathering !== undefined) this.#next();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#flushTimers.delete(timer);
    }
  }

  #gather(): void {
    this.#gathering = setTimeout(() => this.#next(), gatherFor).unref();
    if (this.#onIdle.length > 0) this.#next();
  }

  #next(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
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
    this.#unsent = lines.subarray(maxWrite);
    write(this.#fd, lines, 0, Math.min(lines.length, maxWrite), (error, written) => {
      if (error?.code === 'EAGAIN') {
        this.#unsent = lines;
        setTimeout(() => this.#send(lines), retryAfter);
      } else if (error === null) {
        for (const timer of this.#flushTimers) timer.refresh();
        if (written < lines.length) this.#send(lines.subarray(written));
        else this.#gather();
      } else {
        this.#onLost(lines.filter((byte) => byte === 0x0a).length);
        this.#unsent = Buffer.alloc(0);
        this.#gather();
      }
    });
  }

  #writeNow(): void {
    let rest = Buffer.concat([this.#unsent, Buffer.from(this.#waiting)]);
    const end = performance.now() + exitTimeout;
    while (rest.length > 0 && performance.now() < end) {
      try {
        rest = rest.subarray(writeSync(this.#fd, rest));
      } catch (error) {
        // The process ends, and no other place can report this error.
        if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) return;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryAfter);
      }
    }
  }
}
