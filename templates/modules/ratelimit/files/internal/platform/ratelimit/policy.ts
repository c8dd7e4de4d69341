import { createHash } from 'node:crypto';
import type { Static } from 'typebox';
import type { Priority } from './concurrency.ts';
import type { config } from './config.ts';
import type { Limit } from './limiter.ts';

/**
 * Whom a limit is counted for. `peer`: the address a request comes from; `path`: the route; `user` and `tenant`: who sends it, by a
 * token; `header:<name>`: what a header says, whoever wrote it. Where there is none, or what a header says is absurd: the peer.
 */
export type KeyPart = 'peer' | 'path' | 'user' | 'tenant' | `header:${string}`;

/** What a route says of its limit, in `config: { ratelimit: ... }`, in place of the settings. */
export interface RoutePolicy {
  /** In headers and metrics; by default method and pattern of the route. Routes of one name share what they count. */
  readonly name?: string;
  /** Requests within the window. */
  readonly quota: number;
  /** Seconds; 60 by default. */
  readonly windowSeconds?: number;
  /** Requests that may come at once; a tenth of the quota by default. */
  readonly burst?: number;
  /** Requests a second once a burst is used up; by default twice the average of the quota. */
  readonly rate?: number;
  /** Whom it is counted for, all of them together; the user by default. */
  readonly key?: KeyPart | readonly KeyPart[];
}

/** What a route says about being limited. */
export interface RouteRatelimit {
  /** False: no limit, not even that of the settings. */
  readonly policy?: RoutePolicy | false;
  /** How dear its requests are when there are too many at once; `normal` by default. */
  readonly priority?: Priority;
}

/** A policy with all that was left out. */
export interface Policy {
  readonly name: string;
  readonly limit: Limit;
  readonly key: readonly KeyPart[];
  /** What the keys of this policy begin with: with other numbers, other keys. */
  readonly prefix: string;
}

/** A String of structured fields (RFC 9651, 3.3.3) that needs no escapes. */
const plain = /^[ !#-[\]-~]{1,100}$/;
const notPlain = /[^ !#-[\]-~]/g;
const part = /^(peer|path|user|tenant|header:[A-Za-z0-9-]+)$/;

/**
 * @param name of the policy, when it has none of its own; made to fit into a header
 * @param given by the route or by settings
 * @returns the whole policy
 * @throws {TypeError} on numbers that make no limit, a name that fits in no header, or a key there is not
 */
export function policyOf(name: string, given: RoutePolicy): Policy {
  const { quota, windowSeconds = 60 } = given;
  const { burst = Math.max(1, Math.ceil(quota / 10)), rate = (2 * quota) / windowSeconds } = given;
  const own = given.name ?? fitting(name);
  const key = [given.key ?? 'user'].flat();
  const wrong =
    [quota, windowSeconds, burst, rate].some((number) => !(number > 0 && Number.isFinite(number))) ||
    [quota, burst].some((number) => !Number.isInteger(number)) ||
    !plain.test(own) ||
    key.length === 0 ||
    !key.every((each) => part.test(each));
  if (wrong) throw new TypeError(`the rate limit "${own}" is none: ${JSON.stringify(given)}`);
  const limit = { quota, windowMs: windowSeconds * 1000, burst, perMs: rate / 1000 };
  return { name: own, limit, key, prefix: [own, quota, windowSeconds, burst, rate].join(':') };
}

/** The pattern of a route may hold anything, and be long: where something is left out, a hash of all of it tells them apart. */
function fitting(name: string): string {
  if (plain.test(name)) return name;
  const hash = createHash('sha256').update(name).digest('base64url').slice(0, 8);
  return `${name.replaceAll(notPlain, '').slice(0, 90)} ${hash}`;
}

/**
 * @param settings of the module
 * @returns the policy of routes that have none of their own; undefined when there is none
 */
export function defaultPolicy(settings: Static<typeof config>): Policy | undefined {
  const { RATELIMIT_QUOTA: quota, RATELIMIT_BURST: burst, RATELIMIT_RATE: rate } = settings;
  if (quota === 0) return undefined;
  return policyOf('default', {
    quota,
    windowSeconds: settings.RATELIMIT_WINDOW_SECONDS,
    ...(burst > 0 && { burst }),
    ...(rate > 0 && { rate }),
    key: settings.RATELIMIT_KEY.split(',').filter((each): each is KeyPart => part.test(each)),
  });
}
