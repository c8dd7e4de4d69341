import { createHmac, createPublicKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Type } from 'typebox';
import type { Service } from '../../../templates/base/files/internal/platform/app/lifecycle.ts';
import { defineModule } from '../../../templates/base/files/internal/platform/app/module.ts';
import { http } from '../../../templates/base/files/internal/platform/http/module.ts';
import { identity } from '../../../templates/base/files/internal/platform/identity/module.ts';
import { metrics } from '../../../templates/base/files/internal/platform/metrics/module.ts';
import { tracing } from '../../../templates/base/files/internal/platform/app/tracing.ts';
import { auth } from '../../../templates/modules/auth/files/internal/platform/auth/module.ts';
import { sign, type TestKey, testKey } from '../../../templates/modules/auth/files/internal/platform/auth/testing.ts';
import { redis } from '../../../templates/modules/redis/files/internal/platform/redis/module.ts';
import { websocket } from '../../../templates/modules/websocket/files/internal/platform/websocket/module.ts';
import {
  echo,
  note,
  rawClient,
} from '../../../templates/modules/websocket/files/internal/platform/websocket/testing.ts';
import { startWithAuth } from './withAuth.ts';

describe('modules auth and websocket, which do not know each other', () => {
  let key: TestKey;
  let service: Service;
  let url: string;
  let scrape: () => Promise<string>;

  beforeAll(async () => {
    key = await testKey('key');
    const slice = defineModule({
      name: 'slice',
      config: Type.Object({}),
      requires: [http, metrics, websocket],
      start({ use }) {
        const sockets = use(websocket);
        sockets.on({ ...echo, response: undefined }, () => {});
        sockets.on({ ...note, scopes: ['notes:write'] }, () => {});
        sockets.topic({ name: 'orders', resource: 'orders' });
        scrape = use(metrics).text;
        const { server } = use(http);
        server.once('listening', () => {
          const address = server.address();
          url = `ws://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/ws`;
        });
        return { value: undefined };
      },
    });
    service = await startWithAuth(key, [metrics, tracing, http, identity, redis, auth, websocket, slice], {
      WEBSOCKET_DRAIN_MS: '0',
      WEBSOCKET_HEARTBEAT_MS: '100',
    });
  });
  afterAll(() => service.stop(0, 5000));

  const refusal = (token?: string): Promise<unknown> =>
    rawClient(url, { protocols: token === undefined ? [] : [`bearer.${token}`] }).then(
      ({ socket }) => {
        socket.terminate();
        return 'let in';
      },
      (error: unknown) => String(error),
    );

  /** How many tokens were refused for a reason. */
  const denied = async (reason: string): Promise<number> =>
    Number(new RegExp(`outcome="denied",reason="${reason}"\\} (\\d+)`).exec(await scrape())?.[1] ?? 0);

  it('lets in who has a good token, in the header or as a subprotocol, which is not answered with', async () => {
    const token = await sign(key);
    const byHeader = await rawClient(url, { headers: { authorization: `Bearer ${token}` } });
    const bySubprotocol = await rawClient(url, { protocols: [`bearer.${token}`] });
    expect(bySubprotocol.socket.protocol).toBe('envelope.v2');
    for (const { socket } of [byHeader, bySubprotocol]) socket.terminate();
  });

  it('refuses who has none, or one that is expired, unsigned, or signed by somebody else', async () => {
    const expired = await sign(key, { exp: Math.floor(Date.now() / 1000) - 40 });
    const stranger = await sign(await testKey('key'));
    const [header = '', payload = ''] = (await sign(key)).split('.');
    const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
    const tokens = [undefined, expired, stranger, `${none}.${payload}.`, `${header}.${payload}.`, 'garbage'];
    const refusals = await Promise.all(tokens.map((token) => refusal(token)));
    expect(refusals).toEqual(tokens.map(() => 'Error: Unexpected server response: 401'));
    expect(await scrape()).toContain('auth_decisions_total{outcome="denied",reason="jwt_expired"} 1');
  });

  it('refuses, and counts, one that is signed by the public key as if it were a secret, and one that says it is unsigned', async () => {
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const [, payload = ''] = (await sign(key)).split('.');
    const signed = `${encode({ alg: 'HS256', typ: 'JWT', kid: key.kid })}.${payload}`;
    const secret = createPublicKey({ key: key.publicJwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    const swapped = `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
    const unsigned = `${encode({ alg: 'none', typ: 'JWT' })}.${payload}.`;
    for (const token of [swapped, unsigned]) {
      const before = await denied('jose_alg_not_allowed');
      expect(await refusal(token)).toBe('Error: Unexpected server response: 401');
      expect(await denied('jose_alg_not_allowed')).toBe(before + 1);
    }
  });

  it('refuses two tokens at once', async () => {
    const token = await sign(key);
    const both = rawClient(url, { headers: { authorization: `Bearer ${token}` }, protocols: [`bearer.${token}`] });
    await expect(both).rejects.toThrow('400');
  });

  it('a subscriber of the topic of a resource needs its scope to read', async () => {
    const answer = async (scope: string): Promise<unknown> => {
      const client = await rawClient(url, { protocols: [`bearer.${await sign(key, { scope })}`] });
      const { payload } = await client.ask({ type: 'topic.subscribe', payload: { topics: ['orders'] } });
      client.socket.terminate();
      return payload;
    };
    const needed = { code: 'insufficient_scope', details: { scopes: ['orders:read'] } };
    expect(await answer('orders:write')).toMatchObject({ refused: { orders: needed } });
    expect(await answer('orders:read')).toMatchObject({ refused: {} });
  });

  it('knows the scopes of the token, and closes with 4401 when it ends', async () => {
    // A token is accepted for 30 seconds after its end, because clocks differ: the connection stays open as long.
    const exp = Math.floor(Date.now() / 1000) - 25;
    const client = await rawClient(url, { protocols: [`bearer.${await sign(key, { exp, scope: 'other' })}`] });
    const answer = await client.ask({ type: 'note', payload: { text: '' } });
    expect(answer.payload).toMatchObject({ code: 'insufficient_scope' });
    expect(await client.closed).toEqual({ code: 4401, reason: 'token_expired' });
    expect(Date.now()).toBeGreaterThanOrEqual((exp + 30) * 1000);
  });
});
