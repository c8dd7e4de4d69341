import { readFileSync } from 'node:fs';
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey, type LocalJWKSet } from 'jose';
import { Type } from 'typebox';
import { Value } from 'typebox/value';

/** Where the keys come from that tokens are verified with. */
export interface Keys {
  /** The key that the header of a token names, among those that are trusted: nothing else in the header is heeded. */
  readonly resolve: JWTVerifyGetKey;
  /** Makes ready; does not fail when the keys are out of reach. */
  readonly open: () => Promise<void>;
  /** Throws when no token can be verified. */
  readonly health: () => void;
  /** On SIGHUP: takes the keys up anew; the old ones stay when it throws. Only where that makes sense. */
  readonly reload?: () => void;
  readonly stop: () => void;
}

const KeySet = Type.Object({
  keys: Type.Array(Type.Object({ kty: Type.String(), kid: Type.Optional(Type.String()) }), { minItems: 1 }),
});

/**
 * Checks a key set (RFC 7517).
 * @param value anything
 * @returns the same, when it holds public keys and no other
 * @throws {TypeError} saying what is wrong, never what the keys are
 */
export function publicKeySet(value: unknown): JSONWebKeySet {
  if (!Value.Check(KeySet, value))
    throw new TypeError('not a key set: {"keys":[{"kty":...}, ...]} with at least one key');
  // A shared secret among public keys is the way to forge tokens; a private key has no business here.
  if (value.keys.some((key) => key.kty === 'oct' || 'd' in key)) throw new TypeError('a key that is not public');
  return value;
}

/**
 * @param set public keys
 * @returns these keys, for ever
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
 * Keys that change with the file they stand in, when it is read anew: Kubernetes exchanges the files of a mounted Secret.
 * @param file path of a key set as JSON
 * @returns the keys in it
 * @throws {Error} when it holds no public keys
 */
export function fileKeys(file: string): Keys {
  const read = (): LocalJWKSet => createLocalJWKSet(publicKeySet(JSON.parse(readFileSync(file, 'utf8'))));
  let keys = read();
  return {
    resolve: (header, token) => keys(header, token),
    open: () => Promise.resolve(),
    health: () => undefined,
    reload() {
      keys = read();
    },
    stop: () => undefined,
  };
}
