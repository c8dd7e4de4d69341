import { Type } from 'typebox';
import { admin } from '../admin/module.ts';
import { defineModule } from '../app/module.ts';
import { http } from '../http/module.ts';
import { refusing } from '../http/problems.ts';
import { metrics } from '../metrics/module.ts';
import { Kinds, blocking } from './kinds.ts';
import { registerMetrics } from './metrics.ts';
import { operations } from './operations.ts';
import { RunningChain } from './runningChain.ts';

/** Maximum of middleware that can be added while the service runs. */
const maxAdded = 100;

/** The chain of middleware: timed, and changed while the service runs. Its value lets other modules change it, and offer kinds. */
export const middleware = defineModule({
  name: 'middleware',
  config: Type.Object({}),
  requires: [admin, http, metrics],
  async start({ log, use }) {
    const { registry, errors } = use(metrics);
    const server = use(http);
    const chain = new RunningChain({ chain: server.chain, maxAdded, log });
    const kinds = new Kinds();
    kinds.offer('block', blocking(refusing(errors)));
    registerMetrics(registry, () => chain.entries);
    await use(admin).add('middleware', (part) => operations(part, chain, kinds, server));
    return {
      value: { chain, kinds },
      // All modules have added their middleware by now. Reading the entries puts them under measurement.
      serve: () => void chain.entries,
      reload: () => chain.reset(),
      stop: () => chain.stop(),
    };
  },
});
