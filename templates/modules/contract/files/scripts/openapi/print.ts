/** Prints an OpenAPI 3.1 document: as JSON for `api/openapi.json`, and as TypeScript types for `pkg/client`. */

/** The first members of an OpenAPI document; the others follow by name. */
const first = ['openapi', 'info', 'servers', 'security', 'tags', 'paths'];

/**
 * Prints a document in one order, whatever the order in which routes were registered.
 * @param document OpenAPI
 * @returns JSON, with paths and components sorted by name
 */
export function printDocument(document: unknown): string {
  const { paths, components, ...others } = objectOf(document);
  const kinds = isObject(components) ? membersOf(components).map(([kind, all]) => [kind, byName(all)]) : undefined;
  const sorted = byName({ ...others, paths: byName(paths), components: kinds && byName(Object.fromEntries(kinds)) });
  // JSON leaves out members that stay undefined.
  const ordered = { ...Object.fromEntries(first.map((name) => [name, undefined])), ...objectOf(sorted) };
  return `${JSON.stringify(ordered, null, 2)}\n`;
}

function byName(value: unknown): unknown {
  return isObject(value) ? Object.fromEntries(membersOf(value).toSorted(([a], [b]) => (a < b ? -1 : 1))) : value;
}

const isJson = /^application\/(?:[\w.-]+\+)?json\b/i;

/**
 * Prints the types of an API in the shape that openapi-typescript gives them. That tool itself needs a TypeScript before 7.
 * @param document OpenAPI 3.1, JSON Schema 2020-12, as @fastify/swagger writes it: only schemas are referred to
 * @returns TypeScript with `paths`, `components` and `operations`; limits and formats of schemas are left out
 */
export function printTypes(document: unknown): string {
  const { paths, components } = objectOf(document);
  const printedPaths: string[] = [];
  const operations: string[] = [];
  for (const [path, item] of membersOf(paths)) {
    const links: string[] = [];
    for (const [method, operation] of membersOf(item)) {
      if (!isObject(operation) || typeof operation['operationId'] !== 'string') continue;
      const { operationId: id } = operation;
      links.push(`${method}: operations[${quoted(id)}];\n`);
      operations.push(memberOf(id, operationType(operation), operation));
    }
    printedPaths.push(`${quoted(path)}: ${block(links)};\n`);
  }
  const schemas = membersOf(objectOf(components)['schemas']).map(([name, schema]) =>
    memberOf(name, typeOf(schema), schema),
  );
  return [
    '// Printed from api/openapi.json by `npm run openapi`. Do not edit it.\n',
    `export interface paths ${block(printedPaths)}\n`,
    `export interface components ${block([memberOf('schemas', block(schemas))])}\n`,
    `export interface operations ${block(operations)}\n`,
  ].join('\n');
}

function operationType({ parameters, requestBody, responses }: JsonObject): string {
  const all = listOf(parameters).map(objectOf);
  const places = ['query', 'header', 'path'].map((place) => {
    const here = all.filter((parameter) => parameter['in'] === place);
    if (here.length === 0) return `${place}?: never;\n`;
    const isRequired = here.some(({ required }) => required === true);
    return memberOf(place, block(here.map(parameterMember)), undefined, isRequired);
  });
  const replies = membersOf(responses).map(([status, response]) =>
    memberOf(status, block(['headers: { [name: string]: unknown };\n', contentMember(objectOf(response))])),
  );
  return block([
    memberOf('parameters', block(places)),
    isObject(requestBody)
      ? memberOf('requestBody', block([contentMember(requestBody)]), undefined, requestBody['required'] === true)
      : 'requestBody?: never;\n',
    memberOf('responses', block(replies)),
  ]);
}

function parameterMember(parameter: JsonObject): string {
  const isRequired = parameter['required'] === true;
  const type = typeOf(parameter['schema']);
  return memberOf(String(parameter['name']), isRequired ? type : `${type} | undefined`, parameter, isRequired);
}

function contentMember({ content }: JsonObject): string {
  const types = membersOf(content).map(([media, said]) => {
    const other = media.startsWith('text/') ? 'string' : 'Blob';
    return memberOf(media, isJson.test(media) ? typeOf(objectOf(said)['schema']) : other);
  });
  return types.length === 0 ? 'content?: never;\n' : memberOf('content', block(types));
}

/**
 * Prints what a JSON Schema allows, as far as types can say it.
 * @param schema of the document
 * @returns a type; `unknown` for what is not understood
 */
export function typeOf(schema: unknown): string {
  if (schema === false) return 'never';
  if (!isObject(schema)) return 'unknown';
  return intersectionOf([
    referenceOf(schema),
    valueOf(schema),
    ...listOf(schema['allOf']).map(typeOf),
    ...['anyOf', 'oneOf'].flatMap((name) => (Array.isArray(schema[name]) ? [unionOf(schema[name].map(typeOf))] : [])),
  ]);
}

function unionOf(types: readonly string[]): string {
  const different = [...new Set(types)];
  if (different.includes('unknown')) return 'unknown';
  return different.join(' | ') || 'never';
}

function intersectionOf(types: readonly string[]): string {
  const [one = 'unknown', ...others] = new Set(types.filter((type) => type !== 'unknown'));
  return others.length === 0 ? one : [one, ...others].map(grouped).join(' & ');
}

/** A union or an intersection needs parentheses beside `&` and `[]`; around an object they do no harm. */
function grouped(type: string): string {
  return / [|&] /.test(type) ? `(${type})` : type;
}

function referenceOf({ $ref }: JsonObject): string {
  const name = typeof $ref === 'string' ? /^#\/components\/schemas\/([^/]+)$/.exec($ref)?.[1] : undefined;
  return name === undefined ? 'unknown' : `components['schemas'][${quoted(decodeURIComponent(name))}]`;
}

function valueOf(schema: JsonObject): string {
  if ('const' in schema) return literal(schema['const']);
  if (Array.isArray(schema['enum'])) return unionOf(schema['enum'].map(literal));
  const { type } = schema;
  if (Array.isArray(type)) return unionOf(type.map((name) => namedType(name, schema)));
  const isObjectOnly = type === undefined && ('properties' in schema || 'additionalProperties' in schema);
  return namedType(isObjectOnly ? 'object' : type, schema);
}

function namedType(name: unknown, schema: JsonObject): string {
  if (name === 'object') return objectType(schema);
  if (name === 'array') return arrayType(schema);
  if (name === 'integer') return 'number';
  return ['string', 'number', 'boolean', 'null'].find((known) => known === name) ?? 'unknown';
}

function objectType({ properties, required, additionalProperties, patternProperties }: JsonObject): string {
  const named = membersOf(properties).map(([name, property]) =>
    memberOf(name, typeOf(property), property, listOf(required).includes(name)),
  );
  const patterns = membersOf(patternProperties).map(([, value]) => typeOf(value));
  const hasOthers = additionalProperties === true || isObject(additionalProperties) || patterns.length > 0;
  const other = patterns.length > 0 ? unionOf(patterns) : typeOf(additionalProperties);
  if (named.length === 0) return block([`[name: string]: ${other};\n`]);
  // An index signature has to allow the named members, too.
  return block([...named, ...(hasOthers ? ['[name: string]: unknown;\n'] : [])]);
}

function arrayType({ items, prefixItems }: JsonObject): string {
  const rest = `${grouped(typeOf(items))}[]`;
  if (!Array.isArray(prefixItems)) return rest;
  return `[${[...prefixItems.map(typeOf), ...(items === false ? [] : [`...${rest}`])].join(', ')}]`;
}

function literal(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  return typeof value === 'object' && value !== null ? 'unknown' : JSON.stringify(value);
}

function block(members: readonly string[]): string {
  const lines = members.join('').split('\n');
  return `{\n${lines.map((line) => line && `  ${line}`).join('\n')}}`;
}

/** A member of a type, below a comment with what its declaration says: `summary`, `description` and `deprecated`. */
function memberOf(name: string, type: string, declaration?: unknown, isRequired = true): string {
  const { summary, description, deprecated } = objectOf(declaration);
  const said = [summary, description, deprecated === true ? '@deprecated' : undefined]
    .filter((text) => typeof text === 'string')
    .flatMap((text) => text.replaceAll('*/', String.raw`*\/`).split(/\r?\n/));
  const lines = said.length < 2 ? said.map((line) => `/** ${line} */\n`) : ['/**\n', ...said.map(commented), ' */\n'];
  return `${lines.join('')}${keyOf(name)}${isRequired ? '' : '?'}: ${type};\n`;
}

function commented(line: string): string {
  return `${` * ${line}`.trimEnd()}\n`;
}

function keyOf(name: string): string {
  return /^(?:[A-Za-z_$][\w$]*|[1-9]\d*)$/.test(name) ? name : quoted(name);
}

function quoted(text: string): string {
  const inside = JSON.stringify(text).slice(1, -1);
  return `'${inside.replaceAll(String.raw`\"`, '"').replaceAll("'", String.raw`\'`)}'`;
}

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
function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
