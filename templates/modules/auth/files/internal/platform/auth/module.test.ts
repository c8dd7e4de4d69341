import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Registry } from '@prometheus-io/client';
import { pino } from 'pino';
import { current } from '../../../pkg/context/index.ts';
import { testHttp } from '../../../test/support/http.ts';
import type { Authenticate } from '../identity/module.ts';
import { principalKey } from '../http/requestContext.ts';
import { developmentToken } from './development.ts';
import { Guard } from './guard.ts';
import { protect } from './module.ts';
import { Denial } from './verify.ts';
import {
  type TestIssuer,
  type TestKey,
  type TestService,
  audience,
  issuer,
  sign,
  testIssuer,
  testKey,
  testService,
} from './testing.ts';

let key: TestKey;
let published: TestIssuer;
let folder: string;

beforeAll(async () => {
  key = await testKey('key');
  published = await testIssuer(key);
  folder = await mkdtemp(path.join(os.tmpdir(), 'auth-'));
});
afterAll(async () => {
  published.close();
  await rm(folder, { recursive: true });
});
afterEach(() => vi.unstubAllEnvs());

const names = { AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience, AUTH_ALGORITHMS: 'ES256' };

function settings(): Record<string, string> {
  return { ...names, AUTH_JWKS: JSON.stringify({ keys: [key.publicJwk] }) };
}

describe('what a route declares', () => {
  let started: TestService;

  beforeAll(async () => {
    started = await testService({ ...settings(), AUTH_ROLES_CLAIM: 'realm_access.roles' }, (server) => {
      const schema = { response: {} };
      server.get('/docs/secret', { schema }, () => 'secret');
      server.get('/any', { schema }, ({ principal }) => ({ subject: principal?.subject }));
      server.get('/open', { schema, config: { auth: 'public' } }, ({ principal }) => ({
        known: principal !== undefined,
      }));
      server.post('/items', { schema, config: { auth: { scopes: ['items:read', 'items:write'] } } }, () => 'ok');
      server.get('/admin', { schema, config: { auth: { roles: ['admin', 'owner'] } } }, () => 'ok');
      const resource = { config: { resource: 'orders' } };
      server.get('/orders', { schema, ...resource }, () => 'ok');
      server.post('/orders', { schema, ...resource }, () => 'ok');
      server.delete('/orders', { schema, config: { resource: 'orders', auth: { roles: ['admin'] } } }, () => 'ok');
    });
  });
  afterAll(() => started.service.stop(0, 1000));

  const read = { scope: 'items:read' };
  const write = { scope: 'items:read items:write' };
  it.each<[string, 'GET' | 'HEAD' | 'POST' | 'DELETE', string, object | undefined, number]>([
    ['anyone on a public route', 'GET', '/open', undefined, 200],
    ['anyone on the version', 'GET', '/version', undefined, 200],
    ['nobody on a route that only looks like the description', 'GET', '/docs/secret', undefined, 401],
    ['anyone where there is nothing', 'GET', '/nothing', undefined, 404],
    ['nobody without a token', 'GET', '/any', undefined, 401],
    ['a valid token where nothing is declared', 'GET', '/any', {}, 200],
    ['nobody with one scope of two', 'POST', '/items', read, 403],
    ['whoever has every scope', 'POST', '/items', write, 200],
    ['whoever has every scope, as a list', 'POST', '/items', { scope: ['items:write', 'items:read'] }, 200],
    ['nobody whose scope only begins alike', 'POST', '/items', { scope: 'items:read items:writer' }, 403],
    ['nobody whose scopes are no text', 'POST', '/items', { scope: { 'items:write': true } }, 403],
    ['whoever has one of the roles', 'GET', '/admin', { realm_access: { roles: ['owner'] } }, 200],
    ['nobody with none of the roles', 'GET', '/admin', { realm_access: { roles: ['guest'] }, roles: ['admin'] }, 403],
    ['a caller with the scope to read', 'GET', '/orders', { scope: 'orders:read' }, 200],
    ['a caller with the scope to read, by HEAD', 'HEAD', '/orders', { scope: 'orders:read' }, 200],
    ['nobody who may only write a resource', 'GET', '/orders', { scope: 'orders:write' }, 403],
    ['whoever may write a resource', 'POST', '/orders', { scope: 'orders:write' }, 200],
    ['nobody who may only read a resource', 'POST', '/orders', { scope: 'orders:read' }, 403],
    ['nobody with the scopes of a route that declares a role', 'DELETE', '/orders', { scope: 'orders:write' }, 403],
  ])('lets through %s', async (_, method, url, claims, status) => {
    const headers = claims === undefined ? {} : { authorization: `Bearer ${await sign(key, { ...claims })}` };
    const answer = await started.http.inject({ method, url, headers });
    expect(answer.statusCode, answer.body).toBe(status);
  });

  it('tells which scopes are needed', async () => {
    const headers = { authorization: `Bearer ${await sign(key)}` };
    const answer = await started.http.inject({ method: 'POST', url: '/items', headers });
    expect(answer.headers['www-authenticate']).toMatch(/error="insufficient_scope", scope="items:read items:write"$/);
    expect(answer.json()).toMatchObject({ status: 403, code: 'insufficient_scope' });
  });

  it('logs who was denied, never the token', async () => {
    started.log.text = '';
    const token = await sign(key, write);
    await started.http.inject({ url: '/admin', headers: { authorization: `Bearer ${token}` } });
    const line = started.log.text.split('\n').find((each) => each.includes('request denied')) ?? '';
    const denied = { requestId: expect.any(String), subject: 'ada', route: '/admin', reason: 'role', status: 403 };
    expect(JSON.parse(line)).toMatchObject(denied);
    expect(started.log.text).not.toContain(token);
  });
});

describe('tokens that do not come by HTTP', () => {
  let started: TestService;
  let authenticate: Authenticate;
  beforeAll(async () => {
    started = await testService(settings(), (server) => {
      server.get('/whoami', () => ({ subject: current().get(principalKey)?.subject }));
    });
    authenticate = started.identity.authenticate ?? expect.unreachable('nobody authenticates');
  });
  afterAll(() => started.service.stop(0, 1000));

  const needs = { scopes: ['items:read'], roles: [] };
  const what = { method: 'Items/Get' };

  it('are verified in the same way, and logged as what they were sent for', async () => {
    const token = await sign(key, { scope: 'items:read' });
    const { subject, expiresAt } = await authenticate(token, needs, what);
    expect(subject).toBe('ada');
    expect(expiresAt).toBeGreaterThan(Date.now());

    await expect(authenticate(await sign(key), needs, what)).rejects.toMatchObject({ status: 403, reason: 'scope' });
    expect(started.log.text).toMatch(/"method":"Items\/Get".*"reason":"scope".*request denied/);
  });

  it.each([
    [undefined, 'token_missing'],
    ['', 'token_missing'],
    ['x.y.z', 'jws_invalid'],
  ])('are refused like others: %.10s', async (token, reason) => {
    await expect(authenticate(token, needs, what)).rejects.toMatchObject({ status: 401, reason });
  });

  it('leave who sent them in the context', async () => {
    const headers = { authorization: `Bearer ${await sign(key)}` };
    expect(await (await fetch(`${started.api}/whoami`, { headers })).json()).toEqual({ subject: 'ada' });
  });
});

it('protects routes that were there before it', async () => {
  const server = await testHttp();
  server.get('/early', () => 'ok');
  const denial = new Denial('invalid_token', 'jwt_expired');
  protect(server, new Guard(() => Promise.reject(denial), pino({ level: 'silent' }), new Registry()));
  expect((await server.inject('/early')).statusCode).toBe(401);
});

it('is unhealthy while the issuer is unavailable, and requests fail with 503', async () => {
  const down = await testIssuer(key);
  down.answer = (_request, response) => response.writeHead(500).end();
  const started = await testService({ ...names, AUTH_JWKS_URL: down.url }, (server) => {
    server.get('/any', () => 'ok');
  });
  const headers = { authorization: `Bearer ${await sign(key)}` };
  const refused = await started.http.inject({ url: '/any', headers });
  expect(refused.statusCode).toBe(503);
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  expect(refused.headers).not.toHaveProperty('www-authenticate');
  expect(await started.service.health(1000)).toHaveProperty('auth.error');
  expect(await started.metrics.text()).toMatch(/^auth_jwks_age_seconds \+Inf$/m);
  await started.service.stop(0, 1000);
  down.close();
});

describe('settings', () => {
  const jwks = (): string => JSON.stringify({ keys: [key.publicJwk] });
  it.each<[string, () => Record<string, string>, string]>([
    ['nothing at all', () => ({}), 'AUTH_ISSUER'],
    ['no audience', () => ({ AUTH_ISSUER: issuer, AUTH_JWKS: jwks() }), 'AUTH_AUDIENCE'],
    ['no issuer', () => ({ AUTH_AUDIENCE: audience, AUTH_JWKS: jwks() }), 'AUTH_ISSUER'],
    ['no keys', () => ({ ...names }), 'AUTH_JWKS_URL'],
    ['keys twice', () => ({ ...settings(), AUTH_JWKS_URL: 'https://login.example.com/jwks' }), 'AUTH_JWKS_URL'],
    ['keys over http', () => ({ ...names, AUTH_JWKS_URL: 'http://login.example.com/jwks' }), 'AUTH_JWKS_URL'],
    ['keys that are no JSON', () => ({ ...names, AUTH_JWKS: '{' }), 'AUTH_JWKS'],
    ['a shared secret', () => ({ ...names, AUTH_JWKS: '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}' }), 'AUTH_JWKS'],
    ['a private key', () => ({ ...names, AUTH_JWKS: '{"keys":[{"kty":"EC","d":"c2VjcmV0"}]}' }), 'AUTH_JWKS'],
    ['a symmetric algorithm', () => ({ ...settings(), AUTH_ALGORITHMS: 'ES256,HS256' }), 'AUTH_ALGORITHMS'],
    ['no algorithm', () => ({ ...settings(), AUTH_ALGORITHMS: 'none' }), 'AUTH_ALGORITHMS'],
  ])('in production, %s: does not start', async (_, env, variable) => {
    const start = testService({ ...env(), NODE_ENV: 'production' }, () => undefined);
    await expect(start).rejects.toMatchObject({ faults: [{ variable }] });
    await expect(start).rejects.not.toThrow('c2VjcmV0');
  });
});

describe('the local issuer', () => {
  it('needs no setting, and its tokens are good in a service that runs already', async () => {
    const env = { AUTH_DEVELOPMENT_DIR: path.join(folder, 'key') };
    const started = await testService(env, (server) => {
      server.get(
        '/admin',
        { config: { auth: { scopes: ['all'], roles: ['admin'] } } },
        ({ principal }) => principal?.subject,
      );
    });
    const ask = async (token: string) => {
      const { statusCode, body } = await started.http.inject({
        url: '/admin',
        headers: { authorization: `Bearer ${token}` },
      });
      return [statusCode, body];
    };
    expect(started.log.text).toContain('local issuer, for development');
    expect(await ask(await sign(key))).toMatchObject([401, expect.any(String)]);

    const grace = { subject: 'grace', scopes: ['all'], roles: ['admin'] };
    expect(await ask(await developmentToken(grace, env))).toEqual([200, 'grace']);
    const guest = { ...grace, roles: [] };
    expect(await ask(await developmentToken(guest, env))).toMatchObject([403, expect.any(String)]);
    const [file = ''] = await readdir(env.AUTH_DEVELOPMENT_DIR);
    expect((await stat(path.join(env.AUTH_DEVELOPMENT_DIR, file))).mode & 0o077).toBe(0);
    await started.service.stop(0, 1000);
  });

  it.each([
    [{ NODE_ENV: 'production' }, 'no local issuer in production'],
    [{ AUTH_ISSUER: issuer }, `ask ${issuer}`],
  ])('issues nothing with %j', async (env, text) => {
    const issued = developmentToken(
      { subject: 'ada', scopes: [], roles: [] },
      { AUTH_DEVELOPMENT_DIR: folder, ...env },
    );
    await expect(issued).rejects.toThrow(text);
  });
});
