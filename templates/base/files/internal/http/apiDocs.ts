import type { Http } from './server.ts';

/**
 * Serves a page at `/docs` that shows the API and tries it. Swagger UI is a development dependency: a production install does
 * without its 30 packages, and a page that runs scripts is not on the public port.
 * @param http the API's server, with @fastify/swagger
 */
export async function apiDocs(http: Http): Promise<void> {
  if (process.env['NODE_ENV'] === 'production') return;
  const plugin = await import('@fastify/swagger-ui').catch(() => undefined);
  if (plugin === undefined) return;
  // Scripts and styles from here only, each known by its hash.
  await http.register(plugin.default, { routePrefix: '/docs', staticCSP: true });
}
