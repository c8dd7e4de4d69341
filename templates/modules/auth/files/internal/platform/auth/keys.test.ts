import { setTimeout as sleep } from 'node:timers/promises';
import { decodeProtectedHeader, errors, flattenedVerify } from 'jose';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KeysUnavailableError, remoteKeys } from './keys.ts';
import { type TestIssuer, type TestKey, sign, testIssuer, testKey } from './testing.ts';

const cooldownMs = 10_000;
const refreshMs = 300_000;
const staleMs = 86_400_000;
let first: TestKey;
let second: TestKey;
let published: TestIssuer;
let keys: ReturnType<typeof remoteKeys>;

beforeEach(async () => {
  [first, second] = await Promise.all([testKey('first'), testKey('second')]);
  published = await testIssuer(first);
  vi.useFakeTimers({ toFake: ['Date', 'performance', 'setInterval', 'clearInterval'] });
  keys = remoteKeys(published.url, pino({ level: 'silent' }));
});
afterEach(() => {
  keys.stop();
  vi.useRealTimers();
  published.close();
});

/** Lets the time of a refresh pass, until the answer of the issuer is there. */
async function refreshed(): Promise<void> {
  const before = published.asked;
  await vi.advanceTimersByTimeAsync(refreshMs + cooldownMs);
  await vi.waitFor(() => expect(published.asked).toBeGreaterThan(before), { interval: 1, timeout: 10_000 });
  await sleep(50);
}

/** Whether a token of this key is good. */
async function accepts(key: TestKey): Promise<boolean> {
  const [header = '', payload = '', signature = ''] = (await sign(key)).split('.');
  const token = { protected: header, payload, signature };
  try {
    await flattenedVerify(token, await keys.resolve({ alg: 'ES256', ...decodeProtectedHeader(token) }, token));
    return true;
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return false;
    throw error;
  }
}

function away(): void {
  published.answer = (_request, response) => response.writeHead(503).end();
}

describe('rotation', () => {
  it('accepts a new key, after the cool-down at the latest', async () => {
    await keys.open();
    published.keys = [first, second];
    expect(await accepts(second)).toBe(false);
    expect(published.asked).toBe(1);
    vi.advanceTimersByTime(cooldownMs);
    expect(await accepts(second)).toBe(true);
    expect(published.asked).toBe(2);
  });

  it('refuses a key that was removed, after the next fetch', async () => {
    await keys.open();
    published.keys = [second];
    expect(await accepts(first)).toBe(true);
    await refreshed();
    expect(await accepts(first)).toBe(false);
    expect(await accepts(second)).toBe(true);
  });
});

it.each([
  ['forward', 2 * staleMs],
  ['back', -2 * staleMs],
])('are kept for as long as before when the clock is set %s', async (_, byMs) => {
  await keys.open();
  vi.setSystemTime(Date.now() + byMs);
  expect(await accepts(first)).toBe(true);
  expect(keys.ageSeconds()).toBeLessThan(60);
  expect(published.asked).toBe(1);
  away();
  vi.advanceTimersByTime(staleMs);
  await expect(accepts(first)).rejects.toBeInstanceOf(KeysUnavailableError);
});

describe('an odd entry in the set', () => {
  const odd = 'odd';
  const publish = (...entries: readonly unknown[]): void => {
    published.answer = (_request, response) => response.end(JSON.stringify({ keys: entries }));
  };

  it.each<[string, () => unknown]>([
    ['without an id that is text', () => ({ ...first.publicJwk, kid: null })],
    ['that is a shared secret', () => ({ kty: 'oct', kid: odd, k: 'c2VjcmV0' })],
    ['that is off its curve', () => ({ ...first.publicJwk, kid: odd, x: first.publicJwk.y })],
    ['that is private', () => ({ ...first.publicJwk, kid: odd, d: first.publicJwk.x })],
    ['that is too short', () => ({ kty: 'RSA', kid: odd, n: 'x'.repeat(128), e: 'AQAB' })],
    ['of an unknown kind', () => ({ kty: 'NEW', kid: odd })],
    ['that is null', () => null],
  ])('%s is skipped', async (_, entry) => {
    await keys.open();
    publish(entry(), second.publicJwk);
    await refreshed();
    expect(await accepts(first)).toBe(false);
    expect(await accepts(second)).toBe(true);
    expect(await accepts({ ...first, kid: odd })).toBe(false);
  });

  it('that is the only one does not keep a removed key', async () => {
    await keys.open();
    publish({ kty: 'NEW' });
    await refreshed();
    await expect(accepts(first)).rejects.toBeInstanceOf(KeysUnavailableError);
    expect(keys.health).toThrow('cannot be verified');
  });
});

describe('while the issuer is away', () => {
  it('goes on with the keys it has', async () => {
    await keys.open();
    away();
    await refreshed();
    expect(await accepts(first)).toBe(true);
    expect(keys.health).not.toThrow();
    expect(keys.ageSeconds()).toBeGreaterThanOrEqual(refreshMs / 1000);
  });

  it('trusts them for so long and no longer', async () => {
    await keys.open();
    away();
    vi.advanceTimersByTime(staleMs);
    await expect(accepts(first)).rejects.toBeInstanceOf(KeysUnavailableError);
    expect(keys.health).toThrow('cannot be verified');
  });

  it('cannot tell whether an unknown key is good', async () => {
    await keys.open();
    away();
    vi.advanceTimersByTime(cooldownMs);
    await expect(accepts(second)).rejects.toMatchObject({ status: 503, retryAfterMs: expect.any(Number) });
    expect(await accepts(first)).toBe(true);
  });

  it('does not ask it for each request, and recovers', async () => {
    away();
    await keys.open();
    for (let count = 0; count < 20; count += 1) await expect(accepts(first)).rejects.toMatchObject({ status: 503 });
    expect(published.asked).toBe(1);
    published.answer = (_request, response) => response.end(JSON.stringify({ keys: [first.publicJwk] }));
    vi.advanceTimersByTime(cooldownMs);
    expect(await accepts(first)).toBe(true);
  });
});

it('fetches once for all who wait', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => accepts(first)));
  expect(answers).not.toContain(false);
  expect(published.asked).toBe(1);
});

it.each<[string, TestIssuer['answer']]>([
  ['nothing, in time', () => undefined],
  ['an error', (_request, response) => response.writeHead(500).end()],
  ['another address', (_request, response) => response.writeHead(302, { location: '/elsewhere' }).end()],
  ['no JSON', (_request, response) => response.end('<html>')],
  ['no keys', (_request, response) => response.end('{"keys":[]}')],
  ['a shared secret', (_request, response) => response.end('{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}')],
])('has no keys of an issuer that answers %s', async (_, answer) => {
  published.answer = answer;
  await keys.open();
  expect(keys.ageSeconds()).toBe(Infinity);
  expect(keys.health).toThrow('cannot be verified');
  await expect(accepts(first)).rejects.toMatchObject({ code: 'auth_unavailable', status: 503 });
});
