import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'redis';
import { isAfter } from '../../pkg/client/websocket/envelope.ts';
import { unavailable } from '../../pkg/errors/index.ts';
import type { Logger } from '../log/logger.ts';
import type { Follower, Relay } from './relay.ts';

export interface RedisRelayOptions {
  readonly url: string;
  /** Key of the stream: one per service. */
  readonly stream: string;
  /** About how many messages the stream keeps. */
  readonly length: number;
  readonly log: Logger;
  /** Told when the stream can be read, and when it cannot. */
  readonly isUp: (up: boolean) => void;
}

type Client = ReturnType<typeof connectable>;

/** Messages per reading. */
const batch = 1000;
/** Milliseconds that a reading waits for a message; `stop` does not wait for it. */
const blockMs = 5000;
/** Milliseconds between two attempts to read on. */
const retryMs = 250;
const connectTimeoutMs = 3000;

/**
 * Publishes through one stream of Redis (https://redis.io/docs/latest/develop/data-types/streams/), which every instance follows:
 * ids of the stream are the offsets. What Redis keeps outlives every instance.
 */
export class RedisRelay implements Relay {
  readonly #options: RedisRelayOptions;
  readonly #writer: Client;
  readonly #reader: Client;
  #last = '0-0';
  #isStopped = false;
  #following: Promise<void> | undefined;

  private constructor(options: RedisRelayOptions) {
    this.#options = options;
    this.#writer = connectable(options);
    this.#reader = connectable(options);
  }

  /**
   * @param options where the stream is
   * @param signal gives up
   * @returns once Redis answers
   */
  static async open(options: RedisRelayOptions, signal: AbortSignal): Promise<RedisRelay> {
    const relay = new RedisRelay(options);
    const giveUp = (): void => void relay.stop();
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      await Promise.all([relay.#writer.connect(), relay.#reader.connect()]);
      return relay;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  async origin(): Promise<string> {
    const { stream } = this.#options;
    const [first] = (await this.#reader.xRange(stream, '-', '+', { COUNT: 1 })) ?? [];
    if (first !== undefined) return before(first.id);
    // A stream that is new begins with something that is no message: who was told of its beginning finds it again.
    await this.#writer.xAdd(stream, '*', { begun: '1' });
    return this.origin();
  }

  async publish(channel: string, text: string): Promise<void> {
    const { stream, length } = this.#options;
    const TRIM = { strategy: 'MAXLEN', strategyModifier: '~', threshold: length } as const;
    try {
      await this.#writer.xAdd(stream, '*', { channel, text }, { TRIM });
    } catch (cause) {
      throw unavailable('The message cannot be published now.', { code: 'relay_unavailable', cause });
    }
  }

  async follow(follower: Follower): Promise<void> {
    for (;;) {
      const entries = (await this.#reader.xRange(this.#options.stream, `(${this.#last}`, '+', { COUNT: batch })) ?? [];
      for (const entry of entries) this.#hand(follower, entry);
      if (entries.length < batch) break;
    }
    this.#options.isUp(true);
    this.#following = this.#tail(follower);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const client of [this.#writer, this.#reader]) if (client.isOpen) client.destroy();
    await this.#following;
  }

  /** Reads on for as long as there is no `stop`, whatever happens to Redis meanwhile. */
  async #tail(follower: Follower): Promise<void> {
    const { stream, log, isUp } = this.#options;
    let wasUp = true;
    while (!this.#isStopped) {
      try {
        if (!wasUp) await this.#catchUp(follower);
        const streams = await this.#reader.xRead({ key: stream, id: this.#last }, { BLOCK: blockMs, COUNT: batch });
        if (!wasUp) log.info('the stream of messages can be read again');
        wasUp = true;
        isUp(true);
        // The types of redis leave open which protocol it speaks.
        // oxlint-disable-next-line typescript/no-unsafe-argument
        for (const entry of streams?.[0]?.messages ?? []) this.#hand(follower, entry);
      } catch (err) {
        if (this.#isStopped) return;
        if (wasUp) log.error({ err }, 'the stream of messages cannot be read');
        wasUp = false;
        isUp(false);
        await sleep(retryMs);
      }
    }
  }

  /** While nobody read, the stream may have been cut off beyond where we were: subscribers are to see that. */
  async #catchUp(follower: Follower): Promise<void> {
    const origin = await this.origin();
    if (!isAfter(origin, this.#last)) return;
    follower.interrupted(origin);
    this.#last = origin;
  }

  #hand(
    follower: Follower,
    { id, message }: { readonly id: string; readonly message: Readonly<Record<string, string>> },
  ): void {
    const { channel, text } = message;
    this.#last = id;
    if (channel !== undefined && text !== undefined) follower.published({ channel, offset: id, text });
  }
}

function connectable({ url, log }: RedisRelayOptions) {
  const client = createClient({
    url,
    // What cannot be sent now fails now: the caller decides.
    disableOfflineQueue: true,
    socket: {
      connectTimeout: connectTimeoutMs,
      reconnectStrategy: (attempts) => Math.min(50 * 2 ** attempts, 2000) * Math.random(),
    },
  });
  client.on('error', (err: unknown) => log.debug({ err }, 'redis'));
  return client;
}

/** The id just before another. */
function before(id: string): string {
  const [ms = '0', sequence = '0'] = id.split('-');
  return sequence === '0' ? `${Number(ms) - 1}-${Number.MAX_SAFE_INTEGER}` : `${ms}-${Number(sequence) - 1}`;
}
