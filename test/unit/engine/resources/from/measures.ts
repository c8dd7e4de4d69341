import { resourceFaults } from '../../../../../generators/engine/resources/check.ts';
import { SlipwayError } from '../../../../../generators/engine/errors.ts';
import type { Findings } from '../../../../../generators/engine/resources/from/found.ts';

/**
 * @param findings of a schema
 * @returns what a manifest with all of these resources would have wrong, less circles of required refs, which the schema itself has
 */
export function faultsOf({ found }: Findings): string[] {
  const resources = found.map(({ name, plural, fields }) => [name, { plural, fields, created: '20261130' }]);
  return resourceFaults(Object.fromEntries(resources)).filter((fault) => !fault.includes('in a circle'));
}

/**
 * @param read reads a hostile text; an error for the user is a good answer, too
 * @returns the time (ms) of the processor that it takes
 */
export function cpuTimeOf(read: () => unknown): number {
  const start = process.cpuUsage();
  try {
    read();
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
  }
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}
