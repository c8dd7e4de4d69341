import protobuf from 'protobufjs';

import { badInput } from '../../errors.ts';
import { fieldOf } from '../../json.ts';
import type { FieldType } from '../../model.ts';
import { fewOf } from '../../suggest.ts';
import { enumShape, type Entity, type Findings, findingsOf, isOwn, nextBound, type Shape } from './found.ts';

/** The parser takes a time that is quadratic in the number of a message's fields. */
const mostFields = 1000;

/** https://protobuf.dev/programming-guides/proto3/#scalar, less `float`, `double` and `bytes`. */
const scalars: Readonly<Record<string, FieldType>> = {
  ...{ string: 'string', bool: 'boolean', int32: 'int', sint32: 'int', sfixed32: 'int', uint32: 'int', fixed32: 'int' },
  ...{ int64: 'bigint', sint64: 'bigint', sfixed64: 'bigint', uint64: 'bigint', fixed64: 'bigint' },
};

/** Messages that stand for one value. https://protobuf.dev/reference/protobuf/google.protobuf/ */
const wellKnown: Readonly<Record<string, FieldType>> = {
  ...{ 'google.protobuf.Timestamp': 'datetime', 'google.type.Date': 'date', 'google.type.Decimal': 'decimal' },
  ...{ 'google.protobuf.Struct': 'json', 'google.protobuf.Value': 'json', 'google.protobuf.StringValue': 'string' },
  ...{
    'google.protobuf.BoolValue': 'boolean',
    'google.protobuf.Int32Value': 'int',
    'google.protobuf.UInt32Value': 'int',
  },
  ...{ 'google.protobuf.Int64Value': 'bigint', 'google.protobuf.UInt64Value': 'bigint' },
};

/**
 * Finds resources in a file of Protocol Buffers: each message that a service creates, reads, lists, changes or deletes;
 * without a service each message with a field `id`. Imported files are not read.
 * @param text proto2, proto3 or an edition
 * @returns the resources, and what is not taken over
 * @throws SlipwayError (exit code 2) that names the line, when the text is no such file
 */
export function fromProto(text: string): Findings {
  if (text.split(/\bmessage\b/).some((part) => part.split('=').length > mostFields))
    throw badInput(`a message has more than ${mostFields} fields`, 'give a smaller file');
  const root = parsed(text);
  const all = everyIn(root);
  const services = all.filter((one) => one instanceof protobuf.Service);
  const verbs = services.flatMap((service) => Object.keys(service.methods));
  const names = new Set(verbs.map((verb) => /^(?:Create|Get|Update|Change|Delete)([A-Z]\w*)$/.exec(verb)?.[1]));
  const left = all
    .filter(
      (one) => one instanceof protobuf.Field && one.extend !== undefined && one.parent instanceof protobuf.Namespace,
    )
    .map((one) => `extension ${one.name}: it is not taken over`);
  const entities = all.flatMap((message) => {
    if (!(message instanceof protobuf.Type)) return [];
    const isMeant = services.length === 0 ? Object.hasOwn(message.fields, 'id') : names.has(message.name);
    return isMeant ? [entityOf(message)] : [];
  });
  return findingsOf(entities, left);
}

function parsed(text: string): protobuf.Root {
  let root: protobuf.Root;
  try {
    root = protobuf.parse(text, new protobuf.Root(), { keepCase: true }).root;
  } catch (error) {
    // The parser throws errors of several kinds for bad input.
    throw badInput(
      `the file of Protocol Buffers is not read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  try {
    root.resolveAll();
  } catch {
    // Types of imported files are not here. What the syntax means for each field is known by then.
  }
  return root;
}

/** Returns what a file declares, at every depth. */
function everyIn(namespace: protobuf.NamespaceBase): protobuf.ReflectionObject[] {
  return namespace.nestedArray.flatMap((one) => [one, ...(one instanceof protobuf.Namespace ? everyIn(one) : [])]);
}

function entityOf(message: protobuf.Type): Entity {
  const left: string[] = [];
  const fields: { name: string; shape: Shape }[] = [];
  for (const field of message.fieldsArray) {
    const reports: string[] = [];
    const report = (what: string): unknown => reports.push(`${message.name}.${field.name}: ${what}`);
    const shape = shapeOf(field, report);
    if (
      shape !== undefined &&
      isOwn(field.name, field.name === 'id' && shape.type === 'string' ? { type: 'uuid' } : shape)
    )
      continue;
    left.push(...reports);
    if (field.name === 'id') left.push(`${message.name}.id: the key of a resource is a UUID`);
    else if (shape !== undefined) fields.push({ name: field.name, shape });
  }
  return { name: message.name, place: `message ${message.fullName.slice(1)}`, fields, left };
}

function shapeOf(field: protobuf.Field, report: (what: string) => unknown): Shape | undefined {
  const behaviors = behaviorsOf(field);
  if (behaviors.includes('OUTPUT_ONLY')) {
    report('only the server sets it');
    return undefined;
  }
  const base = field instanceof protobuf.MapField ? undefined : baseOf(field, report);
  if (base === undefined) {
    report(`there is no field for ${field instanceof protobuf.MapField ? 'a map' : `the type ${field.type}`}`);
    return undefined;
  }
  const oneof = field.partOf;
  if (oneof !== null && oneof.fieldsArray.length > 1) report(`that only one of ${oneof.name} is set is not taken over`);
  const shape: Shape = { ...base, list: field.repeated };
  const ruled = withRules(shape, field, report);
  // A message may be absent, and a scalar has a value unless its absence is known.
  const isOptional = !field.repeated && (field.hasPresence || !isScalar(field));
  const isRequired =
    field.required || behaviors.includes('REQUIRED') || optionsOf(field)[`${validation}.required`] === true;
  return {
    ...ruled,
    optional: isOptional && !isRequired,
    ...(behaviors.includes('IMMUTABLE') && { immutable: true }),
    ...(behaviors.includes('INPUT_ONLY') && { private: true }),
  };
}

function isScalar(field: protobuf.Field): boolean {
  return Object.hasOwn(scalars, field.type) || found(field) instanceof protobuf.Enum;
}

/** Returns the message or enum of a field, when this file declares it. */
function found(field: protobuf.Field): protobuf.ReflectionObject | null {
  return field.parent?.lookup(field.type) ?? null;
}

function baseOf(field: protobuf.Field, report: (what: string) => unknown): Shape | undefined {
  const { type } = field;
  const known = Object.hasOwn(scalars, type) ? scalars[type] : wellKnown[type.replace(/^\./, '')];
  if (known === 'decimal') return { type: known, precision: 19, scale: 4 };
  if (known !== undefined)
    return { type: known, ...(/^(?:uint|fixed)/.test(type) && { min: known === 'bigint' ? '0' : 0 }) };
  const declared = found(field);
  if (!(declared instanceof protobuf.Enum)) return undefined;
  return enumOf(declared, report);
}

/** https://protobuf.dev/programming-guides/style/#enums: `STATUS_CREATED` of the enum `Status` is `created`. */
function enumOf({ name, values }: protobuf.Enum, report: (what: string) => unknown): Shape {
  const prefix = `${name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()}_`;
  const given = Object.keys(values);
  const named = given.filter((value) => values[value] !== 0 || !/_?(?:UNSPECIFIED|UNKNOWN)$/.test(value));
  const short = named.map((value) => (value.startsWith(prefix) ? value.slice(prefix.length) : value).toLowerCase());
  const shape = enumShape(short, report);
  if (shape.type === 'enum') report(`${fewOf(given)} become ${fewOf(short)}`);
  return shape;
}

function optionsOf(field: protobuf.Field): Readonly<Record<string, unknown>> {
  return field.options ?? {};
}

/** https://google.aip.dev/203. The option may be there several times. */
function behaviorsOf(field: protobuf.Field): unknown[] {
  // The types of the library say that it is no list.
  const all: unknown = field.parsedOptions;
  return Array.isArray(all) ? all.map((option) => fieldOf(option, '(google.api.field_behavior)')) : [];
}

/** https://protovalidate.com/reference/rules/ */
const validation = '(buf.validate.field)';

/** Rules of texts that are types of their own. */
const textTypes: Readonly<Record<string, FieldType>> = { email: 'email', uuid: 'uuid', uri: 'url' };

/** Adds the rules of protovalidate that a field can say. */
function withRules(given: Shape, field: protobuf.Field, report: (what: string) => unknown): Shape {
  let shape = given;
  for (const [option, value] of Object.entries(optionsOf(field))) {
    if (!option.startsWith(`${validation}.`) || option === `${validation}.required`) continue;
    const rule = option.slice(validation.length + 1);
    const ruled = withRule(shape, rule, value);
    if (ruled === undefined) report(`the rule ${rule} is not taken over`);
    else shape = ruled;
  }
  if (shape.type === 'string' && shape.max === undefined && !shape.list)
    report('no length is given: it has at most 200 characters');
  return shape;
}

function withRule(shape: Shape, rule: string, value: unknown): Shape | undefined {
  const [, of, name = ''] = /^(\w+)\.(\w+)$/.exec(rule) ?? [];
  if (of === 'repeated') {
    if (typeof value !== 'number') return undefined;
    if (name === 'min_items') return { ...shape, min: value };
    return name === 'max_items' ? { ...shape, max: value } : undefined;
  }
  if (shape.list === true) return undefined;
  if (of === 'string' && shape.type === 'string') {
    if (name === 'min_len' && typeof value === 'number') return { ...shape, min: value };
    if (name === 'max_len' && typeof value === 'number')
      return { ...shape, max: value, ...(value > 10_000 && { type: 'text' }) };
    return value === true && Object.hasOwn(textTypes, name)
      ? { ...shape, type: textTypes[name] ?? 'string' }
      : undefined;
  }
  const isNumber = shape.type === 'int' || shape.type === 'bigint';
  const side = /^gte?$/.test(name) ? 'min' : 'max';
  const bound =
    isNumber && /^[gl]te?$/.test(name) ? nextBound(shape, String(value), side, !name.endsWith('e')) : undefined;
  return bound === undefined ? undefined : { ...shape, [side]: bound };
}
