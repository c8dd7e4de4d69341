import { Type } from 'typebox';
import { afterEach, describe, expect, it } from 'vitest';
import { testHttp } from '../../../test/support/http.ts';
import { noContent, problems, ref } from '../http/problems.ts';
import type { Http } from '../http/server.ts';
import { type VersionFacts, defineVersions, representation } from './apiVersions.ts';
import { type ResourceVersions, resourceVersions } from './resources.ts';
import { type TestApi, testApi } from './testing.ts';

/** The newest shape: what version 1 calls `title` is `name`. */
const NewThing = Type.Object({ name: Type.String() }, { $id: 'NewThing', additionalProperties: false });
const ThingChanges = Type.Partial(NewThing, { $id: 'ThingChanges', additionalProperties: false });
const Thing = Type.Object({ id: Type.String(), name: Type.String() }, { $id: 'Thing' });
const ThingEntry = Type.Partial(Thing, { $id: 'ThingEntry' });
const ThingList = Type.Object(
  { items: Type.Array(ref(ThingEntry)), next: Type.Optional(Type.String()) },
  { $id: 'ThingList', examples: [{ items: [{ id: '7', name: 'a' }] }] },
);
type Thing = Type.Static<typeof Thing>;

const NewThingV1 = Type.Object({ title: Type.String() }, { $id: 'NewThingV1', additionalProperties: false });
const old = representation({
  body: NewThingV1,
  changes: Type.Partial(NewThingV1, { $id: 'ThingChangesV1', additionalProperties: false }),
  reply: Type.Object({ id: Type.String(), title: Type.String() }, { $id: 'ThingV1' }),
  fromBody: ({ title }) => ({ name: title }),
  fromChanges: ({ title }) => (title === undefined ? {} : { name: title }),
  toReply: ({ name, ...thing }: Thing) => ({ ...thing, title: name }),
  listed: { title: 'name' },
});
const thing: Thing = { id: '7', name: 'a' };

function routes(http: Http): void {
  for (const schema of [NewThing, ThingChanges, Thing, ThingEntry, ThingList]) http.addSchema(schema);
  const config = { resource: 'things' };
  const one = { response: { 200: ref(Thing), ...problems } };
  http.post(
    '/things',
    { config, schema: { operationId: 'createThing', body: ref(NewThing), response: { 201: ref(Thing), ...problems } } },
    ({ body }, reply) => {
      reply.code(201);
      return { id: '7', ...body };
    },
  );
  const querystring = Type.Object({
    fields: Type.Optional(Type.String()),
    limit: Type.Optional(Type.Integer()),
    name: Type.Optional(Type.String()),
    sort: Type.Optional(Type.Unsafe<string>({ type: 'string', enum: ['name', '-name'] })),
  });
  http.get(
    '/things',
    { config, schema: { operationId: 'listThings', querystring, response: { 200: ref(ThingList), ...problems } } },
    ({ query: { fields, name = thing.name, sort = 'more' } }) => ({
      items: name === thing.name ? [fields === undefined ? thing : { id: '7' }] : [],
      next: sort,
    }),
  );
  http.get('/things/:id', { config, schema: { operationId: 'getThing', ...one } }, () => thing);
  http.patch(
    '/things/:id',
    { config, schema: { operationId: 'changeThing', ...one, body: ref(ThingChanges) } },
    ({ body }) => ({ ...thing, ...body }),
  );
  http.post('/things/:id/close', { config, schema: { operationId: 'closeThing', ...one } }, () => thing);
  http.delete(
    '/things/:id',
    { config, schema: { operationId: 'deleteThing', response: { ...noContent, ...problems } } },
    async (_request, reply) => {
      reply.code(204);
    },
  );
  http.get('/others', { config: { resource: 'others' } }, () => ({ other: true }));
}

let api: TestApi | undefined;
afterEach(() => api?.http.close());

/** An API with `/things` in versions 1 to 3, as far as they are served. */
async function start(
  shapes: ResourceVersions['shapes'],
  facts: Partial<Record<1 | 2 | 3, VersionFacts>> = {},
  byDefault: 1 | 2 | 3 = 1,
): Promise<TestApi> {
  const versions = defineVersions<Readonly<Record<1 | 2 | 3, VersionFacts>>>({
    default: byDefault,
    versions: { 1: {}, 2: {}, 3: {}, ...facts },
  });
  const of = { body: NewThing, changes: ThingChanges, reply: Thing };
  api = await testApi(await testHttp(), versions, routes, [{ resource: 'things', of, shapes }]);
  return api;
}

const accept = (version: string) => ({ accept: `application/json; version=${version}` });

describe('a resource whose version 1 has a shape of its own', () => {
  it.each([
    { asked: 'no version', prefix: '', headers: {}, name: 'title' },
    { asked: 'version 1 by path', prefix: '/v1', headers: {}, name: 'title' },
    { asked: 'version 1 by Accept', prefix: '', headers: accept('1'), name: 'title' },
    { asked: 'version 2 by path', prefix: '/v2', headers: {}, name: 'name' },
    { asked: 'version 2 by Accept', prefix: '', headers: accept('2'), name: 'name' },
  ])('reads and shows it on every route: $asked', async ({ prefix, headers, name }) => {
    const { http } = await start({ 1: old });
    const ask = async (method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'HEAD', url: string, body?: object) => {
      const reply = await http.inject({ method, url: prefix + url, headers, ...(body && { body }) });
      return [reply.statusCode, reply.body === '' ? '' : reply.json<unknown>()];
    };
    expect(await ask('POST', '/things', { [name]: 'b' })).toEqual([201, { id: '7', [name]: 'b' }]);
    expect(await ask('GET', '/things')).toEqual([200, { items: [{ id: '7', [name]: 'a' }], next: 'more' }]);
    expect(await ask('GET', '/things/7')).toEqual([200, { id: '7', [name]: 'a' }]);
    expect(await ask('PATCH', '/things/7', { [name]: 'c' })).toEqual([200, { id: '7', [name]: 'c' }]);
    expect(await ask('PATCH', '/things/7', {})).toEqual([200, { id: '7', [name]: 'a' }]);
    expect(await ask('POST', '/things/7/close')).toEqual([200, { id: '7', [name]: 'a' }]);
    expect(await ask('DELETE', '/things/7')).toEqual([204, '']);
    expect(await ask('HEAD', '/things/7')).toEqual([200, '']);
    expect(await ask('HEAD', '/things')).toEqual([200, '']);
    const other = name === 'name' ? 'title' : 'name';
    for (const refused of [
      await ask('POST', '/things', { [other]: 'b' }),
      await ask('PATCH', '/things/7', { [other]: 'b' }),
    ])
      expect(refused).toEqual([400, expect.objectContaining({ code: 'validation_failed' })]);
  });

  it('gives whole entries in a list of that version: `fields` names those of the resource', async () => {
    const { http } = await start({ 1: old });
    expect((await http.inject('/v1/things?fields=id')).json()).toMatchObject({ items: [{ id: '7', title: 'a' }] });
    expect((await http.inject('/v2/things?fields=id')).json()).toMatchObject({ items: [{ id: '7' }] });
  });

  it('takes filters and sort of a list in the names of that version', async () => {
    const { http, document } = await start({ 1: old });
    const list = async (url: string): Promise<unknown> => (await http.inject(url)).json();
    expect(await list('/v1/things?title=a&sort=-title')).toEqual({ items: [{ id: '7', title: 'a' }], next: '-name' });
    expect(await list('/v1/things?title=b&constructor=c')).toEqual({ items: [], next: 'more' });
    expect(await list('/v2/things?name=b&sort=name')).toEqual({ items: [], next: 'name' });
    for (const wrong of ['/v1/things?sort=name', '/v2/things?sort=title'])
      expect(await list(wrong)).toMatchObject({ status: 400, code: 'validation_failed' });
    const { parameters } = Object(document()).paths['/v1/things'].get;
    expect(parameters).toMatchObject([
      { name: 'limit' },
      { name: 'title' },
      { name: 'sort', schema: { enum: ['title', '-title'] } },
    ]);
  });

  it('is in the contract in both shapes, each by its path', async () => {
    const { document } = await start({ 1: old }, { 1: { deprecated: '2026-01-01', sunset: '2026-06-30' } });
    const { paths, components } = Object(document());
    const prefixes = ['', '/v1', '/v2', '/v3'];
    const expected = prefixes.flatMap((each) =>
      ['/things', '/things/{id}', '/things/{id}/close'].map((url) => each + url),
    );
    expect(Object.keys(paths).toSorted()).toEqual(['/others', ...expected].toSorted());
    const json = (name: string) => ({ 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } });
    for (const [url, suffix, shape] of [
      ['/things', '', 'V1'],
      ['/v1/things', 'V1', 'V1'],
      ['/v2/things', 'V2', ''],
    ]) {
      const { get, post } = paths[String(url)];
      expect([get.operationId, post.operationId]).toEqual([`listThings${suffix}`, `createThing${suffix}`]);
      expect(get.responses['200'].content).toEqual(json(`ThingList${shape}`));
      expect(post.requestBody.content).toEqual(json(`NewThing${shape}`));
      expect(post.responses['201'].content).toEqual(json(`Thing${shape}`));
      const names = shape === 'V1' ? ['limit', 'title', 'sort'] : ['fields', 'limit', 'name', 'sort'];
      expect(get.parameters).toMatchObject(names.map((each) => ({ name: each })));
      expect([get.deprecated, get['x-sunset']]).toEqual(shape === 'V1' ? [true, '2026-06-30'] : [undefined, undefined]);
    }
    expect(components.schemas.ThingListV1).toMatchObject({
      properties: { items: { items: { $ref: '#/components/schemas/ThingV1' } } },
    });
    expect(components.schemas.ThingListV1).not.toHaveProperty('examples');
  });
});

describe('a resource that is the same in each version', () => {
  it('is in the contract once', async () => {
    const { document } = await start({});
    const { paths } = Object(document());
    expect(Object.keys(paths).toSorted()).toEqual(['/others', '/things', '/things/{id}', '/things/{id}/close']);
    expect(paths['/things'].get.operationId).toBe('listThings');
  });

  it('is served in each, counted, and tells which one ends, on errors too', async () => {
    const { http, scrape } = await start({}, { 1: { deprecated: '2026-01-01', sunset: '2026-06-30' } });
    for (const url of ['/things/7', '/v1/things/7', '/v2/things/7', '/v3/things/7'])
      expect((await http.inject(url)).json()).toEqual(thing);
    const bad = await http.inject({ method: 'POST', url: '/v1/things', body: {} });
    const head = await http.inject({ method: 'HEAD', url: '/things/7' });
    for (const { headers } of [await http.inject('/things'), bad, head])
      expect(headers).toMatchObject({ deprecation: '@1767225600', sunset: 'Tue, 30 Jun 2026 00:00:00 GMT' });
    expect((await http.inject('/v2/things')).headers).not.toHaveProperty('deprecation');
    expect((await http.inject('/things')).headers['vary']).toBe('Accept');
    expect(await scrape()).toContain('versioning_requests_total{version="1"} 6');
    expect(await scrape()).toContain('versioning_requests_total{version="3"} 1');
  });
});

it('a version without the resource, and an unknown one, are refused', async () => {
  const { http, scrape } = await start({ 3: null });
  for (const [url, headers, status] of [
    ['/v3/things', {}, 404],
    ['/v9/things/7', {}, 404],
    ['/things', accept('3'), 406],
    ['/things/7', accept('9'), 406],
  ] as const) {
    const refused = await http.inject({ url, headers });
    expect(refused.json()).toMatchObject({ status, code: 'version_unknown', details: { known: [1, 2] } });
  }
  expect(await scrape()).toContain('versioning_refusals_total{reason="unknown"} 4');
});

it('a retired version is refused, also when it is the default; the contract then has the others by path', async () => {
  const { http, document } = await start({}, { 1: { retired: true } });
  for (const url of ['/things', '/v1/things', '/things/7'])
    expect((await http.inject(url)).json()).toMatchObject({
      status: 410,
      code: 'version_retired',
      details: { known: [2, 3] },
    });
  expect((await http.inject({ url: '/things/7', headers: accept('2') })).json()).toEqual(thing);
  const { paths } = Object(document());
  expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/v2/things', '/v3/things']));
  expect(paths).not.toHaveProperty('/things');
});

it('a route of no resource, and of one that is not listed, has no version', async () => {
  const { http } = await start({});
  expect((await http.inject('/others')).headers).not.toHaveProperty('vary');
  expect((await http.inject('/v1/others')).statusCode).toBe(404);
});

it('a resource that no version has is reported at start', async () => {
  const started = start({ 1: null, 2: null, 3: null });
  await expect(started).rejects.toThrow('no version of the API has the resource "things"');
});

it('the compiler asks for what a resource reads and shows', () => {
  const declared = { resource: 'things', of: { body: NewThing, changes: ThingChanges, reply: Thing } };
  expect(resourceVersions({ ...declared, shapes: { 1: old } })).toEqual({ ...declared, shapes: { 1: old } });
  const { body, reply } = old;
  const without = representation({ body, reply, fromBody: () => thing, toReply: () => thing });
  // @ts-expect-error it cannot be changed
  resourceVersions({ ...declared, shapes: { 1: without } });
  // @ts-expect-error the API has no version 9
  resourceVersions({ ...declared, shapes: { 9: old } });
});
