import { defineModule } from '../app/module.ts';
import { http } from '../http/module.ts';
import { refusing } from '../http/problems.ts';
import { metrics } from '../metrics/module.ts';
import { Concurrency } from './concurrency.ts';
import { config } from './config.ts';
import { GradientLimit } from './gradient.ts';
import { MemoryStore } from './memoryStore.ts';
import { createMetrics, measureConcurrency } from './metrics.ts';
import { describeLimits } from './openapi.ts';
import { type RouteRatelimit, defaultPolicy } from './policy.ts';
import { Quotas } from './quotas.ts';
import { rules } from './rules.ts';
import { shedding } from './shedding.ts';
import type { Store } from './store.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How the route is limited; without it, as the settings say. */
    ratelimit?: RouteRatelimit;
  }
}

/** What the module gives to those that require it. */
export interface Ratelimit {
  /** Limits in the memory of this process. */
  readonly memory: MemoryStore;
  /** Hears of each request that was counted there for want of another store. */
  readonly fellBack: () => void;
  /**
   * Has limits counted elsewhere from now on.
   * @param store in place of memory
   */
  readonly countIn: (store: Store) => void;
}

/**
 * Quotas and a concurrency limit for every route. It counts in memory, and waits for nothing: routes that are registered while
 * it starts are limited too. Where processes share a Redis, `sharedRatelimit` has them count there.
 */
export const ratelimit = defineModule({
  name: 'ratelimit',
  config,
  rules,
  requires: [http, metrics],
  start({ config: settings, log, use }) {
    const { registry, errors } = use(metrics);
    const server = use(http);
    const measured = createMetrics(registry, () => memory.size);
    const memory = new MemoryStore(settings.RATELIMIT_KEYS_MAX, measured.evicted);
    const refuse = refusing(errors);
    const byDefault = defaultPolicy(settings);
    if (byDefault === undefined) log.info('no quota but those of routes: RATELIMIT_QUOTA is 0');
    const quotas = new Quotas({
      byDefault,
      keys: { tenantClaim: settings.RATELIMIT_TENANT_CLAIM, unknown: measured.unknown },
      metrics: measured,
      refuse,
      store: memory,
    });
    server.exposedHeaders.push('ratelimit', 'ratelimit-policy');
    server.addHook('onRoute', quotas.know);
    server.addHook('onRoute', describeLimits);
    if (settings.RATELIMIT_CONCURRENCY) {
      const concurrency = new Concurrency(
        new GradientLimit({
          min: settings.RATELIMIT_CONCURRENCY_MIN,
          max: settings.RATELIMIT_CONCURRENCY_MAX,
          tolerance: settings.RATELIMIT_LATENCY_TOLERANCE,
        }),
      );
      const shed = measureConcurrency(registry, concurrency);
      const handle = shedding({ concurrency, refuse, trusts: server.trusts, shed });
      server.chain.add({ name: 'shedding', at: 'onRequest', handle });
    }
    server.chain.add({ name: 'quotas', at: 'preParsing', handle: quotas.check });
    const value: Ratelimit = {
      memory,
      fellBack: measured.fellBack,
      countIn: (store) => {
        quotas.store = store;
      },
    };
    return { value };
  },
});
