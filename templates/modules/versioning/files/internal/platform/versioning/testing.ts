import { Registry } from '@prometheus-io/client';
import { describeApi } from '../contract/module.ts';
import { refusing } from '../http/problems.ts';
import type { Http } from '../http/server.ts';
import { ErrorCounts } from '../metrics/module.ts';
import type { ApiVersions } from './apiVersions.ts';
import { createUsage } from './module.ts';
import type { ResourceVersions } from './resources.ts';
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
 * @param http without routes
 * @param versions of the API
 * @param routes registers them
 * @param resources that have versions
 * @returns the API, for `inject`
 */
export async function testApi<Served extends number>(
  http: Http,
  versions: ApiVersions<Served>,
  routes: (http: Http, versioned: VersionedRoutes<Served>) => void,
  resources: readonly ResourceVersions[] = [],
): Promise<TestApi> {
  await describeApi(http);
  const registry = new Registry();
  const errors = new ErrorCounts(registry);
  const versioned = new VersionedRoutes({
    http,
    versions,
    resources,
    usage: createUsage(registry, versions),
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
