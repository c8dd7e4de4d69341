import { setTimeout as sleep } from 'node:timers/promises';
import { isAfter } from '../../../pkg/client/websocket/envelope.ts';
import { unavailable } from '../../../pkg/errors/index.ts';
import type { Logger } from '../log/logger.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { RedisServer } from '../redis/module.ts';

/** A published message at its place in the order of all published messages. */
export interface Published {
  readonly channel: string;
  /** `<number>-<number>`, ascending. */
  readonly offset: string;
  /** The envelope. */
  readonly text: string;
}

/** Gets what is published, in order. */
export interface Follower {
  readonly published: (published: Published) => void;
  /** Messages up to this position are unknown to this instance. */
  readonly begun: (origin: string) => void;
}

/** Carries published messages to all instances, in one order. */
export interface Relay {
  /** Whether a position belongs to another process, so that nothing is known of the messages after it. */
  readonly isForeign?: (offset: string) => boolean;
  /**
   * Publishes a message.
   * @throws {ServiceError} 503 when that is not possible now
   */
  publish(channel: string, text: string): Promise<void>;
  /**
   * Begins to follow: first what is kept from before, then each message as it comes.
   * @returns once what is kept has been read, or cannot be read now
   */
  follow(follower: Follower): Promise<void>;
  stop(): Promise<void>;
}

/** For one instance without Redis: nothing survives the process. */
export class LocalRelay implements Relay {
  readonly #epoch = Date.now();
  #count = 0;
  #follower: Follower | undefined;

  readonly isForeign = (offset: string): boolean => !offset.startsWith(`${this.#epoch}-`);

  async publish(channel: string, text: string): Promise<void> {
    this.#count += 1;
    this.#follower?.published({ channel, offset: `${this.#epoch}-${this.#count}`, text });
  }

  async follow(follower: Follower): Promise<void> {
    this.#follower = follower;
    follower.begun(`${this.#epoch}-0`);
  }

  async stop(): Promise<void> {
    this.#follower = undefined;
  }
}

export interface RedisRelayOptions {
  readonly server: RedisServer;
  /** A connection for this relay alone: its commands block. */
  readonly reader: RedisClient;
  /** Approximate number of messages that the stream keeps. */
  readonly length: number;
  readonly log: Logger;
  /** Called with whether the stream can be read. */
  readonly isUp: (up: boolean) => void;
}

/** Messages per command. */
const batch = 1000;
/** Milliseconds for which a read waits for a message. */
const blockMs = 2000;
/** Milliseconds between two attempts to read. */
const retryMs = 250;

/** Publishes through one Redis stream that every instance follows. The ids of its entries are the offsets. */
export class RedisRelay implements Relay {
  readonly #options: RedisRelayOptions;
  readonly #stream: string;
  #last = '0-0';
  #isStopped = false;
  #following: Promise<void> | undefined;

  /** @param options the stream */
  constructor(options: RedisRelayOptions) {
    this.#options = options;
    this.#stream = `${options.server.prefix}websocket`;
  }

  async publish(channel: string, text: string): Promise<void> {
    const TRIM = { strategy: 'MAXLEN', strategyModifier: '~', threshold: this.#options.length } as const;
    try {
      await this.#options.server.client.xAdd(this.#stream, '*', { channel, text }, { TRIM });
    } catch (cause) {
      throw unavailable('The message cannot be published now.', { code: 'relay_unavailable', cause });
    }
  }

  async follow(follower: Follower): Promise<void> {
    const { promise: tried, resolve } = Promise.withResolvers<void>();
    this.#following = this.#tail(follower, resolve);
    await tried;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    const { reader } = this.#options;
    if (reader.isOpen) reader.destroy();
    await this.#following;
  }

  /** Reads until `stop`, also after failures of Redis. */
  async #tail(follower: Follower, tried: () => void): Promise<void> {
    const { reader, log, isUp } = this.#options;
    let isReading = false;
    let isFailing = false;
    while (!this.#isStopped) {
      try {
        if (!isReading) await this.#catchUp(follower);
        if (isFailing) log.info('the stream of messages can be read again');
        isFailing = false;
        isReading = true;
        isUp(true);
        tried();
        const streams = await reader.xRead({ key: this.#stream, id: this.#last }, { BLOCK: blockMs, COUNT: batch });
        // The types of redis leave the version of its protocol open.
        // oxlint-disable-next-line typescript/no-unsafe-argument
        for (const entry of streams?.[0]?.messages ?? []) this.#deliver(follower, entry);
      } catch (err) {
        tried();
        if (this.#isStopped) return;
        if (!isFailing) log.error({ err }, 'the stream of messages cannot be read');
        isFailing = true;
        isReading = false;
        isUp(false);
        await sleep(retryMs);
      }
    }
  }

  /** While nothing was read, entries after the last known one may have been trimmed: subscribers must learn that. */
  async #catchUp(follower: Follower): Promise<void> {
    const { reader } = this.#options;
    const [first] = (await reader.xRange(this.#stream, '-', '+', { COUNT: 1 })) ?? [];
    // A new stream begins with an entry that is not a message: a client that got this position finds it again.
    const origin = before(first?.id ?? (await reader.xAdd(this.#stream, '*', { begun: '1' })));
    if (isAfter(origin, this.#last)) {
      follower.begun(origin);
      this.#last = origin;
    }
    for (;;) {
      const entries = (await reader.xRange(this.#stream, `(${this.#last}`, '+', { COUNT: batch })) ?? [];
      for (const entry of entries) this.#deliver(follower, entry);
      if (entries.length < batch) return;
    }
  }

  #deliver(
    follower: Follower,
    entry: { readonly id: string; readonly message: Readonly<Record<string, string>> },
  ): void {
    const { channel, text } = entry.message;
    this.#last = entry.id;
    if (channel !== undefined && text !== undefined) follower.published({ channel, offset: entry.id, text });
  }
}

/** The id just before another one. */
function before(id: string): string {
  const [ms = '0', sequence = '0'] = id.split('-');
  return sequence === '0' ? `${Number(ms) - 1}-${Number.MAX_SAFE_INTEGER}` : `${ms}-${Number(sequence) - 1}`;
}
