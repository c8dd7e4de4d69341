import { Counter, Gauge, type Registry } from '@prometheus-io/client';
import type { Principal } from '../http/requestContext.ts';
import { type ApiVersions, momentOf } from './apiVersions.ts';
import type { Fault } from './strategies.ts';

/** Claims that name the calling program (RFC 9068, OpenID Connect, Microsoft Entra); without one, the subject counts. */
const consumerClaims = ['client_id', 'azp', 'appid'];
/** Maximum length of a consumer's name in a metric, in characters. */
const maxNameLength = 100;

/** Counts requests by version. */
export interface Usage {
  /**
   * @param version that serves the request
   * @param principal the caller; undefined without a token
   */
  readonly used: (version: number, principal: Principal | undefined) => void;
  /** @param reason why no version serves the request */
  readonly refused: (reason: Fault['reason']) => void;
}

/**
 * @param registry that exposes the metrics
 * @param versions of the API
 * @param maxConsumers maximum of consumers with a name of their own, so that the metric stays bounded; the others are counted as `other`
 * @returns what counts requests
 */
export function createUsage(registry: Registry, versions: ApiVersions, maxConsumers = 100): Usage {
  const registers = [registry];
  const requests = new Counter({
    name: 'versioning_requests_total',
    help: 'Requests by version of the API and by consumer: the program or user of the token, anonymous, or other',
    labelNames: ['version', 'consumer'],
    registers,
  });
  const refusals = new Counter({
    name: 'versioning_refusals_total',
    help: 'Requests that no version serves: unknown, retired, or more than one named (contradiction)',
    labelNames: ['reason'],
    registers,
  });
  const sunset = new Gauge({
    name: 'versioning_sunset_timestamp_seconds',
    help: 'When a version may be gone, in seconds since 1970',
    labelNames: ['version'],
    registers,
  });
  for (const { number, sunset: end, retired } of versions.all)
    if (end !== undefined && !retired) sunset.set({ version: String(number) }, momentOf(end).getTime() / 1000);
  const names = new Set<string>();
  const nameOf = (principal: Principal | undefined): string => {
    if (principal === undefined) return 'anonymous';
    const claimed = consumerClaims.map((claim) => principal.claims[claim]).find((value) => typeof value === 'string');
    const name = (claimed ?? principal.subject).slice(0, maxNameLength);
    if (!names.has(name) && names.size >= maxConsumers) return 'other';
    names.add(name);
    return name;
  };
  return {
    used: (version, principal) => requests.inc({ version: String(version), consumer: nameOf(principal) }),
    refused: (reason) => refusals.inc({ reason }),
  };
}
