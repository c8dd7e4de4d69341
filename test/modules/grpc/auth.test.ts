import { type JsonWebKey, createHmac, createPublicKey } from 'node:crypto';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const modules = path.resolve(import.meta.dirname, '../../../templates/modules');
/** What Slipway prints for the resource of the default preset. */
const items = path.resolve(import.meta.dirname, '../../../.cache/templates/internal/items');

/** A part of a template: the types of another program. */
const load = (file: string) => import(path.join(modules, file));

function pemOf(key: JsonWebKey): string {
  return createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString();
}

describe('grpc beside auth', () => {
  it('takes the tokens that HTTP takes, and refuses those that are expired, unsigned, signed by the public key or not enough', async () => {
    const { Echo, echoes, testService } = await load('grpc/files/internal/platform/grpc/testing.ts');
    const { auth } = await load('auth/files/internal/platform/auth/module.ts');
    const { http } = await import(path.resolve(modules, '../base/files/internal/platform/http/module.ts'));
    const { audience, issuer, sign, testKey } = await load('auth/files/internal/platform/auth/testing.ts');
    const key = await testKey('key');
    const service = await testService(
      (grpc: { add: (...args: unknown[]) => void }) =>
        grpc.add(Echo, echoes, { methods: { one: { auth: { scopes: ['items:write'] } } } }),
      { AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience, AUTH_JWKS: JSON.stringify({ keys: [key.publicJwk] }) },
      [http, auth],
    );
    try {
      const call = (token: string) =>
        service
          .open({ token: () => token })
          .client(Echo)
          .one({ value: 'a' });
      expect(await call(await sign(key, { scope: 'items:write' }))).toMatchObject({ value: 'a' });
      await expect(service.open().client(Echo).one({ value: 'a' })).rejects.toMatchObject({
        grpcStatus: 'UNAUTHENTICATED',
      });
      await expect(call(await sign(key))).rejects.toMatchObject({ grpcStatus: 'PERMISSION_DENIED' });
      const past = Math.floor(Date.now() / 1000) - 3600;
      await expect(call(await sign(key, { scope: 'items:write', exp: past }))).rejects.toMatchObject({
        grpcStatus: 'UNAUTHENTICATED',
      });
      const [head, body] = (await sign(key, { scope: 'items:write' })).split('.');
      const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`;
      await expect(call(unsigned)).rejects.toMatchObject({ grpcStatus: 'UNAUTHENTICATED' });
      await expect(call(`${head}.${body}.AAAA`)).rejects.toMatchObject({ grpcStatus: 'UNAUTHENTICATED' });
      // Whoever takes the algorithm from the token takes the public key for a secret.
      for (const secret of [pemOf(key.publicJwk), pemOf(key.publicJwk).trim(), JSON.stringify(key.publicJwk)]) {
        const signed = `${Buffer.from('{"alg":"HS256","kid":"key"}').toString('base64url')}.${body}`;
        const swapped = `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
        await expect(call(swapped)).rejects.toMatchObject({ grpcStatus: 'UNAUTHENTICATED' });
      }
      expect(await service.metrics.text()).toMatch(
        /^auth_decisions_total\{outcome="denied",reason="jwt_expired"\} 1$/m,
      );
      expect(await service.metrics.text()).toMatch(
        /^auth_decisions_total\{outcome="denied",reason="jose_alg_not_allowed"\} 4$/m,
      );
      expect(service.log.text).toContain('"method":"test.Echo/One"');
    } finally {
      await service.stop();
    }
  });

  it('a resource needs the scopes that its routes need', async () => {
    const { testService } = await load('grpc/files/internal/platform/grpc/testing.ts');
    const { auth } = await load('auth/files/internal/platform/auth/module.ts');
    const { http } = await import(path.resolve(modules, '../base/files/internal/platform/http/module.ts'));
    const { audience, issuer, sign, testKey } = await load('auth/files/internal/platform/auth/testing.ts');
    const { ItemService } = await import(path.resolve(items, '../../api/gen/items/v1/items_pb.ts'));
    const { serveItems } = await import(path.join(items, 'grpc.ts'));
    const { memoryItems } = await import(path.join(items, 'memory.ts'));
    const { itemService } = await import(path.join(items, 'service.ts'));
    const key = await testKey('key');
    const service = await testService(
      (grpc: unknown) => serveItems(grpc, itemService(memoryItems())),
      { AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience, AUTH_JWKS: JSON.stringify({ keys: [key.publicJwk] }) },
      [http, auth],
    );
    try {
      const clientWith = (scope: string) => service.open({ token: () => sign(key, { scope }) }).client(ItemService);
      const [reader, writer] = [clientWith('items:read'), clientWith('items:write')];
      const item = { name: 'bolt', quantity: 3 };
      await expect(reader.createItem({ item })).rejects.toMatchObject({ grpcStatus: 'PERMISSION_DENIED' });
      const { id } = await writer.createItem({ item });
      expect(await reader.getItem({ id })).toMatchObject(item);
      expect(await reader.listItems({})).toMatchObject({ items: [item] });
      await expect(writer.getItem({ id })).rejects.toMatchObject({ grpcStatus: 'PERMISSION_DENIED' });
      await expect(reader.deleteItem({ id })).rejects.toMatchObject({ grpcStatus: 'PERMISSION_DENIED' });
    } finally {
      await service.stop();
    }
  });
});
