import type { Measurement } from './measurement.ts';
import { slipway, slipwayWith } from './services.ts';
import { lacksForLoad, underLoad, withHello } from './throughput.ts';

const modules = ['grpc', 'hal', 'http2', 'middleware', 'ratelimit', 'versioning', 'websocket'];

/** What is left of the base service's throughput where all that shows something to the outside is there too. */
export const api: Measurement = {
  title: `A small JSON route with every API module (${modules.join(', ')}), under the same load`,
  lacks: lacksForLoad,
  async measure({ service }) {
    const servers = [
      { name: 'the base service', ...withHello(service(slipway)) },
      { name: 'with every API module', ...withHello(service(slipwayWith(...modules))) },
    ];
    const compared = await underLoad(servers, {
      ADMIN_PORT: '0',
      GRPC_PORT: '0',
      NODE_ENV: 'production',
      REDIS_URL: '',
    });
    return [
      'A good part of the difference, some 3 µs of a request, is the luck of a process: where V8 collects garbage at a moment of the start at which no tick is pending, it takes the object that `process.nextTick` makes for one of many shapes ever after, and each tick costs ten times as much (`perf`: `Runtime_DefineKeyedOwnPropertyInLiteral`). With all modules it has been so each time; without any one of several of them it has not.',
      compared,
    ].join('\n\n');
  },
};
