import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { Type } from 'typebox';
import { about } from '../app/about.ts';
import { defineModule } from '../app/module.ts';
import { http } from '../http/module.ts';
import { type ApiDocument, describedSchema } from '../openapi/describe.ts';
import type { Http } from '../http/server.ts';

/**
 * The description of the API in `/openapi.json`. The version is that of the API, not of the package: raise its first number with a
 * change that breaks callers. Modules that require a token add `security` themselves.
 */
const openapi: FastifyDynamicSwaggerOptions = {
  openapi: { openapi: '3.1.0', info: { title: about.name, version: '1.0.0' }, security: [] },
  refResolver: {
    buildLocalReference: ({ $id }, _base, _fragment, index) => (typeof $id === 'string' ? $id : `schema-${index}`),
  },
  // For each route, also for those that are hidden.
  transform: ({ schema, url, route, ...made }) => {
    // It is OpenAPI because of the option above.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const document = ('openapiObject' in made ? made.openapiObject : {}) as ApiDocument;
    return { schema: describedSchema({ ...route, schema }, document), url };
  },
};

/**
 * Makes a server describe its routes at `/openapi.json` and on a page at `/docs`.
 * @param server before it has routes
 */
export async function describeApi(server: Http): Promise<void> {
  await server.register(swagger, openapi);
  server.get('/openapi.json', { schema: { hide: true } }, () => server.swagger());
  await serveDocs(server);
}

/** The description of the API. It starts before the modules that require `http`, which register the routes. */
export const contract = defineModule({
  name: 'contract',
  config: Type.Object({}),
  requires: [],
  completes: http,
  async start({ use }) {
    await describeApi(use(http));
    return { value: undefined, links: () => ({ docs: '/docs' }) };
  },
});

/** Scripts from this server only, none inline; Swagger UI needs inline styles. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * Serves a page at `/docs` that shows the API and can call it. Swagger UI is a development dependency: production gets neither its 30
 * packages nor a page with scripts on the public port.
 */
async function serveDocs(server: Http): Promise<void> {
  if (process.env['NODE_ENV'] === 'production') return;
  const plugin = await import('@fastify/swagger-ui').catch(() => undefined);
  if (plugin === undefined) return;
  await server.register(plugin.default, {
    routePrefix: '/docs',
    staticCSP: policy,
    uiConfig: { validatorUrl: 'none' },
  });
}
