import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  type JWK,
  type JWTVerifyGetKey,
  SignJWT,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  importJWK,
} from 'jose';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { type Environment, readConfig } from '../config/config.ts';
import { config } from './config.ts';

/** Issuer and audience of the tokens of the local issuer, and its algorithm. */
export const development = { issuer: 'urn:local', audience: 'urn:local:api', algorithm: 'ES256' } as const;

const part = Type.String();
const PrivateKey = Type.Object({ kty: part, crv: part, x: part, y: part, d: part });

/**
 * The key of the local issuer, for development. `developmentToken` makes it. It is read at each request, so that a running service
 * accepts the first token too.
 * @param folder where the key is
 * @returns its public half; no key while there is none
 */
export function developmentKeys(folder: string): JWTVerifyGetKey {
  return async (header, token) => {
    const key = await readKey(folder);
    return createLocalJWKSet({ keys: key === undefined ? [] : [publicHalf(key)] })(header, token);
  };
}

/**
 * Issues a token of the local issuer. A service with the same folder accepts it while no issuer is configured.
 * @param claims subject, scopes and roles of the token
 * @param env where the settings are read from
 * @returns the token, good for an hour
 * @throws {Error} when there is another issuer
 */
export async function developmentToken(
  {
    subject,
    scopes,
    roles,
  }: { readonly subject: string; readonly scopes: readonly string[]; readonly roles: string[] },
  env: Environment,
): Promise<string> {
  const { AUTH_ISSUER: issuer, AUTH_DEVELOPMENT_DIR: folder } = readConfig(config, env);
  if (issuer !== '') throw new Error(`AUTH_ISSUER is set: ask ${issuer} for a token`);
  if (env['NODE_ENV'] === 'production') throw new Error('there is no local issuer in production');
  const key = (await readKey(folder)) ?? (await makeKey(folder));
  return new SignJWT({ scope: scopes.join(' '), roles })
    .setProtectedHeader({ alg: development.algorithm, typ: 'at+jwt' })
    .setIssuer(development.issuer)
    .setAudience(development.audience)
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime('1 hour')
    .sign(await importJWK(key, development.algorithm));
}

function publicHalf({ d: _private, ...key }: Static<typeof PrivateKey>) {
  return key;
}

async function readKey(folder: string): Promise<Static<typeof PrivateKey> | undefined> {
  const text = await readFile(fileIn(folder), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : Value.Parse(PrivateKey, JSON.parse(text));
}

async function makeKey(folder: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair(development.algorithm, { extractable: true });
  const key = await exportJWK(privateKey);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(fileIn(folder), `${JSON.stringify(key)}\n`, { mode: 0o600 });
  return key;
}

function fileIn(folder: string): string {
  return path.join(folder, 'key.json');
}
