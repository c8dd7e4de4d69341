import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { CompactSign, SignJWT, base64url, exportSPKI, importJWK } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
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

let good: TestKey;
let stranger: TestKey;
let published: TestIssuer;
let started: TestService;

beforeAll(async () => {
  [good, stranger] = await Promise.all([testKey('good'), testKey('good')]);
  published = await testIssuer(good);
  started = await testService(
    { AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience, AUTH_JWKS_URL: published.url, AUTH_ALGORITHMS: 'ES256,RS256' },
    (server) => {
      server.get('/private', ({ principal }) => ({ subject: principal?.subject }));
      server.post('/private', () => 'ok');
    },
  );
});
afterEach(() => {
  started.log.text = '';
});
afterAll(async () => {
  await started.service.stop(0, 1000);
  published.close();
});

function send(authorization: string) {
  return started.http.inject({ url: '/private', headers: { authorization } });
}

function seconds(fromNow: number): number {
  return Math.floor(Date.now() / 1000) + fromNow;
}

function encode(value: unknown): string {
  return base64url.encode(typeof value === 'string' ? value : JSON.stringify(value));
}

/** Parts of a token, with a signature that anyone can make. */
function unsigned(header: unknown, payload: unknown, signature = ''): string {
  return `${encode(header)}.${encode(payload)}.${signature}`;
}

async function signedWithPublicKey(): Promise<string> {
  const secret = await exportSPKI(await publicKey());
  const text = `${encode({ alg: 'HS256', kid: 'good' })}.${encode(claims())}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

async function publicKey() {
  const key = await importJWK(good.publicJwk, 'ES256', { extractable: true });
  if (key instanceof Uint8Array) throw new Error('a secret');
  return key;
}

function claims(): object {
  return { iss: issuer, aud: audience, sub: 'mallory', exp: seconds(60) };
}

it('lets a good token through', async () => {
  const answer = await send(`Bearer ${await sign(good)}`);
  expect([answer.statusCode, answer.json()]).toEqual([200, { subject: 'ada' }]);
});

describe('a token is refused', () => {
  const longKid = 'k'.repeat(4000);
  it.each<[string, string, () => string | Promise<string>]>([
    ['with alg none', 'jose_alg_not_allowed', () => unsigned({ alg: 'none' }, claims())],
    ['with alg None', 'jose_alg_not_allowed', () => unsigned({ alg: 'None', kid: 'good' }, claims())],
    [
      'with alg none and the signature of a good one',
      'jose_alg_not_allowed',
      async () => {
        const [, , signature] = (await sign(good)).split('.');
        return unsigned({ alg: 'none', kid: 'good' }, claims(), signature);
      },
    ],
    ['signed by HMAC with the public key', 'jose_alg_not_allowed', signedWithPublicKey],
    [
      'with an algorithm that is not in the settings',
      'jose_alg_not_allowed',
      async () => sign(await testKey('good', 'ES384')),
    ],
    [
      'with an algorithm of another kind of key',
      'jwks_no_matching_key',
      async () => sign(await testKey('good', 'RS256')),
    ],
    ['signed by a stranger under the id of a good key', 'jws_signature_verification_failed', () => sign(stranger)],
    [
      'with claims that were changed',
      'jws_signature_verification_failed',
      async () => {
        const [header, , signature] = (await sign(good)).split('.');
        return `${header}.${encode({ ...claims(), sub: 'root' })}.${signature}`;
      },
    ],
    [
      'without a signature',
      'jws_signature_verification_failed',
      async () => `${(await sign(good)).split('.').slice(0, 2).join('.')}.`,
    ],
    ['with a path as key id', 'jwks_no_matching_key', () => sign(stranger, {}, { kid: '../../../../dev/null' })],
    ['with SQL as key id', 'jwks_no_matching_key', () => sign(stranger, {}, { kid: "x' UNION SELECT 'key" })],
    ['with a URL as key id', 'jwks_no_matching_key', () => sign(stranger, {}, { kid: 'https://evil.example.com/key' })],
    ['with a very long key id', 'jwks_no_matching_key', () => sign(stranger, {}, { kid: longKid })],
    [
      'with a key id that is a name of every object',
      'jwks_no_matching_key',
      () => sign(stranger, {}, { kid: '__proto__' }),
    ],
    [
      'with a key id that is no text',
      'jwks_no_matching_key',
      () => unsigned({ alg: 'ES256', kid: { good: 1 } }, claims(), 'AA'),
    ],
    [
      'with a key of its own in the header',
      'jws_signature_verification_failed',
      () => sign(stranger, {}, { jwk: stranger.publicJwk }),
    ],
    [
      'with the address of a key in the header',
      'jws_signature_verification_failed',
      () => sign(stranger, {}, { jku: 'http://127.0.0.1:1/' }),
    ],
    [
      'with a certificate in the header',
      'jws_signature_verification_failed',
      () => sign(stranger, {}, { x5u: 'http://127.0.0.1:1/', x5c: ['AA'] }),
    ],
    [
      'with an extension that must be understood',
      'jose_not_supported',
      () => unsigned({ alg: 'ES256', crit: ['x'], x: 1 }, claims(), 'AA'),
    ],
    ['that has expired', 'jwt_expired', () => sign(good, { exp: seconds(-31) })],
    ['that never expires', 'claim_exp', () => sign(good, { exp: undefined })],
    ['that expires at no time', 'claim_exp', () => sign(good, { exp: 'never' })],
    ['that is not yet valid', 'claim_nbf', () => sign(good, { nbf: seconds(60) })],
    ['for another audience', 'claim_aud', () => sign(good, { aud: 'https://other.example.com' })],
    ['for no audience', 'claim_aud', () => sign(good, { aud: undefined })],
    ['of another issuer', 'claim_iss', () => sign(good, { iss: 'https://evil.example.com/' })],
    ['of an issuer that begins alike', 'claim_iss', () => sign(good, { iss: `${issuer}evil` })],
    ['without a subject', 'claim_sub', () => sign(good, { sub: undefined })],
    ['with an empty subject', 'claim_sub', () => sign(good, { sub: '' })],
    ['that is no JWT', 'jws_invalid', () => 'abc'],
    ['with a header that is no JSON', 'jws_invalid', () => `${encode('{"alg"')}.${encode(claims())}.AA`],
    ['with a header that is no object', 'jws_invalid', () => unsigned('null', claims(), 'AA')],
    ['with claims that are no JSON', 'jwt_invalid', async () => rawToken('not json')],
    ['with claims that are a list', 'jwt_invalid', async () => rawToken('[]')],
    ['with base64 that is none', 'jws_invalid', () => '~~~.~~~.~~~'],
    ['with five parts, as if encrypted', 'jws_invalid', () => `${encode({ alg: 'dir', enc: 'A256GCM' })}.a.b.c.d`],
  ])('%s: %s', async (_what, reason, token) => {
    const text = await token();
    const answer = await send(`Bearer ${text}`);
    expect([answer.statusCode, reasonIn(started.log.text)]).toEqual([401, reason]);
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm="[^"]+", error="invalid_token"$/);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    // Neither the caller nor a reader of the log learns more than needed.
    expect(answer.json()).toMatchObject({ code: 'invalid_token', detail: 'The bearer token is not accepted.' });
    for (const part of text.split('.').filter(({ length }) => length > 8)) expect(started.log.text).not.toContain(part);
    expect(started.log.text).not.toContain(longKid);
  });

  async function rawToken(payload: string): Promise<string> {
    return new CompactSign(new TextEncoder().encode(payload))
      .setProtectedHeader({ alg: 'ES256', kid: 'good' })
      .sign(good.privateKey);
  }
});

describe('a request is refused', () => {
  it.each([
    ['without the header', undefined, 401, 'token_missing'],
    ['with another scheme', 'Basic YWRhOmFkYQ==', 401, 'token_missing'],
    ['with a scheme that begins alike', 'BearerX abc', 401, 'token_missing'],
    ['without a token', 'Bearer', 400, 'header_malformed'],
    ['with a blank for a token', 'Bearer  ', 400, 'header_malformed'],
    ['with two tokens', 'Bearer abc, Bearer def', 400, 'header_malformed'],
    ['with what no token has', 'Bearer a"b', 400, 'header_malformed'],
  ])('%s', async (_, authorization, status, reason) => {
    const answer = await started.http.inject({ url: '/private', headers: authorization ? { authorization } : {} });
    expect([answer.statusCode, reasonIn(started.log.text)]).toEqual([status, reason]);
    const error = status === 400 ? ', error="invalid_request"' : '';
    expect(answer.headers['www-authenticate']).toMatch(new RegExp(`^Bearer realm="[^"]+"${error}$`));
  });

  it('with two headers, whichever of them is good', async () => {
    const token = await sign(good);
    const socket = connect(Number(new URL(started.api).port), '127.0.0.1');
    const lines = [
      'GET /private HTTP/1.1',
      'host: a',
      'connection: close',
      `authorization: Bearer ${token}`,
      'Authorization: Bearer x',
    ];
    socket.end(`${lines.join('\r\n')}\r\n\r\n`);
    const chunks: string[] = [];
    for await (const chunk of socket) chunks.push(String(chunk));
    expect(chunks.join('')).toMatch(/^HTTP\/1\.1 400 /);
    expect(reasonIn(started.log.text)).toBe('header_repeated');
  });

  it('with the token in the URL', async () => {
    const answer = await started.http.inject({ url: `/private?access_token=${await sign(good)}` });
    expect([answer.statusCode, reasonIn(started.log.text)]).toEqual([401, 'token_missing']);
    expect(started.log.text).not.toContain('access_token');
  });

  it('before its body is read', async () => {
    const broken = {
      method: 'POST',
      url: '/private',
      headers: { 'content-type': 'application/json' },
      body: '{',
    } as const;
    expect((await started.http.inject(broken)).statusCode).toBe(401);
  });
});

it('does not ask the issuer for each key that it does not know', async () => {
  const before = published.asked;
  const tokens = await Promise.all(
    Array.from({ length: 50 }, (_, index) => sign(stranger, {}, { kid: `made-up-${index}` })),
  );
  const answers = await Promise.all(tokens.map((token) => send(`Bearer ${token}`)));
  expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([401]));
  expect(published.asked - before).toBeLessThanOrEqual(1);
});

it('takes an ID token for no access token when the type is pinned', async () => {
  const pinned = await testService(
    {
      AUTH_ISSUER: issuer,
      AUTH_AUDIENCE: audience,
      AUTH_JWKS: JSON.stringify({ keys: [good.publicJwk] }),
      AUTH_ALGORITHMS: 'ES256',
      AUTH_JWT_TYPE: 'at+jwt',
    },
    (server) => server.get('/private', () => 'ok'),
  );
  const statusOf = async (typ?: string) => {
    const token = await sign(good, {}, typ === undefined ? {} : { typ });
    return (await pinned.http.inject({ url: '/private', headers: { authorization: `Bearer ${token}` } })).statusCode;
  };
  expect([
    await statusOf('at+jwt'),
    await statusOf('application/at+jwt'),
    await statusOf('JWT'),
    await statusOf(),
  ]).toEqual([200, 200, 401, 401]);
  expect(pinned.log.text).toContain('"reason":"claim_typ"');
  await pinned.service.stop(0, 1000);
});

it('counts each reason', async () => {
  await send(
    `Bearer ${await new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid: 'good' }).sign(stranger.privateKey)}`,
  );
  const text = await started.metrics.text();
  expect(text).toMatch(/^auth_decisions_total\{outcome="denied",reason="jws_signature_verification_failed"\} \d+$/m);
  expect(text).toMatch(/^auth_decisions_total\{outcome="granted",reason=""\} 1$/m);
});

function reasonIn(log: string): string | undefined {
  return /"reason":"(\w+)"/.exec(log)?.[1];
}
