import { createHash } from 'node:crypto';
import type { Logger } from '../log/logger.ts';
import type { RedisServer } from '../redis/module.ts';
import { type Limit, type Outcome, type Standing, forgottenAfterMs, sliceMs } from './limiter.ts';
import { serverTime, takeScript } from './script.ts';
import type { Store } from './store.ts';

const script = takeScript(serverTime);
const sha = createHash('sha1').update(script).digest('hex');

export interface RedisStoreOptions {
  readonly server: RedisServer;
  /** Counts while the server is away. */
  readonly fallback: Store;
  readonly log: Logger;
  /** Hears of each request about which the fallback decides. */
  readonly fellBack: () => void;
}

/** Limits that all processes share: one script, one round trip, each request. While Redis is away, each counts for itself. */
export class RedisStore implements Store {
  readonly #options: RedisStoreOptions;
  #isAway = false;

  /** @param options the server, and what to do without it */
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
      // It forgets scripts when it restarts.
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return client.eval(script, given);
    }
  }
}

const outcomes: readonly Outcome[] = ['allowed', 'window', 'bucket'];

/** By hand: each request passes here. */
function standingOf(reply: unknown): Standing {
  const parts: readonly unknown[] = Array.isArray(reply) ? reply : [];
  const [said, used, tokens, freesInMs] = parts;
  const outcome = outcomes.find((each) => each === said);
  const standing = { used: Number(used), tokens: Number(tokens), freesInMs: Number(freesInMs) };
  if (outcome === undefined || !Object.values(standing).every(Number.isFinite))
    throw new Error('no reply of the script');
  return { outcome, ...standing };
}
