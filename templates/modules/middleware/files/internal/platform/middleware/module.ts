import { Counter, Gauge, type Registry } from '@prometheus-io/client';
import { Type } from 'typebox';
import { admin } from '../admin/module.ts';
import { defineModule } from '../app/module.ts';
import { http } from '../http/module.ts';
import { refusing } from '../http/problems.ts';
import { metrics } from '../metrics/module.ts';
import { Blocks } from './blocks.ts';
import { operations } from './operations.ts';
import { type Entry, RunningChain } from './runningChain.ts';

/** Lets operators switch middleware off and block callers while the service runs, and measures the chain. */
export const middleware = defineModule({
  name: 'middleware',
  config: Type.Object({}),
  requires: [admin, metrics],
  // It starts before all modules that add middleware, so that blocked callers are refused before they use up quotas.
  completes: http,
  async start({ log, use }) {
    const { registry, errors } = use(metrics);
    const server = use(http);
    const chain = new RunningChain(server.chain, log);
    const blocks = new Blocks(refusing(errors), log);
    // The caller is known there.
    server.chain.add({ name: 'blocks', at: 'preParsing', fixed: true, handle: blocks.handle });
    registerMetrics(registry, chain);
    await use(admin).add('middleware', (part) => operations(part, chain, blocks));
    return {
      value: undefined,
      // All modules have added their middleware by now. Reading the entries puts them under measurement.
      serve: () => void chain.entries,
      reload() {
        chain.reset();
        blocks.clear();
      },
    };
  },
});

/** Plain numbers that are read at a scrape: a histogram would cost more than most middleware. */
function registerMetrics(registry: Registry, chain: RunningChain): void {
  const counter = (name: string, help: string, valueOf: (entry: Entry) => number) =>
    new Counter({
      name,
      help,
      labelNames: ['middleware'],
      registers: [],
      collect() {
        this.reset();
        for (const entry of chain.entries) this.inc({ middleware: entry.step.name }, valueOf(entry));
      },
    });
  registry.registerMetric(
    counter('middleware_seconds_total', 'Seconds that requests spent in a middleware', ({ seconds }) => seconds),
  );
  registry.registerMetric(
    counter('middleware_requests_total', 'Requests that a middleware has handled', ({ requests }) => requests),
  );
  registry.registerMetric(
    new Gauge({
      name: 'middleware_on',
      help: 'Whether a middleware is on (1) or was switched off (0)',
      labelNames: ['middleware'],
      registers: [],
      collect() {
        for (const { step, isOn } of chain.entries) this.set({ middleware: step.name }, Number(isOn));
      },
    }),
  );
}
