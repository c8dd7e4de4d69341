import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { Type } from 'typebox';
import { about } from '../app/about.ts';
import { defineModule } from '../app/module.ts';
import { http } from '../http/module.ts';
import { type ApiDocument, describedSchema } from '../openapi/describe.ts';
import type { Http } from '../http/server.ts';
import { apiDocs } from './apiDocs.ts';

/**
 * How `/openapi.json` describes the API. Its version is the API's own, not the package's: raise its first number with a change
 * that breaks callers. No security is said to be needed: a module that asks for some says so itself.
 */
const openapi: FastifyDynamicSwaggerOptions = {
  openapi: { openapi: '3.1.0', info: { title: about.name, version: '1.0.0' }, security: [] },
  refResolver: {
    buildLocalReference: ({ $id }, _base, _fragment, index) => (typeof $id === 'string' ? $id : `schema-${index}`),
  },
  transform: ({ schema, url, route, ...made }) => {
    // What is asked for above is OpenAPI, and what modules add to it are parts of it.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const document = ('openapiObject' in made ? made.openapiObject : {}) as ApiDocument;
    return { schema: describedSchema({ ...route, schema }, document), url };
  },
};

/**
 * Has a server describe its routes at `/openapi.json`, and a page show them at `/docs`.
 * @param server before it has routes
 */
export async function describeApi(server: Http): Promise<void> {
  await server.register(swagger, openapi);
  server.get('/openapi.json', { schema: { hide: true } }, () => server.swagger());
  await apiDocs(server);
}

/** The API's description of itself. Routes are registered by modules that require `http`, which start after this one. */
export const contract = defineModule({
  name: 'contract',
  config: Type.Object({}),
  requires: [],
  completes: http,
  async start({ use }) {
    await describeApi(use(http));
    return { value: undefined, links: () => ({ 'its description': '/openapi.json' }) };
  },
});
