import { Counter, Gauge, type Registry } from '@prometheus-io/client';
import type { Principal } from '../identity/module.ts';
import { type ApiVersions, momentOf } from './apiVersions.ts';
import type { Consumers } from './consumers.ts';
import type { Fault } from './strategy.ts';

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

/**
 * Registers the metrics of versions; when one ends is a metric too, so that alerts know.
 * @param registry where they are scraped from
 * @param versions of the API
 * @param consumers names who calls
 * @returns what somebody must tell
 */
export function createUsage(registry: Registry, versions: ApiVersions, consumers: Consumers): Usage {
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
  // To find one by its labels costs more than to count.
  const children = new Map<number, Map<string, ReturnType<typeof requests.labels>>>(
    versions.served.map((number) => [number, new Map()]),
  );
  return {
    used: (version, principal) => {
      const consumer = consumers.nameOf(principal);
      const known = children.get(version);
      let child = known?.get(consumer);
      if (child === undefined) {
        child = requests.labels({ version: String(version), consumer });
        known?.set(consumer, child);
      }
      child.inc();
    },
    refused: (reason) => refusals.inc({ reason }),
  };
}
