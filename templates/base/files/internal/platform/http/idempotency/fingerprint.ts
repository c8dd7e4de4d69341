import { hash } from 'node:crypto';

/**
 * @param value that stands in JSON
 * @returns a text that tells it from any other; the order of keys does not count, for nobody vouches for it
 */
export function fingerprintOf(value: unknown): string {
  return hash('sha256', JSON.stringify(value, sorted) ?? '');
}

function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
