import { isObject, membersOf } from './json.ts';

/** What an OpenAPI document says first; the rest follows by name. */
const first = ['openapi', 'info', 'servers', 'security', 'tags', 'paths'];

/**
 * Prints an OpenAPI document so that the order in which routes were registered does not show.
 * @param document as the service tells it
 * @returns JSON: paths and components by name, whatever is inside them as it came
 */
export function printDocument(document: unknown): string {
  const names = membersOf(document).map(([name]) => name);
  const order = [...first, ...names.toSorted()];
  const parts = membersOf(document).toSorted(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  return `${JSON.stringify(Object.fromEntries(parts.map(([name, part]) => [name, ordered(name, part)])), null, 2)}\n`;
}

function ordered(name: string, part: unknown): unknown {
  if (name === 'paths') return byName(part);
  if (name !== 'components') return part;
  return Object.fromEntries(membersOf(byName(part)).map(([kind, members]) => [kind, byName(members)]));
}

function byName(value: unknown): unknown {
  return isObject(value) ? Object.fromEntries(membersOf(value).toSorted(([a], [b]) => (a < b ? -1 : 1))) : value;
}
