import { defineModule } from '../app/module.ts';
import { http } from '../http/module.ts';
import { refusing } from '../http/problems.ts';
import { metrics } from '../metrics/module.ts';
import { config } from './config.ts';
import { createUsage } from './metrics.ts';
import { VersionedRoutes } from './routes.ts';
import { strategyOf } from './strategies.ts';
import { versions } from './versions.ts';

/** The versions of the API: modules that require it register the routes that differ between them. */
export const versioning = defineModule({
  name: 'versioning',
  config,
  requires: [http, metrics],
  start({ config: settings, use }) {
    const { registry, errors } = use(metrics);
    const { VERSIONING_CONSUMER_CLAIM: claim, VERSIONING_CONSUMERS_MAX: max } = settings;
    const server = use(http);
    // Pages of other origins may read what is said of a version's end.
    server.exposedHeaders.push('deprecation', 'link', 'sunset');
    const value = new VersionedRoutes({
      http: server,
      versions,
      strategy: strategyOf(server, versions),
      usage: createUsage(registry, versions, { claim, max }),
      refuse: refusing(errors),
    });
    return { value };
  },
});
