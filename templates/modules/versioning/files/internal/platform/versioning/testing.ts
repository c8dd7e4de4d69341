import { Registry } from '@prometheus-io/client';
import { current } from '../../../pkg/context/index.ts';
import { refusing } from '../http/problems.ts';
import type { Http } from '../http/server.ts';
import { principalKey } from '../http/requestContext.ts';
import { ErrorCounts } from '../metrics/module.ts';
import type { ApiVersions } from './apiVersions.ts';
import { createUsage } from './metrics.ts';
import { VersionedRoutes } from './routes.ts';

/** An API with versions, and routes of its own. */
export interface TestApi {
  readonly http: Http;
  /** Returns the metrics as text. */
  readonly scrape: () => Promise<string>;
  /** Returns its contract. */
  readonly document: () => unknown;
}

/**
 * @param http without routes, by `unlistedHttp`
 * @param versions of the API
 * @param routes registers them
 * @returns the API, for `inject`. The header `test-user` is the subject of the caller
 */
export async function testApi<Served extends number>(
  http: Http,
  versions: ApiVersions<Served>,
  routes: (http: Http, versioned: VersionedRoutes<Served>) => void,
): Promise<TestApi> {
  const registry = new Registry();
  const errors = new ErrorCounts(registry);
  http.addHook('onRequest', ({ headers: { 'test-user': subject } }, _reply, done) => {
    const none = new Set<string>();
    if (typeof subject === 'string') {
      current().set(principalKey, { subject, claims: {}, scopes: none, roles: none, expiresAt: Infinity });
    }
    done();
  });
  const versioned = new VersionedRoutes({
    http,
    versions,
    usage: createUsage(registry, versions, 3),
    refuse: refusing(errors),
  });
  routes(http, versioned);
  await http.ready();
  return {
    http,
    scrape: () => registry.metrics(),
    document: () => http.swagger(),
  };
}
