import { afterEach, describe, expect, it } from 'vitest';
import { unlistedHttp } from '../../../test/support/contract.ts';
import { Type } from 'typebox';
import { about } from '../app/about.ts';
import { withoutEnded } from '../../../scripts/contract/openapi.ts';
import { isObject } from '../../../scripts/openapi/print.ts';
import { problems, ref } from '../http/problems.ts';
import type { Http } from '../http/server.ts';
import { type StrategyName, defineVersions } from './apiVersions.ts';
import type { VersionScope } from './routes.ts';
import { type TestApi, testApi } from './testing.ts';

const strategies: readonly StrategyName[] = ['path', 'media-type', 'query'];
const ending = { deprecated: '2026-01-01', sunset: '2026-06-30' };

let api: TestApi | undefined;
afterEach(() => api?.http.close());

/** What each version has of its own. */
const schemas = (number: number) => ({
  body: Type.Object({ [`name${number}`]: Type.String() }, { $id: `NewPartV${number}` }),
  reply: Type.Object({ [`name${number}`]: Type.String() }, { $id: `PartV${number}` }),
});

/** What an API with parts says of itself; the first version is there, deprecated, or gone. */
async function documentOf(strategy: StrategyName, first: 'there' | 'ending' | 'gone'): Promise<unknown> {
  const register = (http: Http, { route }: VersionScope, { body, reply }: ReturnType<typeof schemas>): void => {
    http.addSchema(body);
    http.addSchema(reply);
    const said = { tags: ['parts'], summary: 'A part', response: { 200: ref(reply), ...problems } };
    route({
      method: 'POST',
      url: '/parts',
      schema: { operationId: 'createPart', ...said, body: ref(body) },
      handler: () => ({}),
    });
    route({ method: 'GET', url: '/parts/:id', schema: { operationId: 'getPart', ...said }, handler: () => ({}) });
  };
  if (first === 'gone') {
    const versions = defineVersions({ strategy, default: 1, versions: { 1: { ...ending, retired: true }, 2: {} } });
    api = await testApi(await unlistedHttp(), versions, (http, versioned) =>
      versioned.each({ 2: schemas(2) }, (scope, value) => register(http, scope, value)),
    );
  } else {
    const versions = defineVersions({ strategy, default: 1, versions: { 1: first === 'ending' ? ending : {}, 2: {} } });
    api = await testApi(await unlistedHttp(), versions, (http, versioned) =>
      versioned.each({ 1: schemas(1), 2: schemas(2) }, (scope, value) => register(http, scope, value)),
    );
  }
  return api.document();
}

function at(document: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce<unknown>((part, key) => (isObject(part) ? part[key] : undefined), document);
}

describe('the contract', () => {
  it.each([
    ['path', ['/parts', '/parts/{id}', '/v1/parts', '/v1/parts/{id}', '/v2/parts', '/v2/parts/{id}']],
    ['media-type', ['/parts', '/parts/{id}']],
    ['query', ['/parts', '/parts/{id}']],
  ] as const)('by %s has each version, and no route by which requests are refused', async (strategy, paths) => {
    const document = await documentOf(strategy, 'there');
    expect(Object.keys(Object(at(document, 'paths'))).toSorted()).toEqual(paths);
    expect(JSON.stringify(document)).not.toContain('deprecated');
  });

  it('by path has an operation for each version, and says which is deprecated', async () => {
    const document = await documentOf('path', 'ending');
    const told = { deprecated: true, 'x-sunset': '2026-06-30' };
    expect(at(document, 'paths', '/parts/{id}', 'get')).toMatchObject({ operationId: 'getPart', ...told });
    expect(at(document, 'paths', '/v1/parts/{id}', 'get')).toMatchObject({ operationId: 'getPartV1', ...told });
    expect(at(document, 'paths', '/v2/parts/{id}', 'get')).toHaveProperty('operationId', 'getPartV2');
    expect(at(document, 'paths', '/v2/parts/{id}', 'get')).not.toHaveProperty('deprecated');
    expect(at(document, 'components', 'schemas', 'PartV1')).toMatchObject(told);
    expect(at(document, 'components', 'schemas', 'PartV2')).not.toHaveProperty('deprecated');
    expect(at(document, 'components', 'schemas', 'Problem')).not.toHaveProperty('deprecated');
  });

  it('does not say of a schema that it ends, when something that lasts has it too', async () => {
    const versions = defineVersions({ strategy: 'path', default: 1, versions: { 1: ending, 2: {} } });
    api = await testApi(await unlistedHttp(), versions, (http, versioned) => {
      for (const $id of ['Alone', 'BothVersions', 'Elsewhere']) http.addSchema({ $id, type: 'object' });
      const said = (name: string) => ({ summary: 'A part', response: { 200: { $ref: `${name}#` } } });
      http.get('/elsewhere', { schema: said('Elsewhere') }, () => ({}));
      versioned.each({ 1: 'Alone', 2: 'BothVersions' }, ({ route }, name) => {
        route({ method: 'GET', url: '/some', schema: said(name), handler: () => ({}) });
        route({ method: 'GET', url: '/both', schema: said('BothVersions'), handler: () => ({}) });
        if (name === 'Alone') route({ method: 'GET', url: '/one', schema: said('Elsewhere'), handler: () => ({}) });
      });
    });
    const { Alone, BothVersions, Elsewhere } = Object(at(api.document(), 'components', 'schemas'));
    expect(Alone).toHaveProperty('deprecated', true);
    for (const schema of [BothVersions, Elsewhere]) expect(schema).not.toHaveProperty('deprecated');
  });

  it('by media type has each version by its own, and the default as JSON', async () => {
    const document = await documentOf('media-type', 'ending');
    const operation = at(document, 'paths', '/parts/{id}', 'get');
    expect(operation).not.toHaveProperty('deprecated');
    const schema = (name: string) => ({ schema: { $ref: `#/components/schemas/${name}` } });
    expect(at(operation, 'responses', '200', 'content')).toEqual({
      'application/json': schema('PartV1'),
      [`application/vnd.${about.name}.v1+json`]: schema('PartV1'),
      [`application/vnd.${about.name}.v2+json`]: schema('PartV2'),
    });
    expect(at(document, 'components', 'schemas', 'PartV1')).toHaveProperty('deprecated', true);
  });

  it('by query has a parameter, and replies that are one or the other', async () => {
    const document = await documentOf('query', 'ending');
    expect(at(document, 'paths', '/parts/{id}', 'get', 'parameters', '0')).toBeUndefined();
    expect(JSON.stringify(at(document, 'paths', '/parts/{id}', 'get', 'parameters'))).toContain('"name":"version"');
    const { schema } = Object(
      at(document, 'paths', '/parts/{id}', 'get', 'responses', '200', 'content', 'application/json'),
    );
    expect(schema).toEqual({
      anyOf: [{ $ref: '#/components/schemas/PartV1' }, { $ref: '#/components/schemas/PartV2' }],
    });
  });

  it.each(strategies)(
    'by %s, once a sunset has passed, owes no more than is left without the version',
    async (strategy) => {
      const before = await documentOf(strategy, 'ending');
      await api?.http.close();
      const now = await documentOf(strategy, 'gone');
      expect(JSON.parse(withoutEnded(before, '2026-06-30'))).toEqual(now);
      expect(JSON.parse(withoutEnded(before, '2026-06-29'))).toEqual(before);
    },
  );
});
