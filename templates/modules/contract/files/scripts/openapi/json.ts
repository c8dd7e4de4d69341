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
 * @returns it, when it is an object; an empty one in place of anything else
 */
export function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

/**
 * @param value any value of JSON
 * @returns the members of an object; none of anything else
 */
export function membersOf(value: unknown): [string, unknown][] {
  return Object.entries(objectOf(value));
}

/**
 * @param value any value of JSON
 * @returns the items of an array; none of anything else
 */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
