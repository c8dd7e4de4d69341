import { Type } from 'typebox';
import { afterEach, describe, expect, it } from 'vitest';
import { testHttp } from '../../../test/support/http.ts';
import { problems, ref } from '../http/problems.ts';
import { type VersionFacts, defineVersions } from './apiVersions.ts';
import { type TestApi, testApi } from './testing.ts';

interface Named {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How callers name a version: URL and headers. */
const ways = {
  path: (url: string, version: string): Named => ({ url: `/v${version}${url}` }),
  Accept: (url: string, version: string): Named => ({
    url,
    headers: { accept: `application/json; version=${version}` },
  }),
};

let api: TestApi | undefined;
afterEach(() => api?.http.close());

const info = 'https://example.com/moving';
const ending = { deprecated: '2026-01-01', sunset: '2026-06-30', info };

/** An API with `/things` in versions 1 to 3, as far as they are served. */
async function start(way: keyof typeof ways, facts: Partial<Record<1 | 2 | 3, VersionFacts>> = {}) {
  // What is retired is known to the compiler where versions are declared; here it comes and goes.
  const versions = defineVersions<Readonly<Record<1 | 2 | 3, VersionFacts>>>({
    default: 1,
    versions: { 1: {}, 2: {}, 3: {}, ...facts },
  });
  api = await testApi(await testHttp(), versions, (http, versioned) => {
    http.get('/neutral', () => ({ neutral: true }));
    const values = { 1: 'one', 2: 'two', 3: null };
    versioned.each(values, ({ number, route, href }, word) => {
      const Thing = Type.Object(
        { [word]: Type.String(), at: Type.String() },
        { $id: `ThingV${number}`, additionalProperties: false },
      );
      http.addSchema(Thing);
      const operation = (operationId: string) => ({
        operationId,
        summary: 'A thing',
        response: { 200: ref(Thing), ...problems },
      });
      route({
        method: 'GET',
        url: '/things/:id',
        schema: operation('getThing'),
        handler: (request) => ({ [word]: 'got', at: href(request, '/things/7') }),
      });
      route({
        method: 'PUT',
        url: '/things/:id',
        schema: { ...operation('putThing'), body: ref(Thing) },
        handler: ({ body }) => body,
      });
    });
  });
  const { http, scrape } = api;
  return { http, scrape, get: (version: string) => http.inject(ways[way]('/things/7', version)) };
}

describe.each(['path', 'Accept'] as const)('a version that is named by %s', (way) => {
  it('serves two versions of one route side by side, and the default to whoever names none', async () => {
    const { http, get } = await start(way);
    expect((await get('1')).json()).toHaveProperty('one', 'got');
    expect((await get('2')).json()).toHaveProperty('two', 'got');
    const plain = await http.inject('/things/7');
    expect(plain.json()).toEqual({ one: 'got', at: '/things/7' });
    expect(plain.headers['content-type']).toMatch(/^application\/json/);
  });

  it('leaves routes alone that have no versions', async () => {
    const { http } = await start(way, { 1: ending });
    const { headers, body } = await http.inject('/neutral');
    expect(body).toBe('{"neutral":true}');
    for (const name of ['vary', 'deprecation', 'sunset', 'link']) expect(headers).not.toHaveProperty(name);
  });

  it('links within the version that was asked for', async () => {
    const { http, get } = await start(way);
    const { at } = (await get('2')).json<{ at: string }>();
    const { headers } = ways[way]('', '2');
    expect((await http.inject({ url: at, headers: { ...headers } })).json()).toHaveProperty('two');
  });

  it('answers HEAD, and 405 to methods that the route has not', async () => {
    const { http, get } = await start(way);
    await get('2');
    const head = await http.inject({ method: 'HEAD', ...ways[way]('/things/7', '2') });
    expect([head.statusCode, head.body]).toEqual([200, '']);
    for (const version of ['2', '9']) {
      const refused = await http.inject({ method: 'DELETE', ...ways[way]('/things/7', version) });
      expect([refused.statusCode, refused.headers['allow']]).toEqual([405, 'GET, HEAD, OPTIONS, PUT']);
    }
  });

  it('names the versions there are to whoever asks for another, and for one that lacks the resource', async () => {
    const { get, scrape } = await start(way);
    const status = { path: 404, Accept: 406 }[way];
    for (const version of ['9', '4', `1${'0'.repeat(50)}`]) {
      const refused = await get(version);
      expect([refused.statusCode, refused.json()]).toEqual([
        status,
        expect.objectContaining({ code: 'version_unknown', details: expect.objectContaining({ known: [1, 2] }) }),
      ]);
    }
    const lacking = await get('3');
    expect([lacking.statusCode, lacking.json()]).toEqual([
      status,
      expect.objectContaining({ code: 'version_unknown' }),
    ]);
    expect(await scrape()).toContain('versioning_refusals_total{reason="unknown"} 4');
  });

  it('tells of a version that is deprecated, on errors too, and of no other', async () => {
    const { http, get } = await start(way, { 1: ending });
    const bad = { method: 'PUT', body: {} } as const;
    for (const reply of [
      await get('1'),
      await http.inject('/things/7'),
      await http.inject({ ...ways[way]('/things/7', '1'), ...bad }),
    ]) {
      expect(reply.headers).toMatchObject({ deprecation: '@1767225600', sunset: 'Tue, 30 Jun 2026 00:00:00 GMT' });
      expect(reply.headers['link']).toBe(`<${info}>; rel="deprecation sunset"; type="text/html"`);
    }
    expect((await get('2')).headers).not.toHaveProperty('deprecation');
  });

  it('answers 410 for a version that was retired, and says what there is', async () => {
    const { http, get, scrape } = await start(way, { 1: { ...ending, retired: true } });
    for (const reply of [await get('1'), await http.inject('/things/7')]) {
      expect([reply.statusCode, reply.json()]).toEqual([
        410,
        expect.objectContaining({ code: 'version_retired', details: { named: '1', known: [2] } }),
      ]);
      expect(reply.headers['link']).toContain(info);
    }
    expect((await get('2')).statusCode).toBe(200);
    expect(await scrape()).toContain('versioning_refusals_total{reason="retired"} 2');
  });

  it('counts who uses what', async () => {
    const { http, get, scrape } = await start(way, { 1: ending });
    await get('2');
    await get('1');
    await http.inject('/things/7');
    const text = await scrape();
    expect(text).toContain('versioning_requests_total{version="1"} 2');
    expect(text).toContain('versioning_requests_total{version="2"} 1');
    expect(text).toContain('versioning_sunset_timestamp_seconds{version="1"} 1782777600');
  });
});

it('scripts of other origins may read when a version ends', async () => {
  const http = await testHttp();
  // As the module `cors` does.
  http.addHook('onSend', (_request, reply, _payload, done) => {
    reply.header('access-control-expose-headers', 'etag');
    done();
  });
  const versions = defineVersions({ default: 1, versions: { 1: ending } });
  api = await testApi(http, versions, (_, versioned) =>
    versioned.each({ 1: 'one' }, ({ route }, word) => route({ method: 'GET', url: '/a', handler: () => ({ word }) })),
  );
  const { headers } = await http.inject('/a');
  expect(headers['access-control-expose-headers']).toBe('etag, deprecation, sunset, link');
});

describe('a path', () => {
  it('takes for a version only what begins with a digit', async () => {
    const { http } = await start('path');
    for (const url of ['/vx/things/7', '/v/things/7', '/v9/nothing', '/v1', '/v2/neutral'])
      expect((await http.inject(url)).json()).toMatchObject({ status: 404, code: 'route_not_found' });
    for (const [url, status] of [
      ['/v2%2f/things/7', 404],
      [`/v${'2'.repeat(1000)}/things/7`, 414],
    ] as const)
      expect((await http.inject(url)).statusCode).toBe(status);
    for (const url of ['/v2.0/things/7', '/v02/things/7', '/v9%20/things/7'])
      expect((await http.inject(url)).json()).toMatchObject({ status: 404, code: 'version_unknown' });
  });

  it('links within the version also where it was sent encoded', async () => {
    const { http } = await start('path');
    expect((await http.inject('/%762/things/7')).json()).toEqual({ two: 'got', at: '/v2/things/7' });
  });
});

describe('Accept', () => {
  it.each([
    ['', 'one'],
    ['application/json', 'one'],
    ['application/json;version=2', 'two'],
    ['application/vnd.api+json; version="2"', 'two'],
    ['*/*, application/json;q=0.5;VERSION=2', 'two'],
  ])('"%s" is answered by version %s', async (accept, word) => {
    const { http } = await start('Accept');
    const reply = await http.inject({ url: '/things/7', headers: { accept } });
    expect(reply.json()).toHaveProperty(word);
    expect(reply.headers['vary']).toBe('Accept');
  });

  it.each(['', '02', '-1', '2.0', '1e0', 'x'.repeat(1000)])('names no version by "%s"', async (version) => {
    const { get } = await start('Accept');
    expect((await get(version)).json()).toMatchObject({ status: 406, code: 'version_unknown' });
  });

  it('does not matter where the path names a version', async () => {
    const { http } = await start('path');
    const reply = await http.inject({ url: '/v2/things/7', headers: { accept: 'application/json; version=1' } });
    expect([reply.json(), reply.headers['vary']]).toEqual([{ two: 'got', at: '/v2/things/7' }, undefined]);
  });
});

it('the contract has each version by its path, the default also without, and says which is deprecated', async () => {
  await start('path', { 1: ending });
  const { paths } = Object(api?.document());
  expect(Object.keys(paths).toSorted()).toEqual(['/neutral', '/things/{id}', '/v1/things/{id}', '/v2/things/{id}']);
  const told = { deprecated: true, 'x-sunset': '2026-06-30' };
  expect(paths['/things/{id}'].get).toMatchObject({ operationId: 'getThing', ...told });
  expect(paths['/v1/things/{id}'].get).toMatchObject({ operationId: 'getThingV1', ...told });
  expect(paths['/v2/things/{id}'].get).toMatchObject({ operationId: 'getThingV2' });
  expect(paths['/v2/things/{id}'].get).not.toHaveProperty('deprecated');
});
