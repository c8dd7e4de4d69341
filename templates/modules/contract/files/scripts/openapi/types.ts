import { type JsonObject, isObject, membersOf } from './json.ts';
import { commentOf, keyOf, quoted } from './text.ts';

/** A type of TypeScript. */
interface Type {
  readonly text: string;
  /** Whether it may stand beside `&` or `[]` without brackets. */
  readonly isOne: boolean;
}

const step = '  ';
const reference = /^#\/components\/schemas\/([^/]+)$/;
const scalars: Readonly<Record<string, string>> = {
  string: 'string',
  number: 'number',
  integer: 'number',
  boolean: 'boolean',
  null: 'null',
};
/** What the printed file calls things of its own, and what TypeScript does not let a type be called. */
const taken = new Set(
  [
    'Operations operations any bigint boolean never number object string symbol undefined unknown void break case catch class const',
    'continue debugger default delete do else enum export extends false finally for function if import in instanceof new null return',
    'super switch this throw true try typeof var while with',
  ].flatMap((names) => names.split(' ')),
);
const unknown = one('unknown');
const never = one('never');

/**
 * @param name of a schema in `components`
 * @returns what its type is called
 */
export function typeName(name: string): string {
  const plain = name.replaceAll(/[^\w$]/g, '_').replace(/^(?=\d)/, '_');
  return taken.has(plain) ? `${plain}_` : plain;
}

/**
 * Says in TypeScript what a JSON Schema (2020-12) lets through, as far as types can: limits and formats are left out, and what is
 * not understood is `unknown`.
 * @param schema as it stands in the document
 * @param indent of the line on which the type begins
 * @returns a type
 */
export function typeOf(schema: unknown, indent = ''): string {
  return read(schema, indent).text;
}

function read(schema: unknown, indent: string): Type {
  if (schema === false) return never;
  if (!isObject(schema)) return unknown;
  const each = (list: unknown): Type[] => listOf(list).map((part) => read(part, indent));
  return both([
    referred(schema),
    valueOf(schema, indent),
    ...each(schema['allOf']),
    ...(Array.isArray(schema['anyOf']) ? [either(each(schema['anyOf']))] : []),
    ...(Array.isArray(schema['oneOf']) ? [either(each(schema['oneOf']))] : []),
  ]);
}

function one(text: string): Type {
  return { text, isOne: true };
}

function either(types: readonly Type[]): Type {
  const texts = new Set(types.map(({ text }) => text));
  if (texts.has('unknown')) return unknown;
  return texts.size < 2 ? (types[0] ?? never) : { text: [...texts].join(' | '), isOne: false };
}

function both(types: readonly Type[]): Type {
  const texts = new Map(types.filter(({ text }) => text !== 'unknown').map((type) => [type.text, type]));
  const [first = unknown, ...others] = texts.values();
  return others.length === 0 ? first : { text: [first, ...others].map(grouped).join(' & '), isOne: false };
}

function grouped({ text, isOne }: Type): string {
  return isOne ? text : `(${text})`;
}

function referred({ $ref }: JsonObject): Type {
  const name = typeof $ref === 'string' ? reference.exec($ref)?.[1] : undefined;
  return name === undefined ? unknown : one(typeName(decodeURIComponent(name)));
}

function valueOf(schema: JsonObject, indent: string): Type {
  if ('const' in schema) return one(literal(schema['const']));
  if (Array.isArray(schema['enum'])) return either(schema['enum'].map((value) => one(literal(value))));
  const { type } = schema;
  if (Array.isArray(type)) return either(type.map((name) => ofType(name, schema, indent)));
  const isObjectOnly = type === undefined && ('properties' in schema || 'additionalProperties' in schema);
  return ofType(isObjectOnly ? 'object' : type, schema, indent);
}

function ofType(name: unknown, schema: JsonObject, indent: string): Type {
  if (name === 'object') return one(objectOf(schema, indent));
  if (name === 'array') return one(arrayOf(schema, indent));
  return typeof name === 'string' ? one(scalars[name] ?? 'unknown') : unknown;
}

function objectOf(schema: JsonObject, indent: string): string {
  const required = new Set(listOf(schema['required']));
  const inner = indent + step;
  const members = membersOf(schema['properties']).map(([name, property]) => {
    const mark = required.has(name) ? '' : '?';
    return `${commentOf(property, inner)}${inner}${keyOf(name)}${mark}: ${typeOf(property, inner)};\n`;
  });
  const rest = restOf(schema, members.length > 0, inner);
  return `{\n${members.join('')}${rest === undefined ? '' : `${inner}[name: string]: ${rest.text};\n`}${indent}}`;
}

/** What members may be that are not named; undefined when there are none. */
function restOf(schema: JsonObject, hasNamed: boolean, indent: string): Type | undefined {
  const { additionalProperties, patternProperties } = schema;
  const patterns = membersOf(patternProperties).map(([, value]) => read(value, indent));
  // An index signature holds for the named members too.
  if (hasNamed)
    return additionalProperties === true || isObject(additionalProperties) || patterns.length > 0 ? unknown : undefined;
  return patterns.length > 0 ? either(patterns) : read(additionalProperties, indent);
}

function arrayOf({ items, prefixItems }: JsonObject, indent: string): string {
  const rest = `${grouped(read(items, indent))}[]`;
  if (!Array.isArray(prefixItems)) return rest;
  return `[${[...prefixItems.map((item) => typeOf(item, indent)), ...(items === false ? [] : [`...${rest}`])].join(', ')}]`;
}

function literal(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  return `{ ${membersOf(value)
    .map(([name, member]) => `${keyOf(name)}: ${literal(member)}`)
    .join('; ')} }`;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
