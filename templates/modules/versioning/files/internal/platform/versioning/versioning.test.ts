import { Type } from 'typebox';
import { afterEach, describe, expect, it } from 'vitest';
import { unlistedHttp } from '../../../test/support/contract.ts';
import { about } from '../app/about.ts';
import { problems, ref } from '../http/problems.ts';
import { type StrategyName, type VersionFacts, defineVersions } from './apiVersions.ts';
import { type TestApi, testApi } from './testing.ts';

interface Named {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How each strategy names a version: URL and headers. */
const naming: Readonly<Record<StrategyName, (url: string, version: string) => Named>> = {
  path: (url, version) => ({ url: `/v${version}${url}` }),
  'media-type': (url, version) => ({ url, headers: { accept: `application/vnd.${service}.v${version}+json` } }),
  query: (url, version) => ({ url: `${url}?version=${version}` }),
};
const strategies: readonly StrategyName[] = ['path', 'media-type', 'query'];
const service = about.name;

let api: TestApi | undefined;
afterEach(() => api?.http.close());

const info = 'https://example.com/moving';
const ending = { deprecated: '2026-01-01', sunset: '2026-06-30', info };

/** An API with `/things` in versions 1 to 3, as far as they are served. */
async function start(strategy: StrategyName, facts: Partial<Record<1 | 2 | 3, VersionFacts>> = {}) {
  // What is retired is known to the compiler where versions are declared; here it comes and goes.
  const versions = defineVersions<Readonly<Record<1 | 2 | 3, VersionFacts>>>({
    strategy,
    default: 1,
    versions: { 1: {}, 2: {}, 3: {}, ...facts },
  });
  api = await testApi(await unlistedHttp(), versions, (http, versioned) => {
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
  return { http, scrape, get: (version: string) => http.inject(naming[strategy]('/things/7', version)) };
}

describe.each(strategies)('strategy %s', (strategy) => {
  it('serves two versions of one route side by side, and the default to whoever names none', async () => {
    const { http, get } = await start(strategy);
    expect((await get('1')).json()).toHaveProperty('one', 'got');
    expect((await get('2')).json()).toHaveProperty('two', 'got');
    const plain = await http.inject('/things/7');
    expect(plain.json()).toEqual({ one: 'got', at: '/things/7' });
    expect(plain.headers['content-type']).toMatch(/^application\/json/);
  });

  it('leaves routes alone that have no versions', async () => {
    const { http } = await start(strategy, { 1: ending });
    const { headers, body } = await http.inject('/neutral');
    expect(body).toBe('{"neutral":true}');
    for (const name of ['vary', 'deprecation', 'sunset', 'link']) expect(headers).not.toHaveProperty(name);
  });

  it('links within the version that was asked for', async () => {
    const { http, get } = await start(strategy);
    const { at } = (await get('2')).json<{ at: string }>();
    const { headers } = naming[strategy]('', '2');
    expect((await http.inject({ url: at, headers: { ...headers } })).json()).toHaveProperty('two');
  });

  it('answers HEAD, and 405 to methods that the route has not', async () => {
    const { http, get } = await start(strategy);
    await get('2');
    const head = await http.inject({ method: 'HEAD', ...naming[strategy]('/things/7', '2') });
    expect([head.statusCode, head.body]).toEqual([200, '']);
    for (const version of ['2', '9']) {
      const refused = await http.inject({ method: 'DELETE', ...naming[strategy]('/things/7', version) });
      expect([refused.statusCode, refused.headers['allow']]).toEqual([405, 'GET, HEAD, OPTIONS, PUT']);
    }
  });

  it('names the versions there are to whoever asks for another, and for one that lacks the resource', async () => {
    const { get, scrape } = await start(strategy);
    const status = { path: 404, 'media-type': 406, query: 400 }[strategy];
    for (const version of ['9', '4', `1${'0'.repeat(50)}`]) {
      const refused = await get(version);
      expect([refused.statusCode, refused.json()]).toEqual([
        status,
        expect.objectContaining({ code: 'version_unknown', details: expect.objectContaining({ known: [1, 2] }) }),
      ]);
    }
    const lacking = await get('3');
    expect([lacking.statusCode, lacking.json()]).toEqual([404, expect.objectContaining({ code: 'version_unknown' })]);
    expect(await scrape()).toContain('versioning_refusals_total{reason="unknown"} 4');
  });

  it('tells of a version that is deprecated, on errors too, and of no other', async () => {
    const { http, get } = await start(strategy, { 1: ending });
    const bad = { method: 'PUT', body: {} } as const;
    for (const reply of [
      await get('1'),
      await http.inject('/things/7'),
      await http.inject({ ...naming[strategy]('/things/7', '1'), ...bad }),
    ]) {
      expect(reply.headers).toMatchObject({ deprecation: '@1767225600', sunset: 'Tue, 30 Jun 2026 00:00:00 GMT' });
      expect(reply.headers['link']).toBe(`<${info}>; rel="deprecation sunset"; type="text/html"`);
    }
    expect((await get('2')).headers).not.toHaveProperty('deprecation');
  });

  it('answers 410 for a version that was retired, and says what there is', async () => {
    const { http, get, scrape } = await start(strategy, { 1: { ...ending, retired: true } });
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

  it('counts who uses what, those beyond a limit together', async () => {
    const { http, get, scrape } = await start(strategy, { 1: ending });
    await get('2');
    const { url, headers } = naming[strategy]('/things/7', '1');
    for (const user of ['ada', 'ada', 'bob', 'eve', 'mallory', 'x'.repeat(5000), 'ada'])
      await http.inject({ url, headers: { ...headers, 'test-user': user } });
    const text = await scrape();
    expect(text.match(/^versioning_requests_total.*/gm)?.toSorted()).toEqual([
      'versioning_requests_total{version="1",consumer="ada"} 3',
      'versioning_requests_total{version="1",consumer="bob"} 1',
      'versioning_requests_total{version="1",consumer="eve"} 1',
      'versioning_requests_total{version="1",consumer="other"} 2',
      'versioning_requests_total{version="2",consumer="anonymous"} 1',
    ]);
    expect(text).toContain('versioning_sunset_timestamp_seconds{version="1"} 1782777600');
  });
});

it.each<[StrategyName, string, object]>([
  ['path', '/v2/things/7?version=1', { two: 'got' }],
  ['media-type', '/things/7?version=2', { one: 'got' }],
  ['media-type', '/v2/things/7', { code: 'route_not_found' }],
  ['query', '/v2/things/7', { code: 'route_not_found' }],
])('strategy %s does not look where another has its versions: %s', async (strategy, url, expected) => {
  const { http } = await start(strategy);
  expect((await http.inject(url)).json()).toMatchObject(expected);
});

describe('strategy path', () => {
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

describe('strategy media-type', () => {
  const accept = (text: string) => ({ url: '/things/7', headers: { accept: text } });

  it('answers in the media type that was asked for, and varies by Accept', async () => {
    const { http, get } = await start('media-type');
    const named = await get('2');
    expect(named.headers['content-type']).toBe(`application/vnd.${service}.v2+json; charset=utf-8`);
    for (const reply of [named, await http.inject('/things/7'), await get('9')])
      expect(reply.headers['vary']).toMatch(/\bAccept\b(?!-)/);
    expect((await get('9')).headers['content-type']).toMatch(/^application\/problem\+json/);
  });

  it('keeps what was said of Vary before', async () => {
    const { http } = await start('media-type');
    const { headers } = await http.inject({ url: '/things/7', headers: { accept: '*/*', 'accept-encoding': 'gzip' } });
    expect(headers['vary']).toBe('Accept');
  });

  const v = `application/vnd.${service}`;
  it.each([
    ['', 'one'],
    ['application/json', 'one'],
    ['application/vnd.another.v2+json', 'one'],
    [`${v}.v2+json`, 'two'],
    [`${v.toUpperCase()}.V2+JSON`, 'two'],
    [`${v}+json; version=2`, 'two'],
    ['application/json;version="2"', 'two'],
    [`${v}+json`, 'one'],
    [`*/*, ${v}.v2+json`, 'two'],
    [`${v}.v1+json;q=0.5, ${v}.v2+json`, 'two'],
    [`${v}.v9+json, ${v}+json;version=2;q=0.5, */*;q=0.1`, 'two'],
    [`${v}.v9+json, */*;q=0.1`, 'one'],
    [`${v}.v2+json;q=0.2, application/json;q=0.9`, 'one'],
  ])('answers "%s" by version %s (RFC 9110, 12.5.1)', async (text, word) => {
    const { http } = await start('media-type');
    expect((await http.inject(accept(text))).json()).toHaveProperty(word);
  });

  it.each([
    ['of no version that there is', `${v}.v02+json`],
    ['that refuses the only one it names', `${v}.v2+json;q=0`],
    ['of another format', `${v}.v2+xml`],
    ['that is too long', `${'a/b;version=1,'.repeat(80)}${v}.v2+json`],
    ['of too many ranges', `${'a/b;version=1,'.repeat(17)}${v}.v2+json`],
  ])('accepts nothing by an Accept %s', async (_, text) => {
    const { http } = await start('media-type');
    expect((await http.inject(accept(text))).json()).toMatchObject({ status: 406, code: 'version_unknown' });
  });

  it('takes one that is retired only when there is no other', async () => {
    const { http } = await start('media-type', { 1: { retired: true } });
    expect((await http.inject(accept(`${v}.v1+json, ${v}.v2+json;q=0.1`))).json()).toHaveProperty('two');
    expect((await http.inject(accept(`${v}.v1+json`))).statusCode).toBe(410);
  });

  it('refuses a body of another version than Accept names', async () => {
    const { http, scrape } = await start('media-type');
    const headers = { accept: `${v}.v2+json`, 'content-type': `${v}.v1+json` };
    const refused = await http.inject({ method: 'PUT', url: '/things/7', headers, payload: '{}' });
    expect(refused.json()).toMatchObject({ status: 400, code: 'version_contradiction' });
    expect(await scrape()).toContain('versioning_refusals_total{reason="contradiction"} 1');
  });

  it('reads a body of the version that it names', async () => {
    const { http } = await start('media-type');
    const putAs = (type: string, body: object) =>
      http.inject({
        method: 'PUT',
        url: '/things/7',
        headers: { 'content-type': type },
        payload: JSON.stringify(body),
      });
    const put = (version: string, body: object) => putAs(`application/vnd.${service}.v${version}+json`, body);
    expect((await putAs('application/merge-patch+json', { one: 'sent', at: '' })).statusCode).toBe(200);
    expect((await put('2', { two: 'sent', at: '' })).json()).toEqual({ two: 'sent', at: '' });
    expect((await put('1', { two: 'sent', at: '' })).statusCode).toBe(400);
    expect((await put('9', {})).json()).toMatchObject({ status: 415, code: 'version_unknown' });
  });
});

describe('strategy query', () => {
  it.each(['', 'abc', '2.0', '02', '-1', '1e0', '2+', '%00', '99999999999999999999'])(
    'refuses version "%s"',
    async (version) => {
      const { get } = await start('query');
      expect((await get(version)).json()).toMatchObject({ status: 400, code: 'version_unknown' });
    },
  );

  it.each(['%76ersion=2', 'a=%3F&versi%6Fn=%32', 'version=2'])('reads "%s" as what it says', async (query) => {
    const { http } = await start('query', { 2: ending });
    const { headers, ...reply } = await http.inject(`/things/7?${query}`);
    expect(reply.json()).toHaveProperty('two');
    expect(headers['link']).toContain(`${info}>`);
  });

  it.each(['version', '%76ersion', '%76ersion=', 'a=1&versio%6e'])('refuses "%s", which names none', async (query) => {
    const { http } = await start('query');
    expect((await http.inject(`/things/7?${query}`)).json()).toMatchObject({ status: 400, code: 'version_unknown' });
  });

  it('refuses more than one', async () => {
    const { http } = await start('query');
    const many = `/things/7?${Array.from({ length: 500 }, (_, index) => `version=${index}`).join('&')}`;
    for (const url of ['/things/7?version=1&version=2', '/things/7?version=1&%76ersion=2', many])
      expect((await http.inject(url)).json()).toMatchObject({ status: 400, code: 'version_contradiction' });
  });
});
