import { Registry } from '@prometheus-io/client';
import { Type } from 'typebox';
import { afterEach, describe, expect, it } from 'vitest';
import type { Http } from '../../../templates/base/files/internal/platform/http/server.ts';
import { Identity, type Permits } from '../../../templates/base/files/internal/platform/identity/module.ts';
import { unlistedHttp } from '../../../templates/modules/contract/files/test/support/contract.ts';
import { linksOf } from '../../../templates/modules/hal/files/internal/platform/hal/linksOf.ts';
import { createMetrics, speakHal } from '../../../templates/modules/hal/files/internal/platform/hal/speakHal.ts';
import {
  type StrategyName,
  defineVersions,
} from '../../../templates/modules/versioning/files/internal/platform/versioning/apiVersions.ts';
import { testApi } from '../../../templates/modules/versioning/files/internal/platform/versioning/testing.ts';

type Json<Body> = { content: { 'application/json': Body } };
type Api = {
  getPart: { parameters: { path: { id: string } }; responses: { 200: Json<{ id: string }> } };
  createPart: { parameters: {}; responses: { 201: Json<{ id: string }> } };
  dropPart: { parameters: { path: { id: string } }; responses: { 204: { content?: never } } };
  getNews: { parameters: {}; responses: { 200: Json<{ title: string }> } };
};

const { resource, to } = linksOf<Api, 'drop' | 'part'>();
const part = resource('getPart', {
  self: ({ id }) => ({ path: { id } }),
  alsoIn: ['createPart'],
  links: { up: to('getNews'), 'api:drop': to('dropPart', ({ id }) => ({ path: { id } })) },
});
const news = resource('getNews', {
  self: () => ({}),
  links: { 'api:part': to('getPart', ({ title }) => ({ path: { id: title } })) },
});

let http: Http;
let document: () => unknown;
afterEach(() => http.close());

/** News without versions, and parts in two; of the second one must be their owner to drop them. */
async function start(strategy: StrategyName, permits: Permits = () => true, isHidden = true): Promise<void> {
  http = await unlistedHttp();
  const identity = new Identity();
  identity.provide(() => Promise.reject(new Error('not asked')), permits);
  speakHal(http, { links: [part, news], relations: {}, identity, metrics: createMetrics(new Registry()) });
  const versions = defineVersions({ strategy, default: 1, versions: { 1: {}, 2: {} } });
  ({ document } = await testApi(http, versions, (server, versioned) => {
    server.addSchema(Type.Object({ title: Type.String() }, { $id: 'News' }));
    const said = (operationId: string, response = {}) => ({ hide: isHidden, operationId, response });
    server.get('/news', { schema: said('getNews', { 200: { $ref: 'News#' } }) }, () => ({ title: '7' }));
    versioned.each({ 1: {}, 2: { auth: { roles: ['owner'] } } }, ({ number, route }, config) => {
      const $ref = `PartV${number}`;
      server.addSchema(Type.Object({ id: Type.String() }, { $id: $ref }));
      route({
        method: 'GET',
        url: '/parts/:id',
        schema: said('getPart', { 200: { $ref: `${$ref}#` } }),
        handler: () => ({ id: '7' }),
      });
      route({
        method: 'POST',
        url: '/parts',
        schema: said('createPart', { 201: { $ref: `${$ref}#` } }),
        handler: (_request, reply) => reply.code(201).send({ id: '7' }),
      });
      route({ method: 'DELETE', url: '/parts/:id', schema: said('dropPart'), config, handler: () => '' });
    });
  }));
}

const hal = 'application/hal+json';

/** What stands in a document, however deep. */
function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((found, key) => Reflect.get(Object(found), key), value);
}

/** @returns where each link of a reply leads */
async function linksIn(url: string, method: 'GET' | 'POST' = 'GET'): Promise<Record<string, string>> {
  const reply = await http.inject({ method, url, headers: { accept: hal } });
  const { _links: found }: { _links: Record<string, { href: string }> } = reply.json();
  const paths = Object.entries(found).map(([name, { href }]) => [
    name,
    href && new URL(href, `http://a${url}`).pathname,
  ]);
  return Object.fromEntries(paths);
}

describe('module hal beside versioning, neither of which knows the other', () => {
  it.each(['', '/v1', '/v2'])('links within the version that was asked for by "%s"', async (version) => {
    await start('path');
    const expected = { self: `${version}/parts/7`, up: '/news', 'api:drop': `${version}/parts/7` };
    expect(await linksIn(`${version}/parts/7`)).toMatchObject(expected);
    expect(await linksIn(`${version}/parts`, 'POST')).toMatchObject(expected);
  });

  it('links to the default from what has no version', async () => {
    await start('path');
    expect(await linksIn('/news')).toMatchObject({ self: '/news', 'api:part': '/parts/7' });
  });

  it.each<[StrategyName, string, string]>([
    ['path', '/v1/parts/7', '/v2/parts/7'],
    ['query', '/parts/7?version=1', '/parts/7?version=2'],
  ])('asks the route of that version who may call it, by %s', async (strategy, first, second) => {
    await start(strategy, (_principal, { config }) => config?.auth === undefined);
    expect(await linksIn(first)).toHaveProperty('api:drop');
    expect(await linksIn(second)).not.toHaveProperty('api:drop');
  });

  it.each<StrategyName>(['query', 'media-type'])('is in the contract, of either version, by %s', async (strategy) => {
    await start(strategy, undefined, false);
    const described = at(document(), 'paths', '/parts/{id}', 'get', 'responses', '200', 'content');
    const schemas = ['PartV1Resource', 'PartV2Resource'].map((name) => ({ $ref: `#/components/schemas/${name}` }));
    expect(described).toMatchObject({ [hal]: { schema: { anyOf: schemas } } });
  });
});
