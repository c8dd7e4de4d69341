import type { JsonObject } from './model.ts';
import { decode } from './text.ts';

/**
 * @param value any parsed JSON value
 * @returns whether it is an object and not a list
 */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * @param value any parsed JSON value
 * @param key name of a field
 * @returns the field's value; undefined when the value is not an object or has no such own field
 */
export function fieldOf(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/**
 * @param bytes content of a file; undefined when there is none
 * @returns the JSON object in it; undefined when the content is anything else
 */
export function objectIn(bytes: Uint8Array | undefined): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse((bytes === undefined ? undefined : decode(bytes))?.replace(/^\uFEFF/, '') ?? '');
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param record any record
 * @returns the same entries, sorted by name
 */
export function sorted<Value>(record: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * @param error the error that `JSON.parse` threw
 * @returns why a text is not JSON, in one line
 */
export function whyNotJson(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ');
}
