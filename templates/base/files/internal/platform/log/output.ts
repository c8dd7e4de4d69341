import { write, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const writeTo = promisify(write);

/** Max characters that wait to be written; further lines are lost. */
const maxWaiting = 4 * 1024 * 1024;
/** Bytes of one write. A completed write shows that the reader still reads. */
const maxWrite = 64 * 1024;
/** Milliseconds until a write to a full pipe is tried again. */
const retryAfter = 10;
/** Milliseconds that follow a write, in which lines gather for the next one. A quiet service does not wait. */
const gatherFor = 20;

/**
 * Writes lines to a file descriptor and never waits for it. Lines that a full disk, a broken pipe or a reader with 4 MiB of backlog
 * does not take are lost and counted: the service goes on without its log.
 *
 * pino's own destination waits for the reader, or retries for ever on a full disk, and cannot say when all is written.
 */
export class Output {
  readonly #fd: number;
  readonly #onLost: (lines: number) => void;
  #waiting = '';
  #writing: Promise<void> | undefined;
  /** Bytes until now. */
  #written = 0;

  /**
   * @param fd file descriptor, 1 for standard output
   * @param onLost is called with the number of lines that could not be written
   */
  constructor(fd: number, onLost: (lines: number) => void) {
    this.#fd = fd;
    this.#onLost = onLost;
    // For an exit without `flush`, at which nothing can report an error any more.
    process.on('exit', () => {
      try {
        if (this.#waiting !== '') writeSync(fd, this.#waiting);
      } catch {}
    });
  }

  /** @param line with its line feed */
  write(line: string): void {
    if (this.#waiting.length + line.length > maxWaiting) return this.#onLost(1);
    this.#waiting += line;
    this.#writing ??= this.#writeAll();
  }

  /**
   * @param ms milliseconds to wait for a reader that reads nothing; a slow reader gets all the time it needs
   * @returns whether everything is written or lost; false means that a write is stuck
   */
  async flush(ms: number): Promise<boolean> {
    const all = this.#writing?.then(() => true) ?? true;
    const before = this.#written;
    if (await Promise.race([all, sleep(ms, false, { ref: false })])) return true;
    return this.#written > before && this.flush(ms);
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting !== '') {
      const lines = Buffer.from(this.#waiting);
      this.#waiting = '';
      await this.#send(lines);
      await sleep(gatherFor);
    }
    this.#writing = undefined;
  }

  async #send(lines: Buffer): Promise<void> {
    let rest = lines;
    while (rest.length > 0) {
      try {
        const { bytesWritten } = await writeTo(this.#fd, rest, 0, Math.min(rest.length, maxWrite));
        rest = rest.subarray(bytesWritten);
        this.#written += bytesWritten;
      } catch (error) {
        const isFull = error instanceof Error && 'code' in error && error.code === 'EAGAIN';
        if (!isFull) return this.#onLost(rest.filter((byte) => byte === 0x0a).length);
        await sleep(retryAfter);
      }
    }
  }
}
