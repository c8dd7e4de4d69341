import { fastify } from 'fastify';
import { defineModule } from '../app/module.ts';
import { drain, listen } from '../http/listener.ts';
import { metrics } from '../metrics/module.ts';
import { config } from './config.ts';
import { probes } from './probes.ts';

/** The port for operations. It listens from the start, so that probes are answered while other modules still start. */
export const admin = defineModule({
  name: 'admin',
  config,
  requires: [metrics],
  async start({ config: settings, log, lifecycle, use }) {
    const server = fastify();
    probes(server, lifecycle, settings.HEALTH_TIMEOUT_MS);
    const { registry, text } = use(metrics);
    server.get('/metrics', async (_request, reply) => {
      reply.type(registry.contentType);
      return text();
    });
    await server.ready();
    log.info({ port: await listen(server.server, settings.ADMIN_HOST, settings.ADMIN_PORT) }, 'listening');
    return {
      value: undefined,
      async stop(deadline) {
        await drain(server.server, deadline);
        await server.close();
      },
    };
  },
});
