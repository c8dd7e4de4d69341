import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type JWK, SignJWT, createLocalJWKSet, exportJWK, generateKeyPair, importJWK } from 'jose';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { type Environment, readConfig } from '../config/config.ts';
import { config } from './config.ts';
import type { Keys } from './keys.ts';

/** Issuer and audience of the tokens of the local issuer, and its algorithm. */
export const development = { issuer: 'urn:local', audience: 'urn:local:api', algorithm: 'ES256' } as const;

const text = Type.String();
const PrivateKey = Type.Object({
  kty: Type.Literal('EC'),
  crv: Type.Literal('P-256'),
  x: text,
  y: text,
  d: text,
  kid: text,
});

/**
 * The key of the local issuer, for development. `tokenCommand` makes it. It is read at each request, so that a running service
 * accepts the first token too.
 * @param folder where the key is
 * @returns its public half; no key while there is none
 */
export function developmentKeys(folder: string): Keys {
  return {
    async resolve(header, token) {
      const key = await readKey(folder);
      return createLocalJWKSet({ keys: key === undefined ? [] : [publicHalf(key)] })(header, token);
    },
  };
}

function publicHalf({ d: _private, ...key }: Static<typeof PrivateKey>) {
  return key;
}

async function makeKey(folder: string): Promise<JWK & { readonly kid: string }> {
  const { privateKey } = await generateKeyPair(development.algorithm, { extractable: true });
  const key = { ...(await exportJWK(privateKey)), kid: `local-${Date.now().toString(36)}` };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(fileIn(folder), `${JSON.stringify(key)}\n`, { mode: 0o600 });
  return key;
}

async function readKey(folder: string) {
  const file = fileIn(folder);
  let json: string;
  try {
    json = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return Value.Parse(PrivateKey, JSON.parse(json));
  } catch (cause) {
    throw new Error(`${file} holds no key: delete it, and ask for a token again`, { cause });
  }
}

function fileIn(folder: string): string {
  return path.join(folder, 'key.json');
}

/** What the command prints, and its exit code: 0 done, 2 wrong usage or settings. */
export interface Outcome {
  readonly exitCode: 0 | 2;
  readonly text: string;
}

const usage = 'usage: token [--scope <scope>]... [--role <role>]... [--subject developer] [--seconds 3600]';

/**
 * Issues a token of the local issuer. A service with the same folder accepts it while no issuer is configured.
 * @param args scopes, roles, subject and lifetime of the token
 * @param env where the settings are read from
 * @param scopes of the token when the arguments name none
 * @returns the token, or what is wrong
 */
export async function tokenCommand(
  args: readonly string[],
  env: Environment,
  scopes: readonly string[] = [],
): Promise<Outcome> {
  const options = optionsFrom(args, scopes);
  if (options === undefined) return { exitCode: 2, text: usage };
  const { AUTH_ISSUER, AUTH_DEVELOPMENT_DIR: folder } = readConfig(config, env);
  if (AUTH_ISSUER !== '') return { exitCode: 2, text: `AUTH_ISSUER is set: ask ${AUTH_ISSUER} for a token` };
  if (env['NODE_ENV'] === 'production') return { exitCode: 2, text: 'there is no local issuer in production' };
  const { scope, role, subject, seconds } = options;
  const key = (await readKey(folder)) ?? (await makeKey(folder));
  const token = await new SignJWT({ scope: scope.join(' '), roles: role })
    .setProtectedHeader({ alg: development.algorithm, kid: key.kid, typ: 'at+jwt' })
    .setIssuer(development.issuer)
    .setAudience(development.audience)
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime(`${seconds} seconds`)
    .sign(await importJWK(key, development.algorithm));
  return { exitCode: 0, text: token };
}

function optionsFrom(args: readonly string[], scopes: readonly string[]) {
  try {
    const { values } = parseArgs({
      // pnpm passes the dashes on; npm removes them.
      args: args.filter((arg) => arg !== '--'),
      options: {
        scope: { type: 'string', multiple: true, default: [...scopes] },
        role: { type: 'string', multiple: true, default: [] },
        subject: { type: 'string', default: 'developer' },
        seconds: { type: 'string', default: '3600' },
      },
    });
    const isValid = /^[1-9]\d*$/.test(values.seconds) && values.subject !== '';
    return isValid ? values : undefined;
  } catch {
    return undefined;
  }
}
