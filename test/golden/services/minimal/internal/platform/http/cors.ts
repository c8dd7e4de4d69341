import { METHODS } from 'node:http';
import createRouter, { type HTTPMethod } from 'find-my-way';
import type { Static } from 'typebox';
import type { config } from './config.ts';
import type { Http } from './server.ts';

/** To Fastify's router an unknown method is an unknown path. This one tells them apart; it is asked when that one found nothing. */
export class Methods {
  readonly #router = createRouter();
  readonly #methods = new Set<HTTPMethod>();

  /** @param http its routes are remembered as they are registered */
  constructor(http: Http) {
    http.addHook('onRoute', ({ method, url }) => {
      // The wildcard of @fastify/cors is no route of anybody's.
      if (url === '*') return;
      for (const each of [method].flat().filter(isMethod)) {
        if (this.#router.hasRoute(each, url)) continue;
        this.#router.on(each, url, () => undefined);
        this.#methods.add(each);
      }
    });
  }

  /**
   * @param method of a route
   * @param url its pattern
   * @returns whether there is such a route, whatever else it is found by: a version, say
   */
  has(method: string, url: string): boolean {
    return isMethod(method) && this.#router.hasRoute(method, url);
  }

  /**
   * @param url path and query of a request
   * @returns what an Allow header says (RFC 9110, 10.2.1): the methods of that path; `undefined` when there is no such path
   */
  allowed(url: string): string | undefined {
    const [path = ''] = url.split('?', 1);
    const methods = [...this.#methods].filter((method) => this.#router.find(method, path) !== null);
    return methods.length === 0 ? undefined : [...new Set([...methods, 'OPTIONS'])].toSorted().join(', ');
  }
}

function isMethod(method: string): method is HTTPMethod {
  return METHODS.includes(method);
}

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
