import { createHash } from 'node:crypto';
import { Type } from 'typebox';
import { defineModule } from '../app/module.ts';
import type { Logger } from '../log/logger.ts';
import { type RedisServer, redis } from '../redis/module.ts';
import {
  type Limit,
  type Outcome,
  type Standing,
  type Store,
  forgottenAfterMs,
  sliceMs,
  takeScript,
} from './limiter.ts';
import { ratelimit } from './module.ts';

/** Milliseconds by the clock of Redis: the clocks of the instances may differ. */
const serverTime = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

const script = takeScript(serverTime);
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
class RedisStore implements Store {
  readonly #options: RedisStoreOptions;
  #isAway = false;

  constructor(options: RedisStoreOptions) {
    this.#options = options;
  }

  take(key: string, limit: Limit): Standing | Promise<Standing> {
    return this.#options.server.isUp ? this.#ask(key, limit) : this.#fallBack(key, limit);
  }

  async #ask(key: string, limit: Limit): Promise<Standing> {
    try {
      const standing = standingOf(await this.#run(key, limit));
      if (this.#isAway) this.#options.log.info('limits are shared by Redis again');
      this.#isAway = false;
      return standing;
    } catch (error) {
      return this.#fallBack(key, limit, error);
    }
  }

  #fallBack(key: string, limit: Limit, err?: unknown): Standing | Promise<Standing> {
    const { fallback, fellBack, log } = this.#options;
    if (!this.#isAway) log.warn({ err }, 'limits are not shared: Redis is away, and each process counts for itself');
    this.#isAway = true;
    fellBack();
    return fallback.take(key, limit);
  }

  async #run(key: string, limit: Limit): Promise<unknown> {
    const { client, prefix } = this.#options.server;
    const given = {
      keys: [`${prefix}ratelimit:${key}`],
      arguments: [limit.quota, sliceMs(limit), limit.burst, limit.perMs, forgottenAfterMs(limit)].map(String),
    };
    try {
      return await client.evalSha(sha, given);
    } catch (error) {
      // Redis forgets scripts when it restarts.
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return client.eval(script, given);
    }
  }
}

const outcomes: readonly Outcome[] = ['allowed', 'window', 'bucket'];

/** Checks the reply by hand: this code runs for every request. */
function standingOf(reply: unknown): Standing {
  const parts: readonly unknown[] = Array.isArray(reply) ? reply : [];
  const [first, used, tokens, freesInMs] = parts;
  const outcome = outcomes.find((each) => each === first);
  const standing = { used: Number(used), tokens: Number(tokens), freesInMs: Number(freesInMs) };
  if (outcome === undefined || !Object.values(standing).every(Number.isFinite))
    throw new Error('The reply of the script is not valid');
  return { outcome, ...standing };
}

/** Shares the limits of all instances by Redis. Without REDIS_URL it does nothing. */
export const sharedRatelimit = defineModule({
  name: 'shared-ratelimit',
  config: Type.Object({}),
  requires: [ratelimit, redis],
  start({ log, use }) {
    const { server } = use(redis);
    const { memory: fallback, fellBack, countIn } = use(ratelimit);
    if (server !== undefined) countIn(new RedisStore({ server, fallback, log, fellBack }));
    return { value: undefined };
  },
});
