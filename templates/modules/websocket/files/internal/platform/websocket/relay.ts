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
  /** Messages up to `origin` are unknown to this instance. When it is not alone, a client may have got later messages from another one. */
  readonly begun: (origin: string, isAlone: boolean) => void;
}

/** Carries published messages to all instances, in one order. */
export interface Relay {
  /** @throws {ServiceError} 503 when that is not possible now */
  readonly publish: (channel: string, text: string) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/**
 * The relay of one instance without Redis. Nothing survives the process.
 * @param follower gets what is published
 * @returns the relay
 */
export function localRelay(follower: Follower): Relay {
  const epoch = Date.now();
  let count = 0;
  follower.begun(`${epoch}-0`, true);
  return {
    async publish(channel, text) {
      count += 1;
      follower.published({ channel, offset: `${epoch}-${count}`, text });
    },
    async stop() {},
  };
}

export interface RedisRelayOptions {
  readonly server: RedisServer;
  readonly log: Logger;
  /** Called with whether the stream can be read. */
  readonly isUp: (up: boolean) => void;
}

/** Approximate number of messages that Redis keeps. */
const maxLength = 10_000;
/** Messages per command. */
const batch = 1000;
/** Milliseconds for which a read waits for a message. */
const blockMs = 2000;
/** Milliseconds between two attempts to read. */
const retryMs = 250;

/**
 * A relay through one Redis stream that every instance follows. The ids of its entries are the offsets.
 * @param follower gets first what is kept from before, then each message as it comes
 * @param options the server
 * @returns the relay, once what is kept has been read, or cannot be read now
 */
export async function redisRelay(follower: Follower, { server, log, isUp }: RedisRelayOptions): Promise<Relay> {
  const stream = `${server.prefix}websocket`;
  // A connection of its own: its commands block.
  const reader = await server.connect();
  let last = '0-0';
  const stopping = new AbortController();

  const deliver = (entries: readonly Entry[]): void => {
    for (const { id, message } of entries) {
      last = id;
      const { channel, text } = message;
      if (channel !== undefined && text !== undefined) follower.published({ channel, offset: id, text });
    }
  };

  /** While nothing was read, entries after the last known one may have been trimmed: subscribers must learn that. */
  const catchUp = async (): Promise<void> => {
    const [first] = (await reader.xRange(stream, '-', '+', { COUNT: 1 })) ?? [];
    // A new stream begins with an entry that is not a message: a client that got this position finds it again.
    const origin = first?.id ?? (await reader.xAdd(stream, '*', { begun: '1' }));
    if (isAfter(origin, last)) {
      follower.begun(origin, false);
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
    let state: 'new' | 'reading' | 'failing' = 'new';
    while (!stopping.signal.aborted) {
      try {
        if (state !== 'reading') await catchUp();
        if (state === 'failing') log.info('the stream of messages can be read again');
        state = 'reading';
        isUp(true);
        tried();
        deliver(await readNext(reader, stream, last));
      } catch (err) {
        tried();
        if (stopping.signal.aborted) return;
        if (state !== 'failing') log.error({ err }, 'the stream of messages cannot be read');
        state = 'failing';
        isUp(false);
        await sleep(retryMs);
      }
    }
  };

  const { promise: tried, resolve } = Promise.withResolvers<void>();
  const following = follow(resolve);
  await tried;
  return {
    async publish(channel, text) {
      const TRIM = { strategy: 'MAXLEN', strategyModifier: '~', threshold: maxLength } as const;
      try {
        await server.client.xAdd(stream, '*', { channel, text }, { TRIM });
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

async function readNext(reader: RedisClient, stream: string, last: string): Promise<readonly Entry[]> {
  const streams = await reader.xRead({ key: stream, id: last }, { BLOCK: blockMs, COUNT: batch });
  // The types of redis leave the version of its protocol open.
  // oxlint-disable-next-line typescript/no-unsafe-return
  return streams?.[0]?.messages ?? [];
}
