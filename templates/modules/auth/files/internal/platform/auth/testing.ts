import { once } from 'node:events';
import { type RequestListener, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, type JWK, type JWTHeaderParameters, SignJWT, exportJWK, generateKeyPair } from 'jose';
import { pino } from 'pino';
import { Type } from 'typebox';
import { testSettings } from '../http/config.ts';
import { Service } from '../app/lifecycle.ts';
import { defineModule } from '../app/module.ts';
import { checkConfig, readConfig } from '../config/config.ts';
import { http } from '../http/module.ts';
import type { Http } from '../http/server.ts';
import { type Identity, identity } from '../identity/module.ts';
import { type Metrics, metrics } from '../metrics/module.ts';
import { tracing } from '../app/tracing.ts';
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

/** A service with the module and routes of its own. */
export interface TestService {
  readonly http: Http;
  /** Base URL of the API. */
  readonly api: string;
  readonly metrics: Metrics;
  readonly identity: Identity;
  readonly service: Service;
  /** Its log, as text. */
  readonly log: { text: string };
}

/**
 * @param env settings
 * @param routes registers them
 * @returns the service, ready
 */
export async function testService(
  env: Readonly<Record<string, string>>,
  routes: (server: Http) => void,
): Promise<TestService> {
  const log = { text: '' };
  const { promise, resolve } = Promise.withResolvers<Pick<TestService, 'http' | 'metrics' | 'identity'>>();
  const slice = defineModule({
    name: 'slice',
    config: Type.Object({}),
    requires: [http, identity, metrics, auth],
    start({ use }) {
      routes(use(http));
      resolve({ http: use(http), metrics: use(metrics), identity: use(identity) });
      return { value: undefined };
    },
  });
  const settings = { ...testSettings, ...env };
  checkConfig([auth.config], settings, auth.rules);
  const service = new Service([identity, metrics, tracing, http, auth, slice], {
    log: pino({ base: null }, { write: (line) => (log.text += line) }),
    configOf: (module) => readConfig(module.config, settings),
    startTimeoutMs: 10_000,
  });
  try {
    await service.start();
  } catch (error) {
    await service.stop(0, 1000);
    throw error;
  }
  const started = await promise;
  const api = `http://127.0.0.1:${portOf(started.http.server.address())}`;
  return { ...started, api, service, log };
}
