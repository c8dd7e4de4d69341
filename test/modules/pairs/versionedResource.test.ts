import { Type } from 'typebox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Item, ItemChanges, NewItem } from '../../../templates/base/files/internal/items/domain.ts';
import { memoryItems } from '../../../templates/base/files/internal/items/memory.ts';
import { itemRoutes } from '../../../templates/base/files/internal/items/routes.ts';
import { itemService } from '../../../templates/base/files/internal/items/service.ts';
import type { Service } from '../../../templates/base/files/internal/platform/app/lifecycle.ts';
import { defineModule } from '../../../templates/base/files/internal/platform/app/module.ts';
import { tracing } from '../../../templates/base/files/internal/platform/app/tracing.ts';
import { http } from '../../../templates/base/files/internal/platform/http/module.ts';
import type { Http } from '../../../templates/base/files/internal/platform/http/server.ts';
import { identity } from '../../../templates/base/files/internal/platform/identity/module.ts';
import { metrics } from '../../../templates/base/files/internal/platform/metrics/module.ts';
import { memoryIdempotency } from '../../../templates/base/files/internal/platform/resource/idempotency.ts';
import { auth } from '../../../templates/modules/auth/files/internal/platform/auth/module.ts';
import { sign, type TestKey, testKey } from '../../../templates/modules/auth/files/internal/platform/auth/testing.ts';
import { contract } from '../../../templates/modules/contract/files/internal/platform/contract/module.ts';
import { hal } from '../../../templates/modules/hal/files/internal/platform/hal/module.ts';
import { ratelimit } from '../../../templates/modules/ratelimit/files/internal/platform/ratelimit/module.ts';
import { redis } from '../../../templates/modules/redis/files/internal/platform/redis/module.ts';
import {
  defineVersions,
  representation,
} from '../../../templates/modules/versioning/files/internal/platform/versioning/apiVersions.ts';
import { versioningOf } from '../../../templates/modules/versioning/files/internal/platform/versioning/module.ts';
import { startWithAuth } from './withAuth.ts';

/** Version 1 has neither the id nor the quantity under their present names, so links cannot be made from its replies. */
const { quantity: count, ...given } = NewItem.properties;
const { id: key, quantity: _, ...shown } = Item.properties;
const NewItemV1 = Type.Object({ ...given, count }, { $id: 'NewItemV1', additionalProperties: false });
const v1 = representation({
  body: NewItemV1,
  changes: Type.Partial(NewItemV1, { $id: 'ItemChangesV1', additionalProperties: false }),
  reply: Type.Object({ ...shown, key, count }, { $id: 'ItemV1' }),
  fromBody: (body): NewItem => ({ name: body.name, quantity: body.count }),
  fromChanges: ({ count: quantity, ...changes }): ItemChanges => ({
    ...changes,
    ...(quantity !== undefined && { quantity }),
  }),
  toReply: ({ id, quantity, ...item }: Item) => ({ ...item, key: id, count: quantity }),
});
const versioning = versioningOf(defineVersions({ default: 2, versions: { 1: {}, 2: {} } }), [
  { resource: 'items', of: { body: NewItem, changes: ItemChanges, reply: Item }, shapes: { 1: v1 } },
]);

interface Linked {
  readonly _links: Readonly<Record<string, { readonly href: string }>>;
  readonly _embedded?: { readonly item: readonly Linked[] };
}

/** @returns the path to which each link of a reply leads */
function pathsIn({ _links: links }: Linked, url: string): Record<string, string> {
  const base = `http://a${url}`;
  return Object.fromEntries(Object.entries(links).map(([name, { href }]) => [name, new URL(href, base).pathname]));
}

describe('a resource in two versions beside auth, hal and ratelimit, none of which knows another', () => {
  let signing: TestKey;
  let service: Service;
  let server: Http;

  beforeAll(async () => {
    signing = await testKey('key');
    const slice = defineModule({
      name: 'items',
      config: Type.Object({}),
      requires: [http],
      start({ use }) {
        server = use(http);
        itemRoutes(server, itemService(memoryItems()), memoryIdempotency({ keys: 100, ttlMs: 60_000 }));
        return { value: undefined };
      },
    });
    // As in a service: in the order of their names.
    const modules = [metrics, tracing, http, identity, auth, contract, hal, redis, ratelimit, versioning, slice];
    service = await startWithAuth(signing, modules, {
      RATELIMIT_QUOTA: '1000',
      RATELIMIT_WRITE_QUOTA: '1000',
    });
  });
  afterAll(() => service.stop(0, 5000));

  type Options = { headers?: Record<string, string>; body?: object; scope?: string; subject?: string };
  async function ask(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, options: Options = {}) {
    const { headers, body, scope = 'items:read items:write', subject = 'a' } = options;
    const authorization = `Bearer ${await sign(signing, { scope, sub: subject })}`;
    return server.inject({ method, url, headers: { authorization, ...headers }, ...(body && { body }) });
  }

  it('an entity stays in the version of the request: place, ETag and If-Match', async () => {
    const created = await ask('POST', '/v1/items', { body: { name: 'bolt', count: 7 } });
    expect([created.statusCode, created.headers['etag']]).toEqual([201, '"1"']);
    const place = String(created.headers['location']);
    expect(place).toBe(`/v1/items/${created.json<{ key: string }>().key}`);
    expect((await ask('GET', place)).json()).toMatchObject({ name: 'bolt', count: 7 });
    expect((await ask('GET', place, { headers: { 'if-none-match': '"1"' } })).statusCode).toBe(304);
    const change = (url: string, body: object, tag?: string) =>
      ask('PATCH', url, { body, ...(tag !== undefined && { headers: { 'if-match': tag } }) });
    expect((await change(place, { count: 8 })).statusCode).toBe(428);
    expect((await change(place, { count: 8 }, '"1"')).json()).toMatchObject({ name: 'bolt', count: 8, version: 2 });
    const newest = place.replace('/v1', '/v2');
    expect((await change(newest, { quantity: 9 }, '"1"')).json()).toMatchObject({ status: 412 });
    expect((await change(newest, { quantity: 9 }, '"2"')).json()).toMatchObject({ quantity: 9, version: 3 });
    expect((await change(place, { quantity: 9 }, '"3"')).json()).toMatchObject({ code: 'validation_failed' });
    expect((await ask('DELETE', place, { headers: { 'if-match': '"3"' } })).statusCode).toBe(204);
    expect((await ask('GET', newest)).json()).toMatchObject({ status: 404, code: 'item_not_found' });
    const plain = await ask('POST', '/items', { body: { name: 'nut', quantity: 1 } });
    expect(plain.headers['location']).toMatch(/^\/items\//);
  });

  it('a request that is sent again with its Idempotency-Key has the same reply in its version', async () => {
    const again = { headers: { 'idempotency-key': '7f3c' }, body: { name: 'nut', count: 1 } };
    const first = await ask('POST', '/v1/items', again);
    expect(first.json()).toMatchObject({ count: 1 });
    expect((await ask('POST', '/v1/items', again)).json()).toEqual(first.json());
  });

  it('links lead within the version, also from a shape without the fields that they need', async () => {
    const headers = { accept: 'application/hal+json' };
    for (const [prefix, body] of [
      ['/v1', { name: 'a', count: 1 }],
      ['/v2', { name: 'a', quantity: 1 }],
      ['', { name: 'a', quantity: 1 }],
    ] as const) {
      const url = `${prefix}/items`;
      const created = await ask('POST', url, { headers, body });
      const place = String(created.headers['location']);
      const one = created.json<Linked>();
      expect(one).toMatchObject(body);
      expect(pathsIn(one, url)).toMatchObject({ self: place, 'api:change': place, collection: url });
      const page = (await ask('GET', url, { headers })).json<Linked>();
      expect(pathsIn(page, url)).toMatchObject({ self: url, 'api:create': url });
      const [member = one] = page['_embedded']?.item ?? [];
      expect(pathsIn(member, url)['self']).toMatch(new RegExp(`^${url}/[-0-9a-f]{36}$`));
      expect(Object.hasOwn(member, 'count')).toBe(prefix === '/v1');
    }
  });

  it('each version needs the scopes of the resource, and so does an unknown one', async () => {
    const scope = 'items:read';
    for (const prefix of ['', '/v1', '/v2', '/v9']) {
      expect((await server.inject(`${prefix}/items`)).statusCode).toBe(401);
      expect((await ask('GET', `${prefix}/items`, { scope: '' })).statusCode).toBe(403);
      expect((await ask('POST', `${prefix}/items`, { scope, body: {} })).statusCode).toBe(403);
    }
    expect((await ask('GET', '/v9/items', { scope })).json()).toMatchObject({ code: 'version_unknown' });
  });

  it.each(['', '/v1', '/v2'])(
    'a list refuses a name that is no parameter of it, such as that of a field: %s/items',
    async (prefix) => {
      for (const name of ['quantity', 'version', 'none', 'toString']) {
        const refused = (await ask('GET', `${prefix}/items?${name}=1`)).json();
        expect(refused).toMatchObject({ status: 400, errors: [{ in: 'querystring', pointer: `/${name}` }] });
      }
      expect((await ask('GET', `${prefix}/items?name=bolt`)).statusCode).toBe(200);
    },
  );

  it('the versions share the quota of changes', async () => {
    const left = async (url: string) => {
      const { headers } = await ask('POST', url, { body: {}, subject: 'b' });
      return /"items:write";r=(\d+)/.exec(String(headers['ratelimit']))?.[1];
    };
    expect([await left('/items'), await left('/v1/items'), await left('/v2/items')]).toEqual(['999', '998', '997']);
  });

  it('the contract has the operations of the version that differs, with scopes, and HAL in its shape', async () => {
    const { paths, components } = (await server.inject('/openapi.json')).json();
    const ofItems = Object.keys(paths).filter((each) => each.endsWith('/items'));
    expect(ofItems).toEqual(expect.arrayContaining(['/items', '/v1/items']));
    expect(ofItems).toHaveLength(2);
    const { get } = paths['/v1/items/{id}'];
    expect(get).toMatchObject({ operationId: 'getItemV1', security: [{ bearer: ['items:read'] }] });
    const { schema } = get.responses['200'].content['application/hal+json'];
    expect(schema).toEqual({ $ref: '#/components/schemas/ItemV1Resource' });
    expect(components.schemas.ItemV1Resource.properties).toHaveProperty('count');
  });
});
