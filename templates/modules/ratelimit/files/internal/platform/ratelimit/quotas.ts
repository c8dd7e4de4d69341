import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { current } from '../../../pkg/context/index.ts';
import { ServiceError } from '../../../pkg/errors/index.ts';
import { principalKey } from '../http/requestContext.ts';
import type { Limit, Standing } from './limiter.ts';

/** The limit of a route, in `config: { ratelimit }`, in place of the settings. */
export interface RoutePolicy {
  /** In headers and metrics. Default: method and pattern of the route. Routes with the same name share the limit. */
  readonly name?: string;
  /** Requests within the window. */
  readonly quota: number;
  /** Default: 60. */
  readonly windowSeconds?: number;
  /** Requests that may come at once. Default: a tenth of the quota. */
  readonly burst?: number;
  /** Requests a second after a burst. Default: twice the average of the quota. */
  readonly rate?: number;
  /**
   * What the limit is counted by: the user of the token (default), the address, or any text of the request. A request without it is
   * counted by address.
   */
  readonly key?: 'user' | 'address' | ((request: FastifyRequest) => string | undefined);
}

/** A complete policy. */
export interface Policy extends Required<Pick<RoutePolicy, 'name' | 'key'>> {
  readonly limit: Limit;
}

/**
 * @param name when the policy has none
 * @param given by a route or by the settings
 * @returns the policy with its defaults
 * @throws {TypeError} when a number is not valid: a limit of NaN limits no caller
 */
export function policyOf(name: string, given: RoutePolicy): Policy {
  const { quota, windowSeconds = 60, key = 'user' } = given;
  const { burst = Math.ceil(quota / 10), rate = (2 * quota) / windowSeconds } = given;
  const isValid =
    [quota, burst].every((count) => Number.isInteger(count)) && windowSeconds < Infinity && rate < Infinity;
  if (!isValid || Math.min(quota, burst, windowSeconds, rate) <= 0)
    throw new TypeError(`The rate limit of ${name} is not valid: ${JSON.stringify(given)}`);
  const limit = { quota, windowMs: windowSeconds * 1000, burst, perMs: rate / 1000 };
  return { name: given.name ?? name, key, limit };
}

/**
 * @param request to count
 * @param policy whose key it is
 * @returns a short key. The window is a part of it, because the state depends on it
 */
export function keyOf(request: FastifyRequest, { name, key, limit }: Policy): string {
  const own = key === 'user' ? current().get(principalKey)?.subject : key === 'address' ? undefined : key(request);
  return `${name}:${limit.windowMs}:${own === undefined ? `address:${network(request.ip)}` : `key:${short(own)}`}`;
}

function short(text: string): string {
  return text.length <= 64 ? text : createHash('sha256').update(text).digest('base64url');
}

/**
 * Of IPv6 the first 64 bits: a client with one address of such a network has all of them. A connection that is lost meanwhile has no
 * address.
 */
function network(address = ''): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!isIPv6(plain)) return short(plain);
  // The URL has the shortest form of the address.
  const [left = [], right = []] = new URL(`http://[${plain}]`).hostname
    .slice(1, -1)
    .split('::')
    .map((half) => half.split(':').filter(Boolean));
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return [...left, ...zeros, ...right].slice(0, 4).join(':');
}

/** A request above its limit. */
export class RateLimitedError extends ServiceError {
  /**
   * @param policy its name
   * @param standing of the caller
   */
  constructor(policy: string, { outcome, retryAfterMs }: Standing) {
    const publicMessage =
      outcome === 'window' ? 'The quota is used up. Try again later.' : 'Too many requests at once. Try again.';
    super({ code: 'rate_limited', status: 429, publicMessage, retryAfterMs, details: { policy } });
  }
}

/**
 * Tells the caller what is left of its quota: draft-ietf-httpapi-ratelimit-headers-09.
 * @param reply to the request
 * @param policy that was applied
 * @param standing of the caller
 */
export function setHeaders(reply: FastifyReply, { name, limit }: Policy, { left, resetMs }: Standing): void {
  // A string of structured fields (RFC 9651, 3.3.3) holds these characters only.
  const plain = name.replaceAll(/[^ !#-[\]-~]/g, '?');
  reply.header('ratelimit-policy', `"${plain}";q=${limit.quota};w=${seconds(limit.windowMs)}`);
  reply.header('ratelimit', `"${plain}";r=${Math.max(left, 0)};t=${seconds(resetMs)}`);
}

/** Rounded up: a caller that waits for so long does not come too early. */
function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
