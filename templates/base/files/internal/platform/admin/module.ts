import { defineModule } from '../app/module.ts';
import { drain, listen } from '../http/connections.ts';
import { controlOf } from '../log/logger.ts';
import { metrics } from '../metrics/module.ts';
import { config, rules } from './config.ts';
import { createAdmin, logLevelRoutes, metricsRoute, Operations, probes } from './server.ts';

/** The port for operations. It listens from the start, so that probes are answered while other modules still start. */
export const admin = defineModule({
  name: 'admin',
  config,
  rules,
  requires: [metrics],
  async start({ config: settings, log, lifecycle, use }) {
    const server = createAdmin();
    const value = new Operations(server);
    probes(server, lifecycle, settings.HEALTH_TIMEOUT_MS);
    metricsRoute(server, use(metrics));
    logLevelRoutes(server, log);
    await server.ready();
    const port = await listen(server.server, settings.ADMIN_HOST, settings.ADMIN_PORT, 'ADMIN_PORT');
    log.info({ port }, 'listening');
    return {
      value,
      links: () => ({ health: `http://localhost:${port}/readyz`, metrics: `http://localhost:${port}/metrics` }),
      reload: () => controlOf(log)?.resetLevel(),
      async stop(deadline) {
        await drain(server.server, deadline);
        await server.close();
      },
    };
  },
});
