import { setTimeout as sleep } from 'node:timers/promises';
import { isAfter } from '../../../../pkg/client/websocket/envelope.ts';
import { unavailable } from '../../../../pkg/errors/index.ts';
import type { Logger } from '../../log/logger.ts';
import type { RedisClient } from '../../redis/connection.ts';
import type { RedisServer } from '../../redis/module.ts';
import type { Follower, Relay } from './relay.ts';

export interface RedisRelayOptions {
  readonly server: RedisServer;
  /** A connection of one's own: it blocks. */
  readonly reader: RedisClient;
  /** About how many messages the stream keeps. */
  readonly length: number;
  readonly log: Logger;
  /** Told when the stream can be read, and when it cannot. */
  readonly isUp: (up: boolean) => void;
}

/** As the stream has it. */
interface Entry {
  readonly id: string;
  readonly message: Readonly<Record<string, string>>;
}

/** Messages per reading. */
const batch = 1000;
/** Milliseconds that a reading waits for a message; `stop` does not wait for it. */
const blockMs = 2000;
/** Milliseconds between two attempts to read on. */
const retryMs = 250;

/**
 * Publishes through one stream of Redis (https://redis.io/docs/latest/develop/data-types/streams/), which every instance follows:
 * ids of the stream are the offsets. What Redis keeps outlives every instance.
 */
export class RedisRelay implements Relay {
  readonly #options: RedisRelayOptions;
  readonly #stream: string;
  #last = '0-0';
  #isStopped = false;
  #following: Promise<void> | undefined;

  /** @param options where the stream is */
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

  /** Reads on for as long as there is no `stop`, whatever happens to Redis meanwhile. */
  async #tail(follower: Follower, tried: () => void): Promise<void> {
    const { reader, log, isUp } = this.#options;
    let isReading = false;
    let isTold = false;
    while (!this.#isStopped) {
      try {
        if (!isReading) await this.#catchUp(follower);
        if (isTold) log.info('the stream of messages can be read again');
        isTold = false;
        isReading = true;
        isUp(true);
        tried();
        const streams = await reader.xRead({ key: this.#stream, id: this.#last }, { BLOCK: blockMs, COUNT: batch });
        // The types of redis leave open which protocol it speaks.
        // oxlint-disable-next-line typescript/no-unsafe-argument
        for (const entry of streams?.[0]?.messages ?? []) this.#hand(follower, entry);
      } catch (err) {
        tried();
        if (this.#isStopped) return;
        if (!isTold) log.error({ err }, 'the stream of messages cannot be read');
        isTold = true;
        isReading = false;
        isUp(false);
        await sleep(retryMs);
      }
    }
  }

  /** Reads what there is. While nobody read, the stream may have been cut off beyond where we were: subscribers are to see that. */
  async #catchUp(follower: Follower): Promise<void> {
    const origin = await this.#origin();
    if (isAfter(origin, this.#last)) {
      follower.begun(origin);
      this.#last = origin;
    }
    for (;;) {
      const entries = (await this.#options.reader.xRange(this.#stream, `(${this.#last}`, '+', { COUNT: batch })) ?? [];
      for (const entry of entries) this.#hand(follower, entry);
      if (entries.length < batch) return;
    }
  }

  /** The place before all that the stream has. */
  async #origin(): Promise<string> {
    const [first] = (await this.#options.reader.xRange(this.#stream, '-', '+', { COUNT: 1 })) ?? [];
    if (first !== undefined) return before(first.id);
    // A stream that is new begins with something that is no message: who was told of its beginning finds it again.
    return before(await this.#options.reader.xAdd(this.#stream, '*', { begun: '1' }));
  }

  #hand(follower: Follower, { id, message: { channel, text } }: Entry): void {
    this.#last = id;
    if (channel !== undefined && text !== undefined) follower.published({ channel, offset: id, text });
  }
}

/** The id just before another. */
function before(id: string): string {
  const [ms = '0', sequence = '0'] = id.split('-');
  return sequence === '0' ? `${Number(ms) - 1}-${Number.MAX_SAFE_INTEGER}` : `${ms}-${Number(sequence) - 1}`;
}
