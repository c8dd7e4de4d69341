import type { Fault } from '../validation/index.ts';

/** Clients of gRPC in most languages read 100 messages inside each other: 3 for each level of an object, 3 around the field. */
const maxLevels = 32;

/**
 * Checks the nesting of JSON, so that each protocol can send it.
 * @param pointer to the value
 * @param value any JSON; undefined has no faults
 * @returns its faults
 */
export function depthFaults(pointer: string, value: unknown): Fault[] {
  const detail = `must have at most ${maxLevels} levels`;
  return isDeeper(value, maxLevels) ? [{ pointer, rule: 'depth', detail }] : [];
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((each) => isDeeper(each, levels - 1));
}
