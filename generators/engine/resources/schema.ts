import type { Field, JsonObject } from '../model.ts';
import { boundsOf, hasLength } from './fields.ts';

/** One keyword of JSON Schema and its value. */
export interface Rule {
  readonly keyword: string;
  readonly value: unknown;
}

/** Max nesting of a value of JSON: `depthFaults` of `pkg/resource/json.ts` checks it. */
export const deepestJson = 32;

const formats: Readonly<Partial<Record<Field['type'], string>>> = {
  email: 'email',
  url: 'uri',
  date: 'date',
  datetime: 'date-time',
  uuid: 'uuid',
  ref: 'uuid',
};

/**
 * @param field that is no list, or the field of one item of a list
 * @returns what JSON Schema says of a value, besides its type
 */
export function rulesOf(field: Field): Rule[] {
  const { type } = field;
  // A larger int loses digits in JavaScript, and a database refuses it.
  const widest = type === 'int' ? Number.MAX_SAFE_INTEGER : undefined;
  const { least = widest && -widest, greatest = widest } = boundsOf(field);
  const [min, max] = hasLength(field) ? ['minLength', 'maxLength'] : ['minimum', 'maximum'];
  // JSON Schema compares no texts: the domain compares those of numbers and of times.
  const isComparable = type === 'int' || hasLength(field);
  const all: Record<string, unknown> = {
    format: formats[type],
    ...(isComparable && { [min ?? '']: least === 0 && hasLength(field) ? undefined : least, [max ?? '']: greatest }),
    pattern: patternOf(field),
    description: type === 'json' ? `JSON of at most ${deepestJson} levels` : undefined,
  };
  return Object.entries(all).flatMap(([keyword, value]) => (value === undefined ? [] : [{ keyword, value }]));
}

/** The only form of a number that is a text, so that equal numbers are equal texts. */
function patternOf({ type, pattern, precision = 0, scale = 0 }: Field): string | undefined {
  if (type === 'bigint') return String.raw`^(?:0|-?[1-9]\d{0,18})$`;
  if (type !== 'decimal') return pattern;
  const whole = precision - scale;
  const digits = whole === 0 ? '0' : String.raw`(?:0|[1-9]\d{0,${whole - 1}})`;
  return scale === 0 ? `^-?${digits}$` : String.raw`^-?${digits}(?:\.\d{1,${scale}})?$`;
}

/**
 * @param field that is a list
 * @returns what JSON Schema says of the list
 */
export function listRulesOf(field: Field): Rule[] {
  const { least, greatest } = boundsOf(field);
  const all = { minItems: least === 0 ? undefined : least, maxItems: greatest };
  return Object.entries(all).flatMap(([keyword, value]) => (value === undefined ? [] : [{ keyword, value }]));
}

const types: Readonly<Partial<Record<Field['type'], JsonObject>>> = {
  int: { type: 'integer' },
  boolean: { type: 'boolean' },
  json: {},
};

/**
 * @param field of a resource
 * @returns the JSON Schema of its values
 */
export function schemaOf(field: Field): JsonObject {
  const { type, list, values = [] } = field;
  const { min: _min, max: _max, default: _default, ...item } = field;
  const start = type === 'enum' ? { enum: values } : (types[type] ?? { type: 'string' });
  const value = { ...start, ...asObject(rulesOf(list ? { ...item, list: false } : field)) };
  return list ? { type: 'array', items: value, ...asObject(listRulesOf(field)) } : value;
}

/**
 * @param rules keywords and their values
 * @returns them as one object
 */
export function asObject(rules: readonly Rule[]): JsonObject {
  return Object.fromEntries(rules.map(({ keyword, value }) => [keyword, value]));
}
