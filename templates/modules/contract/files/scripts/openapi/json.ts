/** An object of JSON. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * @param value anything of JSON
 * @returns whether it is an object
 */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * @param value an object, or anything else
 * @returns its members; none of anything else
 */
export function membersOf(value: unknown): [string, unknown][] {
  return isObject(value) ? Object.entries(value) : [];
}

/**
 * Follows a JSON pointer (RFC 6901) within a document.
 * @param document OpenAPI
 * @param value a part of it, or a reference to one: `{ $ref: '#/components/...' }`
 * @returns the part; undefined when the reference leads nowhere, or in a circle
 */
export function resolve(document: unknown, value: unknown): JsonObject | undefined {
  const seen = new Set<unknown>();
  let part = value;
  while (isObject(part) && typeof part['$ref'] === 'string') {
    if (seen.has(part) || !part['$ref'].startsWith('#/')) return undefined;
    seen.add(part);
    part = part['$ref'].slice(2).split('/').map(unescape).reduce(member, document);
  }
  return isObject(part) ? part : undefined;
}

function unescape(token: string): string {
  return decodeURIComponent(token).replaceAll('~1', '/').replaceAll('~0', '~');
}

function member(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}
