import { createHash } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { current } from '../../../pkg/context/index.ts';
import { principalKey } from '../http/requestContext.ts';
import type { KeyPart, Policy } from './policy.ts';

/** What may stand in a key as it is; anything else is hashed, so that keys are short, and none looks like two. */
const plain = /^[\w.@/-]{1,64}$/;
/** The longest header that is taken for a key, in characters, and what it is made of (RFC 9110, 5.5: no controls). */
const sane = /^[\x21-\x7e]{1,128}$/;

export interface KeyOptions {
  /** Claim that names the tenant. */
  readonly tenantClaim: string;
  /** Hears of requests that lack what they are to be counted by. */
  readonly unknown: (part: string) => void;
}

/**
 * @param request that is to be counted
 * @param policy whose key is wanted
 * @param options what is not in the request
 * @returns the key: short, whatever the request says
 */
export function keyOf(request: FastifyRequest, policy: Policy, options: KeyOptions): string {
  let key = policy.prefix;
  for (const part of policy.key) key += `|${valueOf(request, part, options)}`;
  return key;
}

function valueOf(request: FastifyRequest, part: KeyPart, options: KeyOptions): string {
  if (part === 'peer') return peerOf(request.ip);
  if (part === 'path')
    return bounded(`${request.method === 'HEAD' ? 'GET' : request.method} ${request.routeOptions.url ?? ''}`);
  const found = foundIn(request, part, options.tenantClaim);
  // By its first letter: no value of a part passes for one of another.
  if (found !== undefined) return `${part[0]}:${bounded(found)}`;
  options.unknown(part);
  return peerOf(request.ip);
}

function foundIn(request: FastifyRequest, part: KeyPart, tenantClaim: string): string | undefined {
  if (part.startsWith('header:')) {
    const value = request.headers[part.slice('header:'.length).toLowerCase()];
    return typeof value === 'string' && sane.test(value) ? value : undefined;
  }
  const principal = current().get(principalKey);
  if (part === 'user') return principal?.subject;
  const tenant = principal?.claims[tenantClaim];
  return typeof tenant === 'string' && tenant !== '' ? tenant : undefined;
}

/**
 * @param address of a client
 * @returns whom to count it for: of IPv6 the first 64 bits, since whoever has one address there has them all
 */
export function peerOf(address: string): string {
  const mapped = address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
  if (isIPv4(mapped)) return `p:${mapped}`;
  if (!isIPv6(mapped)) return 'p:unknown';
  const [head = '', tail] = mapped.replace(/%.*$/, '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right];
  return `p:${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}`;
}

function bounded(text: string): string {
  return plain.test(text) ? text : `#${createHash('sha256').update(text).digest('base64url')}`;
}
