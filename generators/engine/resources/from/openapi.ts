import { parseDocument } from 'yaml';

import { badInput } from '../../errors.ts';
import { isObject } from '../../json.ts';
import type { FieldType } from '../../model.ts';
import { enumShape, type Entity, type Findings, findingsOf, isOwn, nextBound, type Shape } from './found.ts';

type Json = Readonly<Record<string, unknown>>;

/** Max number of references that lead to a schema, and of schemas that a schema is made of. A circle has no end. */
const longestChain = 50;

/** Formats of a string that are types of a field. https://spec.openapis.org/registry/format/ */
const formats: Readonly<Record<string, FieldType>> = {
  ...{ date: 'date', 'date-time': 'datetime', email: 'email', uuid: 'uuid', decimal: 'decimal', int64: 'bigint' },
  ...{ uri: 'url', url: 'url' },
};

/**
 * Finds resources in a description of an API: one for each path such as `/orders/{id}` that can be read.
 * @param text OpenAPI 3 or Swagger 2.0, as JSON or YAML
 * @returns the resources, and what is not taken over
 * @throws SlipwayError (exit code 2) when the text is no such description
 */
export function fromOpenapi(text: string): Findings {
  const document = parsed(text);
  const version = document['openapi'] ?? document['swagger'];
  const isKnown = /^(?:3\.|2\.0$)/.test(typeof version === 'string' ? version : JSON.stringify(version ?? ''));
  if (!isKnown) throw badInput('this is no description of an API', 'give OpenAPI 3 or Swagger 2.0, as JSON or YAML');
  const reader = new Reader(document);
  const left: string[] = [];
  const entities = new Map<string, Entity>();
  for (const path of Object.keys(objectOf(document['paths']))) {
    const [, collection = ''] = /^(.*?)(?:\/\{[^{}]*\})+$/.exec(path) ?? [];
    const name = collection.slice(collection.lastIndexOf('/') + 1);
    const entity = /^[\w-]+$/.test(name) ? reader.entityAt(name, collection, path) : undefined;
    const other = entities.get(name);
    if (entity === undefined) continue;
    if (entity.fields.length === 0) left.push(`${entity.place}: it returns no object with properties`, ...entity.left);
    else if (other === undefined) entities.set(name, entity);
    else left.push(`${entity.place}: its name is the same as that of ${other.place}`);
  }
  return findingsOf(entities.size === 0 ? reader.entitiesOfSchemas() : [...entities.values()], left);
}

function parsed(text: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = parsedYaml(text);
  }
  if (isObject(value)) return value;
  throw badInput('this is no description of an API', 'give OpenAPI 3 or Swagger 2.0, as JSON or YAML');
}

function parsedYaml(text: string): unknown {
  try {
    const document = parseDocument(text, { logLevel: 'silent', uniqueKeys: false, prettyErrors: false });
    const [error] = document.errors;
    if (error !== undefined) throw badInput(`line ${text.slice(0, error.pos[0]).split('\n').length}: ${error.message}`);
    // An alias within an alias within an alias grows without end. JSON has no circles.
    return JSON.parse(JSON.stringify(document.toJS({ maxAliasCount: 100 })) ?? 'null');
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw badInput(`this is neither JSON nor YAML: ${why}`, 'give OpenAPI 3 or Swagger 2.0, as JSON or YAML');
  }
}

function objectOf(value: unknown): Json {
  return isObject(value) ? value : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The properties of an object, and which of them it must have. */
interface Properties {
  readonly schemas: ReadonlyMap<string, Json>;
  readonly required: ReadonlySet<string>;
}

/** What clients write when they create and when they change, and what they read. */
interface Uses {
  readonly read: Properties;
  readonly created: Properties | undefined;
  readonly changed: Properties | undefined;
}

class Reader {
  readonly #document: Json;
  /** Path → the names of what can be done with it: `confirm` for `POST /orders/{id}/confirm`. */
  readonly #actions = new Map<string, string[]>();
  /** What is left of the entity that is read. */
  #left: string[] = [];

  constructor(document: Json) {
    this.#document = document;
    for (const path of Object.keys(objectOf(document['paths']))) {
      const [, item = '', action = ''] = /^(.*\})\/([\w-]+)$/.exec(path) ?? [];
      if (action === '' || this.#operation(path, 'post') === undefined || this.#operation(path, 'get') !== undefined)
        continue;
      this.#actions.set(item, [...(this.#actions.get(item) ?? []), action]);
    }
  }

  /** Reads the operations of a collection and of its items. Returns undefined when there is no operation that reads an item. */
  entityAt(name: string, collection: string, item: string): Entity | undefined {
    this.#left = [];
    const get = this.#operation(item, 'get');
    if (get === undefined) return undefined;
    const read = this.#propertiesOf(this.#replyOf(get));
    if (read === undefined) return { name, place: `path ${item}`, fields: [], left: this.#left };
    const created = this.#propertiesOf(this.#bodyOf(this.#operation(collection, 'post')));
    const changed =
      this.#propertiesOf(this.#bodyOf(this.#operation(item, 'patch'))) ??
      this.#propertiesOf(this.#bodyOf(this.#operation(item, 'put')));
    for (const action of this.#actions.get(item) ?? [])
      this.#left.push(`${name}: POST ${item}/${action} is not taken over; actions come from --states`);
    return this.#entity(name, `path ${item}`, { read, created, changed });
  }

  /** Without paths, each schema with an `id` is a resource. */
  entitiesOfSchemas(): Entity[] {
    const schemas = objectOf(objectOf(this.#document['components'])['schemas'] ?? this.#document['definitions']);
    return Object.keys(schemas).flatMap((name) => {
      this.#left = [];
      const read = this.#propertiesOf(schemas[name]);
      return read?.schemas.has('id') === true
        ? [this.#entity(name, `schema ${name}`, { read, created: undefined, changed: undefined })]
        : [];
    });
  }

  /** What clients write are the fields; where they write nothing, what they read. */
  #entity(name: string, place: string, uses: Uses): Entity {
    const { read, created, changed } = uses;
    const isReadOnly = created === undefined && changed === undefined;
    const fields: { name: string; shape: Shape }[] = [];
    for (const [field, schema] of new Map([
      ...read.schemas,
      ...(changed?.schemas ?? []),
      ...(created?.schemas ?? []),
    ])) {
      const reports: string[] = [];
      const shape = this.#shapeOf(schema, (message) => reports.push(`${name}.${field}: ${message}`));
      const isWritten = created?.schemas.has(field) === true || changed?.schemas.has(field) === true;
      if (isOwn(field, shape)) continue;
      if (field === 'id') this.#left.push(`${name}.id: the key of a resource is a UUID`);
      else if (schema['readOnly'] === true || (!isReadOnly && !isWritten))
        this.#left.push(`${name}.${field}: only the server sets it`);
      else {
        this.#left.push(...reports);
        fields.push({ name: field, shape: { ...shape, ...flagsOf(field, uses, shape, schema) } });
      }
    }
    return { name, place, fields, left: this.#left };
  }

  #operation(path: string, method: string): Json | undefined {
    const found = this.#resolved(objectOf(objectOf(this.#document['paths'])[path]))[method];
    return isObject(found) ? found : undefined;
  }

  #replyOf(operation: Json | undefined): unknown {
    const replies = objectOf(operation?.['responses']);
    const reply = this.#resolved(replies['200'] ?? replies[200] ?? replies['default']);
    return contentOf(reply) ?? reply['schema'];
  }

  #bodyOf(operation: Json | undefined): unknown {
    const parameters = listOf(operation?.['parameters']).map((parameter) => this.#resolved(parameter));
    const inBody = parameters.find((parameter) => parameter['in'] === 'body');
    return contentOf(this.#resolved(operation?.['requestBody'])) ?? inBody?.['schema'];
  }

  /** Follows `$ref`s within the document. */
  #resolved(value: unknown): Json {
    let at = value;
    for (let count = 0; count < longestChain; count += 1) {
      const now = objectOf(at);
      const ref = now['$ref'];
      if (typeof ref !== 'string') return now;
      if (!ref.startsWith('#/')) {
        this.#left.push(`"${ref.slice(0, 100)}" is in another file, which is not read`);
        return {};
      }
      at = ref
        .slice(2)
        .split('/')
        .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
        .reduce<unknown>(
          (in_, key) => (isObject(in_) && Object.hasOwn(in_, key) ? in_[key] : undefined),
          this.#document,
        );
    }
    return {};
  }

  /** Joins the parts of `allOf`. Returns undefined when it is no object with properties. */
  #propertiesOf(value: unknown): Properties | undefined {
    const schemas = new Map<string, Json>();
    const required = new Set<string>();
    const open = [value];
    for (let count = 0; open.length > 0 && count < longestChain; count += 1) {
      const schema = this.#resolved(open.shift());
      for (const [name, property] of Object.entries(objectOf(schema['properties'])))
        schemas.set(name, this.#flat(property));
      for (const name of listOf(schema['required'])) required.add(String(name));
      open.push(...listOf(schema['allOf']));
    }
    return schemas.size === 0 ? undefined : { schemas, required };
  }

  /** Resolves a property. `null` as one of two alternatives makes it nullable. */
  #flat(value: unknown): Json {
    const given = objectOf(value);
    const schema = {
      ...this.#resolved(given),
      ...('$ref' in given && given['readOnly'] === true && { readOnly: true }),
    };
    const { allOf, oneOf, anyOf, ...rest } = schema as Record<string, unknown>;
    const alternatives = listOf(oneOf ?? anyOf).map((one) => this.#resolved(one));
    const others = alternatives.filter((one) => one['type'] !== 'null');
    if (others.length === 1 && others.length < alternatives.length) return { ...others[0], ...rest, nullable: true };
    const [only, second] = listOf(allOf);
    if (only !== undefined && second === undefined) return { ...this.#resolved(only), ...rest };
    return schema;
  }

  #shapeOf(schema: Json, report: (message: string) => unknown): Shape {
    const types = listOf(schema['type']).filter((type) => type !== 'null');
    const type = types.length === 1 ? types[0] : schema['type'];
    if (type === 'array') return this.#listOf(schema, report);
    return withDefault(scalarOf({ ...schema, type }, report), schema);
  }

  #listOf(schema: Json, report: (message: string) => unknown): Shape {
    const items = this.#flat(schema['items']);
    // A list of lists may be one of itself.
    const item: Shape = items['type'] === 'array' ? { type: 'json' } : this.#shapeOf(items, () => undefined);
    if (item.list === true || item.type === 'json') {
      report('this list is any JSON: no field says more');
      return { type: 'json' };
    }
    if (item.min !== undefined || item.max !== undefined) report('the limits of its items are not taken over');
    if (schema['uniqueItems'] === true) report('items may be equal');
    const { min: _min, max: _max, default: _default, ...rest } = item;
    return withDefault({ ...rest, list: true, ...bounds(schema, 'minItems', 'maxItems') }, schema);
  }
}

/** Returns the schema of JSON content. */
function contentOf(of: Json): unknown {
  const content = objectOf(of['content']);
  const type = Object.keys(content).find((key) => /^application\/(?:[\w.-]+\+)?json/.test(key));
  return type === undefined ? undefined : objectOf(content[type])['schema'];
}

function flagsOf(name: string, { read, created, changed }: Uses, shape: Shape, schema: Json): Partial<Shape> {
  const of = created ?? changed ?? read;
  const types = listOf(schema['type']);
  const isNullable = schema['nullable'] === true || types.includes('null');
  const isOptional = isNullable || !of.required.has(name) || !of.schemas.has(name);
  return {
    optional: isOptional && shape.default === undefined,
    ...(!read.schemas.has(name) || schema['writeOnly'] === true ? { private: true } : {}),
    ...(created !== undefined && changed !== undefined && !changed.schemas.has(name) ? { immutable: true } : {}),
  };
}

function scalarOf(schema: Json, report: (message: string) => unknown): Shape {
  const { type, format, pattern } = schema;
  const values = listOf(schema['enum']).filter((value) => value !== null);
  const isText = type === 'string' || (type === undefined && values.length > 0);
  if (values.length > 0 && isText && values.every((value) => typeof value === 'string'))
    return enumShape(values, report);
  if (type === 'boolean') return { type };
  if (type === 'integer' || type === 'number') return numberOf(schema, report);
  if (type !== 'string') {
    report('it is any JSON: no field says more');
    return { type: 'json' };
  }
  const found = typeof format === 'string' && Object.hasOwn(formats, format) ? formats[format] : undefined;
  if (found === undefined && typeof format === 'string')
    report(`the format "${format.slice(0, 40)}" is not taken over`);
  if (found === 'decimal') return { type: found, precision: 19, scale: 4 };
  if (found !== undefined && found !== 'email' && found !== 'url') return { type: found };
  const lengths = bounds(schema, 'minLength', 'maxLength');
  const isLong = (lengths.max ?? 0) > 10_000;
  if (found === undefined && lengths.max === undefined) report('no length is given: it has at most 200 characters');
  return {
    type: found ?? (isLong ? 'text' : 'string'),
    ...lengths,
    ...(typeof pattern === 'string' && !isLong && { pattern }),
  };
}

function numberOf(schema: Json, report: (message: string) => unknown): Shape {
  const { type, format } = schema;
  const shape: Shape =
    type === 'number' ? { type: 'decimal', precision: 19, scale: 4 } : { type: format === 'int64' ? 'bigint' : 'int' };
  if (shape.type !== 'int') report(`a ${shape.type} is a string in JSON, where this is a number`);
  const found: { min?: number | string; max?: number | string } = {};
  for (const [side, inclusive, exclusive] of [
    ['min', 'minimum', 'exclusiveMinimum'],
    ['max', 'maximum', 'exclusiveMaximum'],
  ] as const) {
    // OpenAPI 3.0 says with a boolean that the bound itself is not allowed; 3.1 has the bound there.
    const isStrict = schema[exclusive] === true || typeof schema[exclusive] === 'number';
    const value = typeof schema[exclusive] === 'number' ? schema[exclusive] : schema[inclusive];
    if (typeof value !== 'number') continue;
    const bound = nextBound(shape, String(value), side, isStrict);
    if (bound === undefined) report(`${inclusive} ${value} is not taken over`);
    else found[side] = bound;
  }
  if (schema['multipleOf'] !== undefined) report('multipleOf is not taken over');
  return { ...shape, ...found };
}

function bounds(schema: Json, least: string, greatest: string): { min?: number; max?: number } {
  const [min, max] = [schema[least], schema[greatest]];
  return { ...(typeof min === 'number' && { min }), ...(typeof max === 'number' && { max }) };
}

function withDefault(shape: Shape, { default: value }: Json): Shape {
  if (value === undefined || value === null) return shape;
  const isText = shape.type === 'bigint' || shape.type === 'decimal';
  return { ...shape, default: isText && typeof value === 'number' ? String(value) : value };
}
