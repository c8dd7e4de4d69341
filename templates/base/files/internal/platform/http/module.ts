import { defineModule } from '../app/module.ts';
import { tracing } from '../app/tracing.ts';
import { metrics } from '../metrics/module.ts';
import { config, rules } from './config.ts';
import { drain, listen } from './connections.ts';
import { createHttp } from './server.ts';

/** The API. Modules that require it register their routes while they start. It listens when all modules have started. */
export const http = defineModule({
  name: 'http',
  config,
  rules,
  requires: [metrics, tracing],
  async start({ config: settings, log, signal, use }) {
    const { requests: durations, errors } = use(metrics);
    const value = await createHttp({ config: settings, log, durations, errors, tracing: use(tracing).current });
    // When shutdown begins, each reply closes its connection, so that clients connect to another instance.
    signal.addEventListener('abort', () => {
      value.server.maxRequestsPerSocket = 1;
    });
    let port = settings.PORT;
    return {
      value,
      async serve() {
        await value.ready();
        port = await listen(value.server, settings.HOST, settings.PORT);
        log.info({ port }, 'listening');
      },
      links: () => ({ API: `http://localhost:${port}` }),
      drain: (deadline) => drain(value.server, deadline),
      stop: () => value.close(),
    };
  },
});
