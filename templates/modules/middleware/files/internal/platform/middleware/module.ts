import { admin } from '../admin/module.ts';
import { defineModule } from '../app/module.ts';
import { http } from '../http/module.ts';
import { refusing } from '../http/problems.ts';
import { metrics } from '../metrics/module.ts';
import { blocking } from './block.ts';
import { config } from './config.ts';
import { Kinds } from './kinds.ts';
import { registerMetrics } from './metrics.ts';
import { operations } from './operations.ts';
import { RunningChain } from './runningChain.ts';

/** What the module gives to those that require it. */
export interface Middlewares {
  /** To add and remove by code. */
  readonly chain: RunningChain;
  /** To offer what operators can add. */
  readonly kinds: Kinds;
}

/** The chain of middleware: timed, and changed while the service runs. */
export const middleware = defineModule({
  name: 'middleware',
  config,
  requires: [admin, http, metrics],
  async start({ config: settings, log, use }) {
    const { registry, errors } = use(metrics);
    const server = use(http);
    const chain = new RunningChain({ chain: server.chain, most: settings.MIDDLEWARE_ADDED_MAX, log });
    const kinds = new Kinds();
    kinds.offer('block', blocking(refusing(errors)));
    registerMetrics(registry, () => chain.entries);
    await use(admin).add('middleware', (part) => operations(part, chain, kinds, server));
    const value: Middlewares = { chain, kinds };
    return {
      value,
      // By then all modules have started, and with them whatever they add to the chain.
      serve: () => chain.takeUp(),
      reload: () => chain.reset(),
      stop: () => chain.stop(),
    };
  },
});
