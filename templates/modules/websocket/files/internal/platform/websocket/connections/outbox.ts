import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Backlog } from './backlog.ts';

/** What happens when a client reads more slowly than it is written to. */
export type SlowReader = 'disconnect' | 'drop-oldest';

export interface OutboxOptions {
  readonly limitBytes: number;
  readonly policy: SlowReader;
  /** Of all clients. */
  readonly backlog: Backlog;
  /** Told of each message that is dropped. */
  readonly dropped: () => void;
  /** Told of the channels whose messages were dropped, once all that waited is on its way. */
  readonly missed: (channels: ReadonlySet<string>) => void;
  /** There is no room, and nothing that may be dropped. */
  readonly overflowed: () => void;
}

interface Waiting {
  readonly data: string | Buffer;
  readonly bytes: number;
  /** Where it was published; answers and acknowledgements, which have none, are never dropped. */
  readonly channel: string | undefined;
}

/** Bytes of a message that its client alone keeps in memory. What was published is there once, for however many it waits. */
function ownBytes({ bytes, channel }: Waiting): number {
  return channel === undefined ? bytes : 0;
}

/**
 * What waits for one client. ws writes whatever it is given, and what a client does not read piles up in memory: here at most one
 * buffer of the system is handed over, and the rest waits, within a limit.
 */
export class Outbox {
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #options: OutboxOptions;
  #waiting: Waiting[] = [];
  #bytes = 0;
  /** Of these, those that count among all clients. */
  #ownBytes = 0;
  #isClosed = false;
  #isHeld = false;
  /** When its client last took all that was handed over, by `performance.now()`; or when the rest began to wait. */
  #readAt = 0;
  #missed = new Set<string>();
  readonly #release = (): void => {
    this.#isHeld = false;
    this.#stream.uncork();
  };

  /**
   * @param socket to the client
   * @param stream below it
   * @param options limit, and what happens there
   */
  constructor(socket: WebSocket, stream: Duplex, options: OutboxOptions) {
    this.#socket = socket;
    this.#stream = stream;
    this.#options = options;
    stream.on('drain', () => this.#pump());
  }

  /** Bytes that wait, those in the hands of the system's stream included. */
  get bytes(): number {
    return this.#bytes + this.#stream.writableLength;
  }

  /**
   * @param data one message: text, or the bytes of a text
   * @param channel where it was published: then it may be lost to a client that is slow
   */
  send(data: string | Buffer, channel?: string): void {
    if (this.#isClosed) return;
    if (this.#waiting.length === 0 && !this.#stream.writableNeedDrain) {
      this.#write(data);
      return;
    }
    if (this.#waiting.length === 0) this.#readAt = performance.now();
    const waiting = { data, bytes: Buffer.byteLength(data), channel };
    this.#waiting.push(waiting);
    this.#bytes += waiting.bytes;
    this.#own(ownBytes(waiting));
    if (this.#bytes > this.#options.limitBytes) this.#makeRoom();
  }

  /** What is sent until the end of this turn goes out at once: messages that came together are answered by one call into the system. */
  hold(): void {
    if (this.#isHeld) return;
    this.#isHeld = true;
    this.#stream.cork();
    process.nextTick(this.#release);
  }

  /** Lets go of all that waits: nothing more is sent. */
  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
    this.#bytes = 0;
    this.#own(-this.#ownBytes);
  }

  /**
   * @param since by `performance.now()`
   * @returns whether something waits, and its client has taken nothing of it since
   */
  isStuckSince(since: number): boolean {
    return this.#waiting.length > 0 && this.#readAt < since;
  }

  /** There is no room for what waits. */
  giveUp(): void {
    this.close();
    this.#options.overflowed();
  }

  #own(more: number): void {
    if (more === 0) return;
    this.#ownBytes += more;
    this.#options.backlog.hold(this, this.#ownBytes);
  }

  #makeRoom(): void {
    const { policy, limitBytes, dropped } = this.#options;
    if (policy === 'drop-oldest') {
      this.#waiting = this.#waiting.filter(({ channel, bytes }) => {
        if (channel === undefined || this.#bytes <= limitBytes) return true;
        this.#bytes -= bytes;
        this.#missed.add(channel);
        dropped();
        return false;
      });
    }
    if (this.#bytes > limitBytes) this.giveUp();
  }

  #pump(): void {
    this.#readAt = performance.now();
    let sent = 0;
    let own = 0;
    for (; sent < this.#waiting.length && !this.#stream.writableNeedDrain; sent += 1) {
      const waiting = this.#waiting[sent];
      if (waiting === undefined) break;
      this.#bytes -= waiting.bytes;
      own += ownBytes(waiting);
      this.#write(waiting.data);
    }
    this.#waiting.splice(0, sent);
    this.#own(-own);
    if (this.#missed.size === 0 || this.#waiting.length > 0 || this.#isClosed) return;
    const missed = this.#missed;
    this.#missed = new Set();
    this.#options.missed(missed);
  }

  #write(data: string | Buffer): void {
    this.#socket.send(data, { binary: false });
  }
}
