import type { FastifyContextConfig, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Handle } from '../http/server.ts';
import { problem, type Refuse } from '../http/problems.ts';
import { setHeaders } from './headers.ts';
import { type KeyOptions, keyOf } from './keys.ts';
import { type Decision, type Standing, decisionOf } from './limiter.ts';
import type { RatelimitMetrics } from './metrics.ts';
import { type Policy, type RouteRatelimit, policyOf } from './policy.ts';
import type { Store } from './store.ts';

export interface QuotaOptions {
  /** Of routes that have none of their own. */
  readonly byDefault: Policy | undefined;
  readonly keys: KeyOptions;
  readonly metrics: RatelimitMetrics;
  readonly refuse: Refuse;
  /** In memory; another may take its place. */
  readonly store: Store;
}

/** Keeps callers within their quotas. */
export class Quotas {
  /** Where it is counted. */
  store: Store;
  readonly #options: QuotaOptions;
  /** By what Fastify keeps of each route; what a route says may be said by others, too. */
  readonly #policies = new WeakMap<FastifyContextConfig, Policy | undefined>();

  /** @param options policies, and where to count and to tell */
  constructor(options: QuotaOptions) {
    this.#options = options;
    this.store = options.store;
  }

  /**
   * For `onRoute`, so that a mistake is told at start.
   * @param route as it is registered
   * @throws {TypeError} when what it says is no policy
   */
  readonly know = ({ method, url, config }: RouteOptions): void => {
    if (config?.ratelimit !== undefined) this.#policyFor(config.ratelimit, method, url);
  };

  /** For `preParsing`: by then all that looks at the head of a request has, and it is known who sends it; no body is read yet. */
  readonly check: Handle = (request, reply, next) => {
    const policy = this.#policyOf(request);
    if (policy === undefined) return next();
    const standing = this.store.take(keyOf(request, policy, this.#options.keys), policy.limit);
    if (standing instanceof Promise) return this.#checkLater(request, reply, policy, standing);
    if (this.#apply(request, reply, policy, standing)) next();
    return undefined;
  };

  async #checkLater(
    request: FastifyRequest,
    reply: FastifyReply,
    policy: Policy,
    pending: Promise<Standing>,
  ): Promise<void> {
    const standing = await pending;
    // Its deadline may have passed meanwhile.
    if (!reply.sent) this.#apply(request, reply, policy, standing);
  }

  #policyOf({ is404, routeOptions }: FastifyRequest): Policy | undefined {
    const { config, method, url } = routeOptions;
    if (config.ratelimit === undefined) return is404 ? undefined : this.#options.byDefault;
    if (this.#policies.has(config)) return this.#policies.get(config);
    const policy = this.#policyFor(config.ratelimit, method, url);
    this.#policies.set(config, policy);
    return policy;
  }

  /** HEAD is GET without a body, and has its policy. */
  #policyFor({ policy }: RouteRatelimit, method: string | string[], url = ''): Policy | undefined {
    if (policy === undefined) return this.#options.byDefault;
    const name = `${[method].flat().join().replace('HEAD', 'GET')} ${url}`;
    return policy === false ? undefined : policyOf(name, policy);
  }

  /** @returns whether the request may go on */
  #apply(request: FastifyRequest, reply: FastifyReply, policy: Policy, standing: Standing): boolean {
    const decision: Decision = decisionOf(policy.limit, standing);
    this.#options.metrics.decided(policy.name, decision.outcome);
    setHeaders(reply, policy, decision);
    if (decision.outcome === 'allowed') return true;
    const detail =
      decision.outcome === 'window'
        ? 'The quota is used up. Try again later.'
        : 'Too many requests at once. Try again.';
    const details = { policy: decision.outcome === 'window' ? policy.name : `${policy.name}-burst` };
    this.#options.refuse(request, reply, problem(429, { code: 'rate_limited', detail, details }));
    return false;
  }
}
