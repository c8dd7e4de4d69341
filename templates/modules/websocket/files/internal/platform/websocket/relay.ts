import { setTimeout as sleep } from 'node:timers/promises';
import { isAfter } from '../../../pkg/client/websocket/envelope.ts';
import { unavailable } from '../../../pkg/errors/index.ts';
import type { Logger } from '../log/logger.ts';
import type { RedisServer } from '../redis/module.ts';
import type { Hub } from './hub.ts';

/** Gets what is published, in order. */
export type Follower = Pick<Hub, 'begin' | 'deliver'>;

/** Carries published messages to all instances, in one order. */
export interface Relay {
  /** Whether published messages can be read. */
  readonly isUp: boolean;
  /** @throws {ServiceError} 503 when that is not possible now */
  publish(channel: string, text: string): Promise<void>;
  stop(): Promise<void>;
}

/**
 * The relay of one instance without Redis. Nothing survives the process.
 * @param follower gets what is published
 * @returns the relay
 */
export function localRelay(follower: Follower): Relay {
  const epoch = Date.now();
  let count = 0;
  follower.begin(`${epoch}-0`, true);
  return {
    isUp: true,
    async publish(channel, text) {
      count += 1;
      follower.deliver(channel, `${epoch}-${count}`, text);
    },
    async stop() {},
  };
}

/** Redis keeps about this number of messages. */
const trim = { TRIM: { strategy: 'MAXLEN', strategyModifier: '~', threshold: 10_000 } } as const;
/** Messages per command. */
const batch = 1000;
/** Milliseconds for which a read waits for a message. */
const blockMs = 2000;
/** Milliseconds between two attempts to read. */
const retryMs = 250;

/**
 * A relay through one Redis stream that every instance follows. The ids of its entries are the offsets.
 * @param follower gets first what is kept from before, then each message as it comes
 * @param server Redis
 * @param log says when the stream cannot be read
 * @returns the relay, once what is kept has been read, or cannot be read now
 */
export async function redisRelay(follower: Follower, server: RedisServer, log: Logger): Promise<Relay> {
  const stream = `${server.prefix}websocket`;
  // A connection of its own: its commands block.
  const reader = await server.connect();
  const stopping = new AbortController();
  /** Undefined until the first attempt. */
  let isUp: boolean | undefined;
  let last = '0-0';

  const deliver = (entries: readonly Entry[]): void => {
    for (const { id, message } of entries) {
      last = id;
      const { channel, text } = message;
      if (channel !== undefined && text !== undefined) follower.deliver(channel, id, text);
    }
  };

  /** While nothing was read, entries after the last known one may have been trimmed: subscribers must learn that. */
  const catchUp = async (): Promise<void> => {
    const [first] = (await reader.xRange(stream, '-', '+', { COUNT: 1 })) ?? [];
    // A new stream begins with an entry that is not a message: a client that got this position finds it again.
    const origin = first?.id ?? (await reader.xAdd(stream, '*', { begun: '1' }));
    if (isAfter(origin, last)) {
      follower.begin(origin, false);
      last = origin;
    }
    for (;;) {
      const entries = (await reader.xRange(stream, `(${last}`, '+', { COUNT: batch })) ?? [];
      deliver(entries);
      if (entries.length < batch) return;
    }
  };

  /** Reads until `stop`, also after failures of Redis. */
  const follow = async (tried: () => void): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        if (isUp !== true) await catchUp();
        if (isUp === false) log.info('the stream of messages can be read again');
        isUp = true;
        tried();
        const streams = await reader.xRead({ key: stream, id: last }, { BLOCK: blockMs, COUNT: batch });
        // The types of redis leave the version of its protocol open.
        // oxlint-disable-next-line typescript/no-unsafe-argument
        deliver(streams?.[0]?.messages ?? []);
      } catch (err) {
        if (stopping.signal.aborted) return;
        if (isUp !== false) log.error({ err }, 'the stream of messages cannot be read');
        isUp = false;
        tried();
        await sleep(retryMs);
      }
    }
  };

  const { promise: tried, resolve } = Promise.withResolvers<void>();
  const following = follow(resolve);
  await tried;
  return {
    get isUp() {
      return isUp === true;
    },
    async publish(channel, text) {
      try {
        await server.client.xAdd(stream, '*', { channel, text }, trim);
      } catch (cause) {
        throw unavailable('The message cannot be published now.', { code: 'relay_unavailable', cause });
      }
    },
    async stop() {
      stopping.abort();
      if (reader.isOpen) reader.destroy();
      await following;
    },
  };
}

interface Entry {
  readonly id: string;
  readonly message: Readonly<Record<string, string>>;
}
