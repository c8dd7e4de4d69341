import { Counter, Gauge, type Registry } from '@prometheus-io/client';
import { Type } from 'typebox';
import { defineModule } from '../app/module.ts';
import { http } from '../http/module.ts';
import { refusing } from '../http/problems.ts';
import { metrics } from '../metrics/module.ts';
import { type ApiVersions, momentOf } from './apiVersions.ts';
import { type Usage, VersionedRoutes } from './routes.ts';
import { versions } from './versions.ts';

/** The versions of the API. Modules that require it register the routes that differ between versions. */
export const versioning = defineModule({
  name: 'versioning',
  config: Type.Object({}),
  requires: [http, metrics],
  start({ use }) {
    const { registry, errors } = use(metrics);
    const usage = createUsage(registry, versions);
    return { value: new VersionedRoutes({ http: use(http), versions, usage, refuse: refusing(errors) }) };
  },
});

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
