import type { JsonObject } from './model.ts';

/**
 * @param value anything that was parsed from JSON
 * @returns whether it is an object, and no list
 */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * @param value anything that was parsed from JSON
 * @param key of a field
 * @returns the field's value; undefined when the value is no object or has no such field of its own
 */
export function fieldOf(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/**
 * @param error what `JSON.parse` threw
 * @returns why a text is not JSON, in one line
 */
export function whyNotJson(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ');
}
