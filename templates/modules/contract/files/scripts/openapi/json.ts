/** An object of JSON. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * @param value any value of JSON
 * @returns whether it is an object
 */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * @param value any value of JSON
 * @returns the members of an object; none of anything else
 */
export function membersOf(value: unknown): [string, unknown][] {
  return isObject(value) ? Object.entries(value) : [];
}

/**
 * @param value any value of JSON
 * @returns the items of an array; none of anything else
 */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/**
 * Follows references (RFC 6901) within a document.
 * @param document OpenAPI
 * @param value a part of it, or a reference to one: `{ $ref: '#/components/...' }`
 * @returns the part; undefined when a reference leads nowhere, or in a circle
 */
export function resolve(document: unknown, value: unknown): JsonObject | undefined {
  const seen = new Set<unknown>();
  let part = value;
  while (isObject(part) && typeof part['$ref'] === 'string') {
    if (seen.has(part) || !part['$ref'].startsWith('#/')) return undefined;
    seen.add(part);
    const keys = part['$ref'].slice(2).split('/').map(unescape);
    part = keys.reduce<unknown>(
      (found, key) => (isObject(found) && Object.hasOwn(found, key) ? found[key] : undefined),
      document,
    );
  }
  return isObject(part) ? part : undefined;
}

function unescape(token: string): string {
  return decodeURIComponent(token).replaceAll('~1', '/').replaceAll('~0', '~');
}
