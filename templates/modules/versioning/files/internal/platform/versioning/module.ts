import { Type } from 'typebox';
import { defineModule } from '../app/module.ts';
import { http } from '../http/module.ts';
import { refusing } from '../http/problems.ts';
import { metrics } from '../metrics/module.ts';
import { createUsage } from './metrics.ts';
import { VersionedRoutes } from './routes.ts';
import { versions } from './versions.ts';

/** The versions of the API. Modules that require it register the routes that differ between versions. */
export const versioning = defineModule({
  name: 'versioning',
  config: Type.Object({}),
  requires: [http, metrics],
  start({ use }) {
    const { registry, errors } = use(metrics);
    const server = use(http);
    // Scripts of other origins may read when a version ends.
    const usage = createUsage(registry, versions);
    return { value: new VersionedRoutes({ http: server, versions, usage, refuse: refusing(errors) }) };
  },
});
