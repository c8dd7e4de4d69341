import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type JWK, SignJWT, createLocalJWKSet, exportJWK, generateKeyPair, importJWK } from 'jose';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { type Environment, readConfig } from '../config/config.ts';
import { config } from './config.ts';
import { type Keys, staticKeys } from './keys.ts';

/** What the local issuer calls itself, and the service. */
export const development = { issuer: 'urn:local', audience: 'urn:local:api', algorithm: 'ES256' } as const;

/** What a token of the local issuer says. */
export interface DevelopmentToken {
  readonly subject: string;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  /** Seconds until it expires. */
  readonly seconds: number;
}

const PrivateKey = Type.Object({
  kty: Type.Literal('EC'),
  crv: Type.Literal('P-256'),
  x: Type.String(),
  y: Type.String(),
  d: Type.String(),
  kid: Type.String(),
});

/**
 * The key of the local issuer, for development. `issueToken` makes it at its first call; until then no token is good. It is
 * read at each request, so that a service that runs already takes the first token too.
 * @param folder where the key is kept
 * @returns its public half
 */
export function developmentKeys(folder: string): Keys {
  return {
    ...staticKeys({ keys: [] }),
    async resolve(header, token) {
      const key = await readKey(folder);
      return createLocalJWKSet({ keys: key === undefined ? [] : [publicHalf(key)] })(header, token);
    },
  };
}

/**
 * Issues a token that a service with the same folder accepts, as long as no issuer is configured there.
 * @param folder where the key is kept; it is made there, for this user alone, when there is none
 * @param token what it says
 * @returns a signed JWT
 */
export async function issueToken(
  folder: string,
  { subject, scopes, roles, seconds }: DevelopmentToken,
): Promise<string> {
  const key = (await readKey(folder)) ?? (await makeKey(folder));
  return new SignJWT({ scope: scopes.join(' '), roles })
    .setProtectedHeader({ alg: development.algorithm, kid: key.kid, typ: 'at+jwt' })
    .setIssuer(development.issuer)
    .setAudience(development.audience)
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime(`${seconds} seconds`)
    .sign(await importJWK(key, development.algorithm));
}

async function makeKey(folder: string): Promise<JWK & { readonly kid: string }> {
  const { privateKey } = await generateKeyPair(development.algorithm, { extractable: true });
  const key = { ...(await exportJWK(privateKey)), kid: `local-${Date.now().toString(36)}` };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(fileIn(folder), `${JSON.stringify(key)}\n`, { mode: 0o600 });
  return key;
}

async function readKey(folder: string): Promise<(JWK & { readonly kid: string }) | undefined> {
  const file = fileIn(folder);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return Value.Parse(PrivateKey, JSON.parse(text));
  } catch (cause) {
    throw new Error(`${file} holds no key: delete it, and ask for a token again`, { cause });
  }
}

function publicHalf({ d: _private, ...key }: JWK): JWK & { kty: string } {
  return { ...key, kty: 'EC' };
}

function fileIn(folder: string): string {
  return path.join(folder, 'key.json');
}

/** What the command prints, and exits with: 0 done, 2 wrong usage or settings. */
export interface Outcome {
  readonly exitCode: 0 | 2;
  readonly text: string;
}

const usage = 'usage: token [--scope <scope>]... [--role <role>]... [--subject developer] [--seconds 3600]';

/**
 * Issues a token of the local issuer.
 * @param args what the token says
 * @param env where the settings are read from
 * @returns the token, or what is wrong
 */
export async function tokenCommand(args: readonly string[], env: Environment): Promise<Outcome> {
  const options = optionsFrom(args);
  if (options === undefined) return { exitCode: 2, text: usage };
  const { AUTH_ISSUER, AUTH_DEVELOPMENT_DIR } = readConfig(config, env);
  if (AUTH_ISSUER !== '') return { exitCode: 2, text: `AUTH_ISSUER is set: ask ${AUTH_ISSUER} for a token` };
  if (env['NODE_ENV'] === 'production') return { exitCode: 2, text: 'there is no local issuer in production' };
  return { exitCode: 0, text: await issueToken(AUTH_DEVELOPMENT_DIR, options) };
}

function optionsFrom(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      // pnpm hands on the dashes that npm takes away.
      args: args.filter((arg) => arg !== '--'),
      options: {
        scope: { type: 'string', multiple: true, default: [] },
        role: { type: 'string', multiple: true, default: [] },
        subject: { type: 'string', default: 'developer' },
        seconds: { type: 'string', default: '3600' },
      },
    });
    const seconds = Number(values.seconds);
    if (!Number.isInteger(seconds) || seconds < 1 || values.subject === '') return undefined;
    return { scopes: values.scope, roles: values.role, subject: values.subject, seconds };
  } catch {
    return undefined;
  }
}
