import { Counter, Gauge, type Registry } from '@prometheus-io/client';
import type { Principal } from '../http/requestContext.ts';
import { type ApiVersions, momentOf } from './apiVersions.ts';
import type { Fault } from './strategies.ts';

/** The longest name of a consumer in a metric, in characters. */
const longest = 100;

/** What versions report. */
export interface Usage {
  /**
   * Hears of each request that a version serves.
   * @param version by its number
   * @param principal who sends it; undefined when nobody is known
   */
  readonly used: (version: number, principal: Principal | undefined) => void;
  /** Hears of each request that no version serves. */
  readonly refused: (reason: Fault['reason']) => void;
}

export interface ConsumerOptions {
  /** Claim that names the program that calls (RFC 9068, 2.2). */
  readonly claim: string;
  /** How many are counted by name: a metric that grows without end takes the service down. */
  readonly max: number;
}

/**
 * Registers the metrics of versions; when one ends is a metric too, for the alerts.
 * @param registry where they are scraped from
 * @param versions of the API
 * @param consumers how callers are named
 * @returns what counts requests
 */
export function createUsage(registry: Registry, versions: ApiVersions, { claim, max }: ConsumerOptions): Usage {
  const registers = [registry];
  const requests = new Counter({
    name: 'versioning_requests_total',
    help: 'Requests by version of the API and by consumer: the program or user of the token, anonymous, or other beyond VERSIONING_CONSUMERS_MAX',
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
  for (const { number, sunset: end, retired } of versions.all) {
    if (end !== undefined && !retired) sunset.set({ version: String(number) }, momentOf(end).getTime() / 1000);
  }
  const names = new Set<string>();
  const nameOf = (principal: Principal | undefined): string => {
    if (principal === undefined) return 'anonymous';
    const claimed = principal.claims[claim];
    const name = (typeof claimed === 'string' && claimed !== '' ? claimed : principal.subject).slice(0, longest);
    if (!names.has(name) && names.size >= max) return 'other';
    names.add(name);
    return name;
  };
  return {
    used: (version, principal) => requests.inc({ version: String(version), consumer: nameOf(principal) }),
    refused: (reason) => refusals.inc({ reason }),
  };
}
