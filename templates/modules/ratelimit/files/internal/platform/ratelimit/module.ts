import type { Static } from 'typebox';
import { defineModule } from '../app/module.ts';
import { type Rule, atMost, rule } from '../config/config.ts';
import { http } from '../http/module.ts';
import { refusing } from '../http/problems.ts';
import { metrics } from '../metrics/module.ts';
import { Concurrency, shedding } from './concurrency.ts';
import { config } from './config.ts';
import { MemoryStore, type Store } from './limiter.ts';
import { createMetrics, measureConcurrency } from './metrics.ts';
import { type RouteRatelimit, defaultPolicy } from './policy.ts';
import { Quotas } from './quotas.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Rate limits of the route, in place of the settings. */
    ratelimit?: RouteRatelimit;
  }
}

/** A burst above the quota would never be reached. With RATELIMIT_QUOTA=0 there is no limit at all. */
const rules: readonly Rule[] = [
  atMost(config, 'RATELIMIT_CONCURRENCY_MIN', 'RATELIMIT_CONCURRENCY_MAX'),
  rule(config, ({ RATELIMIT_QUOTA: quota, RATELIMIT_BURST: burst }: Static<typeof config>) => {
    if (quota === 0 || burst <= quota) return undefined;
    const expected = `at most RATELIMIT_QUOTA, which is ${quota}`;
    return { variable: 'RATELIMIT_BURST', expected, given: String(burst), example: String(quota) };
  }),
];

/** For `sharedRatelimit`. */
export interface Ratelimit {
  readonly memory: Store;
  /** Counts a request that was counted in memory because the other store is away. */
  readonly fellBack: () => void;
  /** Replaces the store in memory. */
  readonly countIn: (store: Store) => void;
}

/**
 * Quotas and a concurrency limit for every route. It counts in memory and waits for nothing at start, so that no route is registered
 * before it.
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
    if (byDefault === undefined) log.info('only routes with a policy have a quota: RATELIMIT_QUOTA is 0');
    const keys = { tenantClaim: settings.RATELIMIT_TENANT_CLAIM, unknown: measured.unknown };
    const quotas = new Quotas({ byDefault, keys, metrics: measured, refuse, store: memory });
    server.addHook('onRoute', quotas.register);
    if (settings.RATELIMIT_CONCURRENCY) {
      const concurrency = new Concurrency({
        min: settings.RATELIMIT_CONCURRENCY_MIN,
        max: settings.RATELIMIT_CONCURRENCY_MAX,
        tolerance: settings.RATELIMIT_LATENCY_TOLERANCE,
      });
      const shed = measureConcurrency(registry, concurrency);
      const handle = shedding({ concurrency, refuse, trusts: server.trusts, shed });
      server.chain.add({ name: 'shedding', at: 'onRequest', handle });
    }
    server.chain.add({ name: 'quotas', at: 'preParsing', handle: quotas.check });
    const countIn = (store: Store): void => {
      quotas.store = store;
    };
    const value: Ratelimit = { memory, fellBack: measured.fellBack, countIn };
    return { value };
  },
});
