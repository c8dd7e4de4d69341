import { createHash } from 'node:crypto';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import type { Logger } from '../log/logger.ts';
import type { RedisServer } from '../redis/module.ts';
import { type Limit, Standing, type Store, forgottenAfterMs, takeScript } from './limiter.ts';

/** Milliseconds by the clock of Redis: the clocks of the instances may differ. */
const script = takeScript(`local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`);
const sha = createHash('sha1').update(script).digest('hex');

interface RedisStoreOptions {
  readonly server: RedisServer;
  /** Counts while Redis is away. */
  readonly fallback: Store;
  readonly log: Logger;
  /** Called for each request that the fallback counts. */
  readonly fellBack: () => void;
}

/** Counts in Redis for all instances: one script for each request. While Redis is away, each instance counts for itself. */
export class RedisStore implements Store {
  readonly #options: RedisStoreOptions;
  #isAway = false;

  /** @param options the server, and what to do without it */
  constructor(options: RedisStoreOptions) {
    this.#options = options;
  }

  async take(key: string, limit: Limit): Promise<Standing> {
    const { fallback, fellBack, log } = this.#options;
    try {
      const standing = await this.#run(key, limit);
      if (this.#isAway) log.info('limits are shared by Redis again');
      this.#isAway = false;
      return standing;
    } catch (err) {
      if (!this.#isAway) log.warn({ err }, 'limits are not shared: Redis is away, and each process counts for itself');
      this.#isAway = true;
      fellBack();
      return fallback.take(key, limit);
    }
  }

  async #run(key: string, limit: Limit): Promise<Standing> {
    const { client, prefix, isUp } = this.#options.server;
    // A replica would refuse only requests that are allowed: the others write nothing.
    if (!isUp) throw new Error('there is no Redis that takes writes');
    const given = {
      keys: [`${prefix}ratelimit:${key}`],
      arguments: [limit.quota, limit.windowMs, limit.burst, limit.perMs, forgottenAfterMs(limit)].map(String),
    };
    const reply = await client.evalSha(sha, given).catch((error: unknown) => {
      // Redis forgets scripts when it restarts.
      if (error instanceof Error && error.message.startsWith('NOSCRIPT')) return client.eval(script, given);
      throw error;
    });
    return Value.Parse(Standing, JSON.parse(Value.Parse(Type.String(), reply)));
  }
}
