import { once } from 'node:events';
import { type RequestListener, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, type JWK, type JWTHeaderParameters, SignJWT, exportJWK, generateKeyPair } from 'jose';
import { startModules } from '../../../test/support/modules.ts';
import { tracing } from '../app/tracing.ts';
import type { Environment } from '../config/config.ts';
import { testSettings } from '../http/config.ts';
import { http } from '../http/module.ts';
import type { Http } from '../http/server.ts';
import { identity } from '../identity/module.ts';
import { metrics } from '../metrics/module.ts';
import { auth } from './module.ts';

export const issuer = 'https://login.example.com/';
export const audience = 'https://orders.example.com';

/** One key of an issuer. */
export interface TestKey {
  readonly kid: string;
  readonly algorithm: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK & { kty: string };
}

/**
 * @param kid its id
 * @param algorithm it signs with
 * @returns a new pair
 */
export async function testKey(kid: string, algorithm = 'ES256'): Promise<TestKey> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const { kty = '', ...rest } = await exportJWK(publicKey);
  return { kid, algorithm, privateKey, publicJwk: { ...rest, kty, kid, alg: algorithm } };
}

/**
 * @param key that signs
 * @param claims beyond, or in place of, those of a good token; `undefined` leaves one out
 * @param header beyond, or in place of, algorithm and key id
 * @returns a token, good for a minute
 */
export function sign(
  key: TestKey,
  claims: Readonly<Record<string, unknown>> = {},
  header: Partial<JWTHeaderParameters> = {},
): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 60;
  return new SignJWT({ iss: issuer, aud: audience, sub: 'ada', exp, ...claims })
    .setProtectedHeader({ alg: key.algorithm, kid: key.kid, ...header })
    .sign(key.privateKey);
}

/** An issuer that publishes keys. */
export interface TestIssuer {
  readonly url: string;
  /** How often it was asked. */
  asked: number;
  /** What it answers; by default its keys. */
  answer: RequestListener;
  keys: readonly TestKey[];
  readonly close: () => void;
}

/**
 * @param keys that it publishes at first
 * @returns an issuer on a port of this machine
 */
export async function testIssuer(...keys: readonly TestKey[]): Promise<TestIssuer> {
  const server = createServer((request, response) => {
    published.asked += 1;
    published.answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const published: TestIssuer = {
    url: `http://127.0.0.1:${portOf(server.address())}/jwks`,
    asked: 0,
    keys,
    answer: (_request, response) => {
      response.end(JSON.stringify({ keys: published.keys.map(({ publicJwk }) => publicJwk) }));
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
  return published;
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/**
 * @param env settings
 * @param routes registers routes of the service
 * @returns a service with the module
 */
export async function testService(env: Environment, routes: (server: Http) => void) {
  const modules = [identity, metrics, tracing, http, auth];
  const { value, ...started } = await startModules(modules, { ...testSettings, ...env }, (use) => {
    routes(use(http));
    return { http: use(http), metrics: use(metrics), identity: use(identity) };
  });
  return { ...started, ...value, api: `http://127.0.0.1:${portOf(value.http.server.address())}` };
}

export type TestService = Awaited<ReturnType<typeof testService>>;
