import { Counter, Gauge, type Registry } from '@prometheus-io/client';
import { Type } from 'typebox';
import { versionsOfResources } from '../../versions.gen.ts';
import { defineModule } from '../app/module.ts';
import { http } from '../http/module.ts';
import { refusing } from '../http/problems.ts';
import { metrics } from '../metrics/module.ts';
import { type ApiVersions, momentOf } from './apiVersions.ts';
import type { ResourceVersions } from './resources.ts';
import { type Usage, VersionedRoutes } from './routes.ts';
import { versions } from './versions.ts';

/**
 * @param declared versions of the API
 * @param resources that have versions
 * @returns the module that serves them. It starts before the modules that require `http`: they register the routes
 */
export function versioningOf<Served extends number>(
  declared: ApiVersions<Served>,
  resources: readonly ResourceVersions[],
) {
  return defineModule({
    name: 'versioning',
    config: Type.Object({}),
    requires: [metrics],
    completes: http,
    start({ use }) {
      const { registry, errors } = use(metrics);
      const usage = createUsage(registry, declared);
      const options = { http: use(http), versions: declared, resources, usage, refuse: refusing(errors) };
      return { value: new VersionedRoutes(options) };
    },
  });
}

/** The versions of the API. Resources have them; modules that require it can register other routes by version. */
export const versioning = versioningOf(versions, versionsOfResources);

/**
 * @param registry that exposes the metrics
 * @param versions of the API
 * @returns what counts requests
 */
export function createUsage(registry: Registry, { all }: ApiVersions): Usage {
  const registers = [registry];
  const requests = new Counter({
    name: 'versioning_requests_total',
    help: 'Requests by version of the API',
    labelNames: ['version'],
    registers,
  });
  const refusals = new Counter({
    name: 'versioning_refusals_total',
    help: 'Requests that no version serves: unknown or retired',
    labelNames: ['reason'],
    registers,
  });
  const sunset = new Gauge({
    name: 'versioning_sunset_timestamp_seconds',
    help: 'When a version may be gone, in seconds since 1970',
    labelNames: ['version'],
    registers,
  });
  for (const { number, sunset: end, retired } of all)
    if (end !== undefined && !retired) sunset.set({ version: String(number) }, momentOf(end).getTime() / 1000);
  return {
    used: (version) => requests.inc({ version: String(version) }),
    refused: (reason) => refusals.inc({ reason }),
  };
}
