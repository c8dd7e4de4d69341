import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  type JSONWebKeySet,
  type JWTVerifyGetKey,
  type LocalJWKSet,
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
} from 'jose';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { ServiceError } from '../../../pkg/errors/index.ts';
import type { Logger } from '../log/logger.ts';

/** The keys that tokens are verified with. */
export interface Keys {
  /** Finds the trusted key that the header of a token names. Nothing else in the header has an effect. */
  readonly resolve: JWTVerifyGetKey;
  /** Loads the keys; does not fail when they are out of reach. */
  readonly open: () => Promise<void>;
  /** Throws when no token can be verified. */
  readonly health: () => void;
  /** Reads the keys again on SIGHUP; the old ones stay when it throws. */
  readonly reload?: () => void;
  readonly stop: () => void;
}

const KeySet = Type.Object({ keys: Type.Array(Type.Unknown()) });
const Key = Type.Object({ kty: Type.String(), kid: Type.Optional(Type.String()) });

/** A key with which signatures can be verified: public (a shared secret is none), on its curve, and for RSA of the size that jose asks for. */
function isPublicKey(key: unknown): key is JSONWebKeySet['keys'][number] {
  if (!Value.Check(Key, key) || 'd' in key) return false;
  try {
    const { asymmetricKeyDetails } = createPublicKey({ key, format: 'jwk' });
    return (asymmetricKeyDetails?.modulusLength ?? 2048) >= 2048;
  } catch {
    return false;
  }
}

/**
 * Checks a key set (RFC 7517) that somebody configured.
 * @param value anything
 * @returns the same, when it holds public keys and no other
 * @throws {TypeError} that says what is wrong, never what the keys are
 */
export function publicKeySet(value: unknown): JSONWebKeySet {
  if (!Value.Check(KeySet, value) || value.keys.length === 0)
    throw new TypeError('not a key set: {"keys":[{"kty":...}, ...]} with at least one key');
  const { keys } = value;
  if (!keys.every(isPublicKey)) {
    const position = keys.findIndex((key) => !isPublicKey(key)) + 1;
    throw new TypeError(`key ${position} is not a valid public key`);
  }
  return { keys };
}

/**
 * @param set public keys
 * @returns these keys, which never change
 */
export function staticKeys(set: JSONWebKeySet): Keys {
  return {
    resolve: createLocalJWKSet(set),
    open: () => Promise.resolve(),
    health: () => undefined,
    stop: () => undefined,
  };
}

/**
 * Keys in a file. `reload` reads it again: Kubernetes replaces the files of a mounted Secret.
 * @param file path of a key set as JSON
 * @returns the keys in it
 * @throws {Error} when it holds no public keys
 */
export function fileKeys(file: string): Keys {
  const read = (): LocalJWKSet => createLocalJWKSet(publicKeySet(JSON.parse(readFileSync(file, 'utf8'))));
  let keys = read();
  return {
    ...staticKeys({ keys: [] }),
    resolve: (header, token) => keys(header, token),
    reload() {
      keys = read();
    },
  };
}

/** The keys of the issuer are out of reach: nobody can tell whether a token is good. */
export class KeysUnavailableError extends ServiceError {
  /**
   * @param retryAfterMs when to ask again
   * @param cause why they are out of reach
   */
  constructor(retryAfterMs: number, cause: unknown) {
    const publicMessage = 'Tokens cannot be verified at the moment.';
    super({ code: 'auth_unavailable', status: 503, publicMessage, retryAfterMs: Math.max(1, retryAfterMs), cause });
  }
}

export interface RemoteKeysOptions {
  readonly url: string;
  /** Milliseconds for one fetch. */
  readonly timeoutMs: number;
  /** Milliseconds between two fetches in the background. */
  readonly refreshMs: number;
  /** Milliseconds after a fetch in which no token causes another. */
  readonly cooldownMs: number;
  /** Milliseconds for which keys are good after their last fetch. */
  readonly staleMs: number;
  readonly log: Logger;
  /** Is called after each fetch. */
  readonly fetched: (outcome: 'succeeded' | 'failed') => void;
}

/**
 * The keys that an issuer publishes. jose's `createRemoteJWKSet` fetches and keeps them, one fetch at a time, and fetches again
 * for a key that it does not know. Around it: a fetch in the background, so that a removed key is refused soon; no fetch for
 * `cooldownMs` after one that failed; and an age that does not depend on the wall clock.
 * @param options where the keys are, and time limits
 * @returns the keys, and their age in seconds: infinite while there are none
 */
export function remoteKeys(options: RemoteKeysOptions): Keys & { readonly ageSeconds: () => number } {
  const { url, timeoutMs, refreshMs, cooldownMs, staleMs, log, fetched } = options;
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let failure: { readonly at: number; readonly cause: unknown } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  const ageMs = (): number => performance.now() - fetchedAt;
  const unavailable = (): KeysUnavailableError =>
    new KeysUnavailableError((failure?.at ?? 0) + cooldownMs - performance.now(), failure?.cause);

  const jwks = createRemoteJWKSet(new URL(url), {
    timeoutDuration: timeoutMs,
    cooldownDuration: cooldownMs,
    cacheMaxAge: Number.POSITIVE_INFINITY,
    async [customFetch](from, init) {
      if (failure !== undefined && performance.now() - failure.at < cooldownMs) throw unavailable();
      try {
        const keys = await fetchKeys(await fetch(from, init));
        // The issuer is there and has no key: those that it removed are refused at once.
        if (keys.length === 0) fetchedAt = Number.NEGATIVE_INFINITY;
        if (keys.length === 0) throw new Error('the issuer publishes no valid public key');
        if (failure !== undefined) log.info('the keys of the issuer are back');
        failure = undefined;
        fetchedAt = performance.now();
        fetched('succeeded');
        return Response.json({ keys });
      } catch (cause) {
        if (failure === undefined) log.error({ err: cause }, 'the keys of the issuer cannot be fetched');
        failure = { at: performance.now(), cause };
        fetched('failed');
        throw unavailable();
      }
    },
  });

  const open = async (): Promise<void> => {
    // `fetch` above has logged why it failed.
    await jwks.reload().catch(() => undefined);
    if (isStopped) return;
    const pauseMs = failure === undefined ? refreshMs : Math.min(cooldownMs, refreshMs);
    timer = setTimeout(() => void open(), pauseMs).unref();
  };

  return {
    async resolve(header, token) {
      if (ageMs() >= staleMs) await jwks.reload();
      return jwks(header, token);
    },
    open,
    health() {
      if (ageMs() >= staleMs) throw unavailable();
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
    ageSeconds: () => ageMs() / 1000,
  };
}

/** One entry that cannot be used, such as one of a new kind, does not keep the others from being used. */
async function fetchKeys(response: Response): Promise<JSONWebKeySet['keys']> {
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`the issuer answered ${response.status}`);
  }
  const value: unknown = await response.json();
  if (!Value.Check(KeySet, value)) throw new TypeError('not a key set: {"keys":[{"kty":...}, ...]}');
  return value.keys.filter(isPublicKey);
}
