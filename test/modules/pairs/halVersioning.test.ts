import { Type } from 'typebox';
import { afterEach, describe, expect, it } from 'vitest';
import type { Http } from '../../../templates/base/files/internal/platform/http/server.ts';
import { Identity, type Permits } from '../../../templates/base/files/internal/platform/identity/module.ts';
import { testHttp } from '../../../templates/base/files/test/support/http.ts';
import { linksOf } from '../../../templates/modules/hal/files/internal/platform/hal/linksOf.ts';
import { speakHal } from '../../../templates/modules/hal/files/internal/platform/hal/speakHal.ts';
import { defineVersions } from '../../../templates/modules/versioning/files/internal/platform/versioning/apiVersions.ts';
import { testApi } from '../../../templates/modules/versioning/files/internal/platform/versioning/testing.ts';

type Json<Body> = { content: { 'application/json': Body } };
type Api = {
  getPart: { parameters: { path: { id: string } }; responses: { 200: Json<{ id: string }> } };
  createPart: { parameters: {}; responses: { 201: Json<{ id: string }> } };
  dropPart: { parameters: { path: { id: string } }; responses: { 204: { content?: never } } };
  getNews: { parameters: {}; responses: { 200: Json<{ title: string }> } };
};

const { resource, to } = linksOf<Api>();
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
afterEach(() => http.close());

/** News without versions, and parts in two; of the second one must be their owner to drop them. */
async function start(permits: Permits = () => true): Promise<void> {
  http = await testHttp();
  const identity = new Identity();
  identity.provide(() => Promise.reject(new Error('not asked')), permits);
  speakHal(http, [part, news], identity);
  const versions = defineVersions({ default: 1, versions: { 1: {}, 2: {} } });
  await testApi(http, versions, (server, versioned) => {
    server.addSchema(Type.Object({ title: Type.String() }, { $id: 'News' }));
    const said = (operationId: string, response = {}) => ({ hide: true, operationId, response });
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
  });
}

const hal = 'application/hal+json';

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
    await start();
    const expected = { self: `${version}/parts/7`, up: '/news', 'api:drop': `${version}/parts/7` };
    expect(await linksIn(`${version}/parts/7`)).toMatchObject(expected);
    expect(await linksIn(`${version}/parts`, 'POST')).toMatchObject(expected);
  });

  it('links to the default from what has no version', async () => {
    await start();
    expect(await linksIn('/news')).toMatchObject({ self: '/news', 'api:part': '/parts/7' });
  });

  it('asks the route of that version who may call it', async () => {
    await start((_principal, { config }) => config?.auth === undefined);
    expect(await linksIn('/v1/parts/7')).toHaveProperty('api:drop');
    expect(await linksIn('/v2/parts/7')).not.toHaveProperty('api:drop');
  });
});
