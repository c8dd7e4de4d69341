import { createLocalJWKSet, errors, type JSONWebKeySet, type LocalJWKSet } from 'jose';
import { ServiceError } from '../../../pkg/errors/index.ts';
import type { Logger } from '../log/logger.ts';
import { type Keys, publicKeySet } from './keys.ts';

/** Whether a token is good cannot be told: the issuer's keys are out of reach. */
export class KeysUnavailableError extends ServiceError {
  /**
   * @param retryAfterMs when to ask again
   * @param cause why they are out of reach
   */
  constructor(retryAfterMs: number, cause: unknown) {
    const publicMessage = 'Tokens cannot be verified at the moment.';
    super({ code: 'auth_unavailable', status: 503, publicMessage, retryAfterMs, cause });
  }
}

export interface RemoteKeysOptions {
  readonly url: string;
  /** Milliseconds for one fetch. */
  readonly timeoutMs: number;
  /** Milliseconds between two fetches that nothing asked for. */
  readonly refreshMs: number;
  /** Milliseconds after a fetch in which nothing causes another. */
  readonly cooldownMs: number;
  /** Milliseconds for which keys are good after their last fetch. */
  readonly staleMs: number;
  readonly log: Logger;
  /** Is told of each fetch. */
  readonly fetched: (outcome: 'succeeded' | 'failed') => void;
}

/**
 * The keys that an issuer publishes, kept and fetched anew: every `refreshMs`, and when a token names a key that is not among
 * them, at most once in `cooldownMs`. While the issuer is out of reach the last ones stay good, for `staleMs`. jose has
 * `createRemoteJWKSet`; it drops its keys when they have to be fetched anew and cannot be, and fetches again for each request
 * while the issuer fails.
 */
export class RemoteKeys implements Keys {
  readonly #options: RemoteKeysOptions;
  #keys: LocalJWKSet | undefined;
  #fault: unknown;
  #triedAt = Number.NEGATIVE_INFINITY;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #pending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** @param options where the keys are, and time limits */
  constructor(options: RemoteKeysOptions) {
    this.#options = options;
  }

  /** Seconds since the keys were fetched; infinite before. */
  get ageSeconds(): number {
    return (performance.now() - this.#fetchedAt) / 1000;
  }

  readonly resolve: Keys['resolve'] = async (header, token) => {
    if (this.#usable() === undefined) await this.#refresh();
    const keys = this.#usable();
    if (keys === undefined) throw this.#unavailable();
    try {
      return await keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      // Perhaps a key that is new at the issuer.
      await this.#refresh();
      const now = this.#usable();
      if (this.#fault !== undefined || now === undefined) throw this.#unavailable();
      if (now === keys) throw error;
      return now(header, token);
    }
  };

  readonly open = async (): Promise<void> => {
    await this.#refresh();
    if (this.#stopped) return;
    const { refreshMs, cooldownMs } = this.#options;
    const pauseMs = this.#fault === undefined ? refreshMs : Math.min(cooldownMs, refreshMs);
    this.#timer = setTimeout(() => void this.open(), pauseMs).unref();
  };

  readonly health = (): void => {
    if (this.#usable() === undefined) throw this.#unavailable();
  };

  readonly stop = (): void => {
    this.#stopped = true;
    clearTimeout(this.#timer);
  };

  #usable(): LocalJWKSet | undefined {
    return performance.now() - this.#fetchedAt < this.#options.staleMs ? this.#keys : undefined;
  }

  #unavailable(): KeysUnavailableError {
    const { cooldownMs } = this.#options;
    return new KeysUnavailableError(Math.max(1, this.#triedAt + cooldownMs - performance.now()), this.#fault);
  }

  /** One fetch at a time, for all who wait; none within the cool-down. Keeps what went wrong. */
  #refresh(): Promise<void> {
    if (this.#pending !== undefined) return this.#pending;
    if (performance.now() - this.#triedAt < this.#options.cooldownMs) return Promise.resolve();
    this.#pending = this.#fetch().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #fetch(): Promise<void> {
    const { url, log, fetched, timeoutMs } = this.#options;
    try {
      this.#keys = createLocalJWKSet(await fetchKeySet(url, timeoutMs));
      this.#fetchedAt = performance.now();
      if (this.#fault !== undefined) log.info('the keys of the issuer are back');
      this.#fault = undefined;
      fetched('succeeded');
    } catch (error) {
      if (this.#fault === undefined) log.error({ err: error }, 'the keys of the issuer cannot be fetched');
      this.#fault = error;
      fetched('failed');
    }
    this.#triedAt = performance.now();
  }
}

async function fetchKeySet(url: string, timeoutMs: number): Promise<JSONWebKeySet> {
  const response = await fetch(url, {
    headers: { accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`the issuer answered ${response.status}`);
  }
  return publicKeySet(await response.json());
}
