import { Counter, Gauge, type Registry } from '@prometheus-io/client';

/** What authentication reports. */
export type AuthMetrics = ReturnType<typeof createMetrics>;

/**
 * Registers the metrics of authentication.
 * @param registry where they are scraped from
 * @returns the metrics that somebody must tell
 */
export function createMetrics(registry: Registry) {
  const registers = [registry];
  return {
    decisions: new Counter({
      name: 'auth_decisions_total',
      help: 'Requests to routes that are not public, by what was decided and why',
      labelNames: ['outcome', 'reason'],
      registers,
    }),
    fetches: new Counter({
      name: 'auth_jwks_fetches_total',
      help: 'Fetches of the keys of the issuer, by outcome',
      labelNames: ['outcome'],
      registers,
    }),
  };
}

/**
 * Registers the age of keys that are fetched.
 * @param registry where it is scraped from
 * @param ageSeconds reads it, once a scrape
 */
export function registerKeyAge(registry: Registry, ageSeconds: () => number): void {
  const age = new Gauge({
    name: 'auth_jwks_age_seconds',
    help: 'Seconds since the keys of the issuer were fetched; +Inf before the first time',
    registers: [],
    collect() {
      this.set(ageSeconds());
    },
  });
  registry.registerMetric(age);
}
