import type { FastifyContextConfig, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Handle } from '../http/types.ts';
import { describeRoute } from '../openapi/describe.ts';
import { type Refuse, problem, problems } from '../http/problems.ts';
import { type Decision, type Standing, type Store, decisionOf } from './limiter.ts';
import type { RatelimitMetrics } from './metrics.ts';
import { type KeyOptions, type Policy, type RouteRatelimit, keyOf, policyOf } from './policy.ts';

export interface QuotaOptions {
  /** For routes without a policy of their own. */
  readonly byDefault: Policy | undefined;
  readonly keys: KeyOptions;
  readonly metrics: RatelimitMetrics;
  readonly refuse: Refuse;
  readonly store: Store;
}

/** Limits the requests of each caller. */
export class Quotas {
  /** Where requests are counted. */
  store: Store;
  readonly #options: QuotaOptions;
  /** By Fastify's own object for each route: routes may share what they say. */
  readonly #policies = new WeakMap<FastifyContextConfig, Policy | undefined>();

  /** @param options policies, and where requests are counted */
  constructor(options: QuotaOptions) {
    this.#options = options;
    this.store = options.store;
  }

  /**
   * For `onRoute`: checks the policy of a route, so that a mistake is found at start, and adds its 429 to the OpenAPI document. The
   * limits of the settings are not part of the contract: they differ by environment.
   * @param route that is registered
   * @throws {TypeError} when the policy is not valid
   */
  readonly register = (route: RouteOptions): void => {
    const { method, url, config } = route;
    if (config?.ratelimit !== undefined) this.#policyFor(config.ratelimit, method, url);
    if (!config?.ratelimit?.policy) return;
    describeRoute(route, (schema) => {
      const { response } = schema;
      return typeof response === 'object' ? { ...schema, response: { 429: limited, ...response } } : schema;
    });
  };

  /** For `preParsing`: the caller is known by then, and the body is not read yet. */
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
    // The deadline may have passed.
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

  /** HEAD has the policy of GET. */
  #policyFor({ policy }: RouteRatelimit, method: string | string[], url = ''): Policy | undefined {
    if (policy === undefined) return this.#options.byDefault;
    const name = `${[method].flat().join().replace('HEAD', 'GET')} ${url}`;
    return policy === false ? undefined : policyOf(name, policy);
  }

  /** @returns whether the request may go on */
  #apply(request: FastifyRequest, reply: FastifyReply, policy: Policy, standing: Standing): boolean {
    const decision = decisionOf(policy.limit, standing);
    this.#options.metrics.decided(policy.name, decision.outcome);
    setHeaders(reply, policy, decision);
    if (decision.outcome === 'allowed') return true;
    const isWindow = decision.outcome === 'window';
    const detail = isWindow ? 'The quota is used up. Try again later.' : 'Too many requests at once. Try again.';
    const details = { policy: isWindow ? policy.name : `${policy.name}-burst` };
    this.#options.refuse(request, reply, problem(429, { code: 'rate_limited', detail, details }));
    return false;
  }
}

/** draft-ietf-httpapi-ratelimit-headers-09: window and bucket are a policy each. */
function setHeaders(reply: FastifyReply, { name, limit }: Policy, decision: Decision): void {
  const { windowLeft, windowResetMs, bucketLeft, bucketResetMs, retryAfterMs } = decision;
  const bucketSeconds = Math.max(seconds(limit.burst / limit.perMs), 1);
  reply.header(
    'ratelimit-policy',
    `"${name}";q=${limit.quota};w=${seconds(limit.windowMs)}, "${name}-burst";q=${limit.burst};w=${bucketSeconds}`,
  );
  reply.header(
    'ratelimit',
    `"${name}";r=${windowLeft};t=${seconds(windowResetMs)}, "${name}-burst";r=${bucketLeft};t=${seconds(bucketResetMs)}`,
  );
  if (retryAfterMs > 0) reply.header('retry-after', seconds(retryAfterMs));
}

/** Rounded up: a caller that waits for so long does not come too early. */
function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}

const limited = {
  ...problems.default,
  description: 'More requests than the quota allows',
  headers: {
    'Retry-After': { type: 'integer', description: 'Seconds to wait' },
    RateLimit: { type: 'string', description: 'What is left of the quota, and until when' },
    'RateLimit-Policy': { type: 'string', description: 'The quota' },
  },
};
