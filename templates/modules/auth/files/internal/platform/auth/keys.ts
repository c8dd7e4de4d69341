import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type JSONWebKeySet, type JWTVerifyGetKey, createLocalJWKSet, createRemoteJWKSet, customFetch } from 'jose';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { ServiceError } from '../../../pkg/errors/index.ts';
import type { Logger } from '../log/logger.ts';

/** The keys that tokens are verified with. */
export interface Keys {
  /** Finds the trusted key that the header of a token names. Nothing else in the header has an effect. */
  readonly resolve: JWTVerifyGetKey;
  /** Loads the keys; does not fail when the issuer is unavailable. */
  readonly open?: () => Promise<void>;
  /** Throws when no token can be verified. */
  readonly health?: () => void;
  /** Reads the keys again on SIGHUP; the old ones stay when it throws. */
  readonly reload?: () => void;
  readonly stop?: () => void;
}

const KeySet = Type.Object({ keys: Type.Array(Type.Unknown()) });
const Key = Type.Object({ kty: Type.String(), kid: Type.Optional(Type.String()) });

/** Whether a key can verify signatures: it is public (no shared secret), on its curve, and an RSA key has the size that jose needs. */
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
 * @param text a key set (RFC 7517) as JSON, from the settings
 * @returns its keys, which never change
 * @throws {Error} when it holds anything but public keys; the message never contains a key
 */
export function staticKeys(text: string): Keys {
  const value: unknown = JSON.parse(text);
  if (!Value.Check(KeySet, value) || value.keys.length === 0)
    throw new TypeError('not a key set: {"keys":[{"kty":...}, ...]} with at least one key');
  const keys = value.keys.filter(isPublicKey);
  if (keys.length < value.keys.length) {
    throw new TypeError(`key ${value.keys.findIndex((key) => !isPublicKey(key)) + 1} is not a valid public key`);
  }
  return { resolve: createLocalJWKSet({ keys }) };
}

/**
 * @param file path of a key set as JSON; Kubernetes replaces the files of a mounted Secret
 * @returns its keys; `reload` reads them again
 * @throws {Error} when it holds anything but public keys
 */
export function fileKeys(file: string): Keys {
  const read = (): Keys => staticKeys(readFileSync(file, 'utf8'));
  let keys = read();
  return {
    resolve: (header, token) => keys.resolve(header, token),
    reload() {
      keys = read();
    },
  };
}

/** The keys of the issuer are unavailable: tokens cannot be verified. */
export class KeysUnavailableError extends ServiceError {
  /**
   * @param retryAfterMs when the keys are fetched again
   * @param cause why they are unavailable
   */
  constructor(retryAfterMs: number, cause: unknown) {
    const publicMessage = 'Tokens cannot be verified at the moment.';
    super({ code: 'auth_unavailable', status: 503, publicMessage, retryAfterMs: Math.max(1, retryAfterMs), cause });
  }
}

/** Milliseconds after a fetch in which neither an unknown key nor a failure causes another fetch. */
const cooldownMs = 10_000;

export interface RemoteKeysOptions {
  readonly url: string;
  /** Limit for one fetch. */
  readonly timeoutMs: number;
  /** Pause between two fetches in the background. */
  readonly refreshMs: number;
  /** How long keys are valid after the last successful fetch. */
  readonly staleMs: number;
  readonly log: Logger;
  /** Called after each fetch. */
  readonly fetched: (outcome: 'succeeded' | 'failed') => void;
}

/**
 * The keys that an issuer publishes. jose's `createRemoteJWKSet` fetches and caches them, one fetch at a time, and fetches again for
 * an unknown key. This function adds a fetch in the background, so that a removed key is refused soon, a pause after a failure, and
 * an age that does not depend on the wall clock.
 * @param options where the keys are, and time limits
 * @returns the keys, and their age in seconds: infinite while there are none
 */
export function remoteKeys(options: RemoteKeysOptions) {
  const { url, timeoutMs, refreshMs, staleMs, log, fetched } = options;
  let fetchedAt = -Infinity;
  let failure: { readonly at: number; readonly cause: unknown } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  const ageMs = (): number => performance.now() - fetchedAt;
  const unavailable = (): KeysUnavailableError =>
    new KeysUnavailableError((failure?.at ?? 0) + cooldownMs - performance.now(), failure?.cause);

  const jwks = createRemoteJWKSet(new URL(url), {
    timeoutDuration: timeoutMs,
    cooldownDuration: cooldownMs,
    cacheMaxAge: Infinity,
    async [customFetch](from, init) {
      if (failure !== undefined && performance.now() - failure.at < cooldownMs) throw unavailable();
      try {
        const keys = await publicKeysIn(await fetch(from, init));
        // The issuer answers without a key: the keys that it removed are refused at once.
        if (keys.length === 0) {
          fetchedAt = -Infinity;
          throw new Error('the issuer publishes no valid public key');
        }
        if (failure !== undefined) log.info('the keys of the issuer are available again');
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
    // The failure is logged above.
    await jwks.reload().catch(() => undefined);
    if (isStopped) return;
    const pauseMs = failure === undefined ? refreshMs : Math.min(cooldownMs, refreshMs);
    timer = setTimeout(() => void open(), pauseMs).unref();
  };

  const resolve: JWTVerifyGetKey = async (header, token) => {
    if (ageMs() >= staleMs) await jwks.reload();
    return jwks(header, token);
  };
  return {
    resolve,
    open,
    health: () => {
      if (ageMs() >= staleMs) throw unavailable();
    },
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
    ageSeconds: () => ageMs() / 1000,
  };
}

/** Skips entries that cannot be used, such as those of a new kind. */
async function publicKeysIn(response: Response): Promise<JSONWebKeySet['keys']> {
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`the issuer answered ${response.status}`);
  }
  const value: unknown = await response.json();
  if (!Value.Check(KeySet, value)) throw new TypeError('not a key set: {"keys":[{"kty":...}, ...]}');
  return value.keys.filter(isPublicKey);
}
