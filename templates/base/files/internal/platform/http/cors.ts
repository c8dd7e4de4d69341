import type { Static } from 'typebox';
import type { config } from './config.ts';
import type { Http } from './server.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Headers of replies that pages of other origins may read besides what every page may; modules add theirs while they start. */
    exposedHeaders: string[];
  }
}

/**
 * Lets pages of other origins read replies, when settings name such origins; otherwise no browser does, and nothing is loaded.
 * @param http the API's server
 * @param settings the origins, and whether cookies may come along
 */
export async function cors(http: Http, settings: Static<typeof config>): Promise<void> {
  const { CORS_ORIGINS: origins, CORS_CREDENTIALS: credentials } = settings;
  const exposedHeaders = ['etag', 'location', 'retry-after', 'x-request-id'];
  http.decorate('exposedHeaders', exposedHeaders);
  if (origins === undefined) return;
  const { default: plugin } = await import('@fastify/cors');
  await http.register(plugin, {
    origin: origins === '*' ? '*' : origins.split(/\s*,\s*/),
    credentials,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders,
    // Seconds; browsers allow no more than two hours.
    maxAge: 7200,
    // Any other OPTIONS is answered with Allow.
    strictPreflight: false,
  });
}
