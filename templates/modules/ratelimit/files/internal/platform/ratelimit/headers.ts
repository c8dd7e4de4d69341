import type { FastifyReply } from 'fastify';
import type { Decision } from './limiter.ts';
import type { Policy } from './policy.ts';

/**
 * Tells the caller of its limit, as draft-ietf-httpapi-ratelimit-headers-09 has it, in structured fields (RFC 9651). Window and
 * bucket are a policy each: quota and seconds; and what is left of each, until when.
 * @param reply to the request
 * @param policy that was applied
 * @param decision about the request
 */
export function setHeaders(reply: FastifyReply, policy: Policy, decision: Decision): void {
  const { name } = policy;
  const { windowLeft, windowResetMs, bucketLeft, bucketResetMs, retryAfterMs } = decision;
  reply.header('ratelimit-policy', policyField(policy));
  reply.header(
    'ratelimit',
    `"${name}";r=${windowLeft};t=${seconds(windowResetMs)}, "${name}-burst";r=${bucketLeft};t=${seconds(bucketResetMs)}`,
  );
  if (retryAfterMs > 0) reply.header('retry-after', Math.max(seconds(retryAfterMs), 1));
}

const fields = new WeakMap<Policy, string>();

function policyField(policy: Policy): string {
  const known = fields.get(policy);
  if (known !== undefined) return known;
  const { name, limit } = policy;
  const { quota, windowMs, burst, perMs } = limit;
  const field = `"${name}";q=${quota};w=${seconds(windowMs)}, "${name}-burst";q=${burst};w=${Math.max(seconds(burst / perMs), 1)}`;
  fields.set(policy, field);
  return field;
}

/** Whole ones, rounded up: whoever waits for so long does not come too early. */
function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
