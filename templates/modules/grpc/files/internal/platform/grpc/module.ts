import { defineModule } from '../app/module.ts';
import { tracing } from '../app/tracing.ts';
import { identity } from '../identity/module.ts';
import { metrics } from '../metrics/module.ts';
import { config } from './config.ts';
import { serveHealth, serveReflection } from './health.ts';
import { Grpc } from './server.ts';

/** gRPC. Modules that require it add their services while they start; it listens after all have started. */
export const grpc = defineModule({
  name: 'grpc',
  config,
  requires: [identity, metrics, tracing],
  start({ config: settings, log, signal, lifecycle, use }) {
    const { registry, errors } = use(metrics);
    const value = new Grpc({
      config: settings,
      log,
      registry,
      errors,
      tracing: use(tracing).current,
      identity: use(identity),
      stopping: signal,
    });
    return {
      value,
      async serve() {
        serveHealth(value, lifecycle, signal);
        if (settings.GRPC_REFLECTION) serveReflection(value);
        const port = await value.listen();
        log.info({ port }, 'listening');
      },
      drain: (deadline) => value.drain(deadline),
    };
  },
});
