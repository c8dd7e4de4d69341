import { METHODS } from 'node:http';
import createRouter, { type HTTPMethod } from 'find-my-way';
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
