import type { Measurement } from './measurement.ts';
import { quota } from './ratelimit.ts';
import { slipway, slipwayWith } from './services.ts';
import { lacksForLoad, underLoad, withHello } from './throughput.ts';

const modules = ['grpc', 'hal', 'middleware', 'ratelimit', 'static', 'tls', 'versioning', 'websocket'];

/** What is left of the base service's throughput where all that shows something to the outside is there too. */
export const api: Measurement = {
  title: `A small JSON route with every API module (${modules.join(', ')}), under the same load`,
  lacks: lacksForLoad,
  async measure({ service }) {
    const everything = withHello(service(slipwayWith(...modules)));
    const servers = [
      { name: 'the base service', ...withHello(service(slipway)) },
      { name: 'with every API module, as they come', ...everything },
      { name: 'the same, with a quota in memory', ...everything, env: quota },
    ];
    return underLoad(servers, {
      ADMIN_PORT: '0',
      GRPC_PORT: '0',
      NODE_ENV: 'production',
      REDIS_URL: '',
    });
  },
};
