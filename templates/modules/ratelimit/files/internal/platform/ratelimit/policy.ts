import { createHash } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import type { FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import { current } from '../../../pkg/context/index.ts';
import { principalKey } from '../http/requestContext.ts';
import type { Priority } from './concurrency.ts';
import type { config } from './config.ts';
import type { Limit } from './limiter.ts';

/**
 * What a limit is counted by. `peer`: the address; `path`: the route; `user` and `tenant`: the caller, by a token;
 * `header:<name>`: a header. A request without it is counted by address.
 */
export type KeyPart = 'peer' | 'path' | 'user' | 'tenant' | `header:${string}`;

/** The limit of a route, in `config: { ratelimit: { policy } }`, in place of the settings. */
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
  /** What the limit is counted by; a list is one key. Default: `user`. */
  readonly key?: KeyPart | readonly KeyPart[];
}

/** Rate limits of a route. */
export interface RouteRatelimit {
  /** `false`: no limit, not even that of the settings. */
  readonly policy?: RoutePolicy | false;
  /** Requests of a low priority are refused first when there are too many at once. Default: `normal`. */
  readonly priority?: Priority;
}

/** A complete policy. */
export interface Policy {
  readonly name: string;
  readonly limit: Limit;
  readonly key: readonly KeyPart[];
  /** Prefix of the keys. It changes with the numbers. */
  readonly prefix: string;
}

/** A string of structured fields (RFC 9651, 3.3.3) without escapes. */
const plainName = /^[ !#-[\]-~]{1,100}$/;
const notPlain = /[^ !#-[\]-~]/g;
const keyPart = /^(peer|path|user|tenant|header:[A-Za-z0-9-]+)$/;
/** Other values are hashed: keys are short, and no two values make one key. */
const plainValue = /^[\w.@/-]{1,64}$/;
/** Headers that count as a key (RFC 9110, 5.5: no control characters). */
const headerValue = /^[\x21-\x7e]{1,128}$/;

/**
 * Completes a policy.
 * @param name when the policy has none
 * @param given by a route or by the settings
 * @returns the policy
 * @throws {TypeError} when a number, the name or the key is not valid
 */
export function policyOf(name: string, given: RoutePolicy): Policy {
  const { quota, windowSeconds = 60 } = given;
  const { burst = Math.max(1, Math.ceil(quota / 10)), rate = (2 * quota) / windowSeconds } = given;
  const own = given.name ?? fitting(name);
  const key = [given.key ?? 'user'].flat();
  const isWrong =
    [quota, windowSeconds, burst, rate].some((number) => !(number > 0 && Number.isFinite(number))) ||
    [quota, burst].some((number) => !Number.isInteger(number)) ||
    !plainName.test(own) ||
    key.length === 0 ||
    !key.every((each) => keyPart.test(each));
  if (isWrong) throw new TypeError(`The rate limit "${own}" is not valid: ${JSON.stringify(given)}`);
  const limit = { quota, windowMs: windowSeconds * 1000, burst, perMs: rate / 1000 };
  return { name: own, limit, key, prefix: [own, quota, windowSeconds, burst, rate].join(':') };
}

/** The pattern of a route may be long and hold any character. When something is left out, a hash tells the names apart. */
function fitting(name: string): string {
  if (plainName.test(name)) return name;
  const hash = createHash('sha256').update(name).digest('base64url').slice(0, 8);
  return `${name.replaceAll(notPlain, '').slice(0, 90)} ${hash}`;
}

/**
 * Makes the policy of routes without one of their own.
 * @param settings of the module
 * @returns the policy; `undefined` when RATELIMIT_QUOTA is 0
 */
export function defaultPolicy(settings: Static<typeof config>): Policy | undefined {
  const { RATELIMIT_QUOTA: quota, RATELIMIT_BURST: burst, RATELIMIT_RATE: rate } = settings;
  if (quota === 0) return undefined;
  return policyOf('default', {
    quota,
    windowSeconds: settings.RATELIMIT_WINDOW_SECONDS,
    ...(burst > 0 && { burst }),
    ...(rate > 0 && { rate }),
    key: settings.RATELIMIT_KEY.split(',').filter((each): each is KeyPart => keyPart.test(each)),
  });
}

export interface KeyOptions {
  /** Claim that names the tenant. */
  readonly tenantClaim: string;
  /** Called for each request that lacks a part of its key. */
  readonly unknown: (part: string) => void;
}

/**
 * Finds the key of a request.
 * @param request to count
 * @param policy whose key it is
 * @param options what is not in the request
 * @returns a short key
 */
export function keyOf(request: FastifyRequest, policy: Policy, options: KeyOptions): string {
  let key = policy.prefix;
  for (const part of policy.key) key += `|${valueOf(request, part, options)}`;
  return key;
}

function valueOf(request: FastifyRequest, part: KeyPart, options: KeyOptions): string {
  if (part === 'peer') return peerOf(request.ip);
  if (part === 'path') {
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    return bounded(`${method} ${request.routeOptions.url ?? ''}`);
  }
  const found = findIn(request, part, options.tenantClaim);
  // The first letter keeps the values of different parts apart.
  if (found !== undefined) return `${part[0]}:${bounded(found)}`;
  options.unknown(part);
  return peerOf(request.ip);
}

function findIn(request: FastifyRequest, part: KeyPart, tenantClaim: string): string | undefined {
  if (part.startsWith('header:')) {
    const value = request.headers[part.slice('header:'.length).toLowerCase()];
    return typeof value === 'string' && headerValue.test(value) ? value : undefined;
  }
  const principal = current().get(principalKey);
  if (part === 'user') return principal?.subject;
  const tenant = principal?.claims[tenantClaim];
  return typeof tenant === 'string' && tenant !== '' ? tenant : undefined;
}

/** Of IPv6 the first 64 bits: a client with one address of such a network has all of them. */
function peerOf(address: string): string {
  const mapped = address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
  if (isIPv4(mapped)) return `p:${mapped}`;
  if (!isIPv6(mapped)) return 'p:unknown';
  const [head = '', tail] = mapped.replace(/%.*$/, '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right].slice(0, 4);
  return `p:${groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}`;
}

function bounded(text: string): string {
  return plainValue.test(text) ? text : `#${createHash('sha256').update(text).digest('base64url')}`;
}
