import { createPublicKey } from 'node:crypto';
import { type JSONWebKeySet, type JWTVerifyGetKey, createLocalJWKSet, createRemoteJWKSet, customFetch } from 'jose';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { ServiceError } from '../../../pkg/errors/index.ts';
import type { Logger } from '../log/logger.ts';

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
export function staticKeys(text: string): JWTVerifyGetKey {
  const value: unknown = JSON.parse(text);
  if (!Value.Check(KeySet, value)) throw new TypeError('not a key set: {"keys":[{"kty":...}, ...]}');
  const keys = value.keys.filter(isPublicKey);
  if (keys.length === 0 || keys.length < value.keys.length) throw new TypeError('a key is not a valid public key');
  return createLocalJWKSet({ keys });
}

/** The keys of the issuer are unavailable: tokens cannot be verified. */
export class KeysUnavailableError extends ServiceError {
  /** @param cause why they are unavailable */
  constructor(cause: unknown) {
    const publicMessage = 'Tokens cannot be verified at the moment.';
    super({ code: 'auth_unavailable', status: 503, publicMessage, retryAfterMs: cooldownMs, cause });
  }
}

/** The keys that an issuer publishes. */
export interface RemoteKeys {
  /** Finds the key that the header of a token names. Nothing else in the header has an effect. */
  readonly resolve: JWTVerifyGetKey;
  /** Loads the keys; does not fail when the issuer is unavailable. */
  readonly open: () => Promise<void>;
  /** Throws when no token can be verified. */
  readonly health: () => void;
  readonly stop: () => void;
  /** Seconds since the last successful fetch; Infinity before it. */
  readonly ageSeconds: () => number;
}

/** Milliseconds after a fetch in which neither an unknown key nor a failure causes another fetch. */
const cooldownMs = 10_000;
/** A key that the issuer removed is accepted until the next fetch. */
const refreshMs = 300_000;
/** While the issuer is unavailable, the last keys are valid for a day. */
const staleMs = 86_400_000;

/**
 * Keeps the keys of an issuer. jose fetches them when a token names an unknown key, and at most once for all who wait; see decision 024.
 * @param url of the key set
 * @param log gets a line when the keys become unavailable, and when they are available again
 * @returns the keys; call `open` to load them
 */
export function remoteKeys(url: string, log: Logger): RemoteKeys {
  // The wall clock may be set back, which would keep removed keys.
  let fetchedAt = -Infinity;
  let failure: { readonly at: number; readonly cause: unknown } | undefined;
  let timer: NodeJS.Timeout | undefined;
  const age = (): number => performance.now() - fetchedAt;

  const jwks = createRemoteJWKSet(new URL(url), {
    timeoutDuration: 3000,
    cooldownDuration: cooldownMs,
    cacheMaxAge: Infinity,
    async [customFetch](from, init) {
      if (failure !== undefined && performance.now() - failure.at < cooldownMs)
        throw new KeysUnavailableError(failure.cause);
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
        return Response.json({ keys });
      } catch (cause) {
        if (failure === undefined) log.error({ err: cause }, 'the keys of the issuer cannot be fetched');
        failure = { at: performance.now(), cause };
        throw new KeysUnavailableError(cause);
      }
    },
  });
  // A failure is logged above.
  const refresh = (): Promise<void> => jwks.reload().catch(() => undefined);

  return {
    resolve: async (header, token) => {
      if (age() >= staleMs) await jwks.reload();
      return jwks(header, token);
    },
    open: async () => {
      timer = setInterval(() => {
        if (failure !== undefined || age() >= refreshMs) void refresh();
      }, cooldownMs).unref();
      await refresh();
    },
    health: () => {
      if (age() >= staleMs) throw new KeysUnavailableError(failure?.cause);
    },
    stop: () => clearInterval(timer),
    ageSeconds: () => age() / 1000,
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
