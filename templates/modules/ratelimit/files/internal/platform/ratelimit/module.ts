import { Counter } from '@prometheus-io/client';
import type { FastifyContextConfig, FastifyReply, FastifyRequest } from 'fastify';
import { defineModule } from '../app/module.ts';
import type { Handle } from '../http/types.ts';
import { http } from '../http/module.ts';
import { metrics } from '../metrics/module.ts';
import { redis } from '../redis/module.ts';
import { config } from './config.ts';
import { MemoryStore } from './limiter.ts';
import { type Policy, RateLimitedError, type RoutePolicy, keyOf, policyOf, setHeaders } from './quotas.ts';
import { RedisStore } from './redisStore.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Limit of the route, in place of the settings. `false`: no limit. */
    ratelimit?: RoutePolicy | false;
    /** The name of the resource that the route belongs to: routes that change it share a limit. */
    resource?: string;
  }
}

/** Limits the requests of each caller: in Redis for all processes together, in memory when there is no Redis. */
export const ratelimit = defineModule({
  name: 'ratelimit',
  config,
  requires: [http, metrics, redis],
  start({ config: settings, log, use }) {
    const { RATELIMIT_QUOTA: quota, RATELIMIT_BURST: burst, RATELIMIT_RATE: rate } = settings;
    const numbers = { quota, windowSeconds: settings.RATELIMIT_WINDOW_SECONDS };
    const ofSettings: RoutePolicy = {
      name: 'default',
      ...numbers,
      ...(burst > 0 && { burst }),
      ...(rate > 0 && { rate }),
    };
    if (quota === 0) log.info('routes without a policy have no quota: RATELIMIT_QUOTA is 0');
    const writeQuota = Math.min(settings.RATELIMIT_WRITE_QUOTA, quota || Infinity);
    const ofRoute = ({ method, config: { resource } }: FastifyRequest['routeOptions']): RoutePolicy | false => {
      const reads = [method].flat().every((each) => each === 'GET' || each === 'HEAD');
      if (resource === undefined || reads || writeQuota === 0) return quota > 0 && ofSettings;
      return { name: `${resource}:write`, ...numbers, quota: writeQuota };
    };

    /** By Fastify's own object for each route: routes may share what they say. */
    const policies = new WeakMap<FastifyContextConfig, Policy>();
    use(http).addHook('onRoute', ({ url, config: of }) => {
      // A mistake is found at start.
      if (of?.ratelimit) policyOf(url, of.ratelimit);
    });
    const policyFor = ({ is404, routeOptions }: FastifyRequest): Policy | undefined => {
      const given = is404 ? false : (routeOptions.config.ratelimit ?? ofRoute(routeOptions));
      if (given === false) return undefined;
      let policy = policies.get(routeOptions.config);
      if (policy === undefined) {
        // HEAD has the limit of GET.
        const method = [routeOptions.method].flat().join().replace('HEAD', 'GET');
        policies.set(routeOptions.config, (policy = policyOf(`${method} ${routeOptions.url}`, given)));
      }
      return policy;
    };

    const registers = [use(metrics).registry];
    const decisions = new Counter({
      name: 'ratelimit_decisions_total',
      help: 'Requests by policy and outcome: allowed, or refused by the window or the bucket',
      labelNames: ['policy', 'outcome'],
      registers,
    });
    const fallbacks = new Counter({
      name: 'ratelimit_fallback_decisions_total',
      help: 'Requests counted by this process alone, because Redis was away',
      registers,
    });
    const memory = new MemoryStore();
    const { server } = use(redis);
    const store = server ? new RedisStore({ server, fallback: memory, log, fellBack: () => fallbacks.inc() }) : memory;

    const limit = async (request: FastifyRequest, reply: FastifyReply, policy: Policy): Promise<void> => {
      const standing = await store.take(keyOf(request, policy), policy.limit);
      decisions.inc({ policy: policy.name, outcome: standing.outcome });
      // The deadline may have passed.
      if (reply.sent) return;
      setHeaders(reply, policy, standing);
      if (standing.outcome !== 'allowed') throw new RateLimitedError(policy.name, standing);
    };
    const check: Handle = (request, reply, next) => {
      const policy = policyFor(request);
      return policy === undefined ? next() : limit(request, reply, policy);
    };
    // The caller is known by then, and the body is not read yet.
    use(http).chain.add({ name: 'quotas', at: 'preParsing', handle: check });
    return { value: undefined };
  },
});
