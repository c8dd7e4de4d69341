import { Counter, type Registry } from '@prometheus-io/client';

/** What links report. */
export type HalMetrics = ReturnType<typeof createMetrics>;

/**
 * @param registry where they are scraped from
 * @returns what somebody must tell
 */
export function createMetrics(registry: Registry) {
  const registers = [registry];
  const labelNames = ['operation'] as const;
  const replies = new Counter({
    name: 'hal_replies_total',
    help: 'Replies that were given as HAL',
    labelNames,
    registers,
  });
  const unaddressable = new Counter({
    name: 'hal_links_unaddressable_total',
    help: 'Links that were left out, since a value of theirs can stand in no path, by the operation to which they lead',
    labelNames,
    registers,
  });
  return {
    replied: (operation: string): void => replies.inc({ operation }),
    unaddressable: (operation: string): void => unaddressable.inc({ operation }),
  };
}
