import type { Http } from '../http/server.ts';

/** Scripts from here only, and none written into the page; Swagger UI writes styles into it. */
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
 * Serves a page at `/docs` that shows the API and tries it. Swagger UI is a development dependency: a production install does
 * without its 30 packages, and a page that runs scripts is not on the public port.
 * @param http the API's server, with @fastify/swagger
 */
export async function apiDocs(http: Http): Promise<void> {
  if (process.env['NODE_ENV'] === 'production') return;
  const plugin = await import('@fastify/swagger-ui').catch(() => undefined);
  if (plugin === undefined) return;
  await http.register(plugin.default, { routePrefix: '/docs', staticCSP: policy, uiConfig: { validatorUrl: 'none' } });
}
