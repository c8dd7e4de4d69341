import type { RouteOptions } from 'fastify';
import { describeRoute } from '../openapi/describe.ts';
import { problems } from '../http/problems.ts';

const limited = {
  ...problems.default,
  description: 'More requests than the quota allows',
  headers: {
    'Retry-After': { type: 'integer', description: 'Seconds to wait' },
    RateLimit: { type: 'string', description: 'What is left of the quota, and until when' },
    'RateLimit-Policy': { type: 'string', description: 'The quota' },
  },
};

/**
 * For `onRoute`: the OpenAPI document says of a route with a policy of its own how it refuses. What the settings say of all
 * routes is no part of the contract: it differs from place to place.
 * @param route as it is registered
 */
export function describeLimits(route: RouteOptions): void {
  if (!route.config?.ratelimit?.policy) return;
  describeRoute(route, (schema) => {
    const { response } = schema;
    return typeof response === 'object' ? { ...schema, response: { 429: limited, ...response } } : schema;
  });
}
