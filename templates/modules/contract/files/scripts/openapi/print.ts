/** Prints an OpenAPI 3.1 document: as JSON for `api/openapi.json`, and as TypeScript types for `pkg/client`. */
import { type JsonObject, isObject, listOf, membersOf, resolve } from './json.ts';

/** The first members of an OpenAPI document; the others follow by name. */
const first = ['openapi', 'info', 'servers', 'security', 'tags', 'paths'];

/**
 * Prints a document in one order, whatever the order in which routes were registered.
 * @param document OpenAPI
 * @returns JSON, with paths and components sorted by name
 */
export function printDocument(document: unknown): string {
  const order = [
    ...first,
    ...membersOf(document)
      .map(([name]) => name)
      .toSorted(),
  ];
  const parts = membersOf(document).toSorted(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  return `${JSON.stringify(Object.fromEntries(parts.map(([name, part]) => [name, ordered(name, part)])), null, 2)}\n`;
}

function ordered(name: string, part: unknown): unknown {
  if (name === 'paths') return byName(part);
  if (name !== 'components') return part;
  return Object.fromEntries(membersOf(byName(part)).map(([kind, members]) => [kind, byName(members)]));
}

function byName(value: unknown): unknown {
  return isObject(value) ? Object.fromEntries(membersOf(value).toSorted(([a], [b]) => (a < b ? -1 : 1))) : value;
}

const head = '// Printed from api/openapi.json by `npm run openapi`. Do not edit it.\n';
const methods = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']);
const isJson = /^application\/(?:[\w.-]+\+)?json\b/i;

/**
 * Prints the types of an API in the shape that openapi-typescript gives them, and what a client must know of an
 * operation besides: that it takes an Idempotency-Key, so that a client may repeat it, and media types other than JSON.
 * @param document OpenAPI 3.1, JSON Schema 2020-12
 * @returns TypeScript with `paths`, `components` and `operations`; limits and formats of schemas are left out
 */
export function printTypes(document: unknown): string {
  const components = isObject(document) ? document['components'] : undefined;
  const schemas = membersOf(isObject(components) ? components['schemas'] : undefined).map(([name, schema]) =>
    memberOf(name, schema, typeOf(schema, '    '), '    '),
  );
  const paths: string[] = [];
  const operations: string[] = [];
  const hints: string[] = [];
  for (const [path, item] of membersOf(isObject(document) ? document['paths'] : undefined)) {
    const links: string[] = [];
    for (const [method, operation] of membersOf(item)) {
      if (!methods.has(method) || !isObject(operation) || typeof operation['operationId'] !== 'string') continue;
      const { operationId: id } = operation;
      const parameters = parametersOf(document, item, operation);
      links.push(`    ${method}: operations[${quoted(id)}];\n`);
      operations.push(memberOf(id, operation, operationType(document, operation, parameters), '  '));
      const hint = hintsOf(document, operation, parameters);
      if (hint.length > 0) hints.push(`  ${quoted(`${method.toUpperCase()} ${path}`)}: { ${hint.join(', ')} },\n`);
    }
    paths.push(`  ${quoted(path)}: {\n${links.join('')}  };\n`);
  }
  return [
    head,
    `export interface paths {\n${paths.join('')}}\n`,
    `export interface components {\n  schemas: {\n${schemas.join('')}  };\n}\n`,
    `export interface operations {\n${operations.join('')}}\n`,
    `/** What the client must know of operations besides their types. */\nexport const hints = {${hints.length === 0 ? '' : `\n${hints.join('')}`}} as const;\n`,
  ].join('\n');
}

function hintsOf(document: unknown, operation: JsonObject, parameters: readonly Parameter[]): string[] {
  const takesKey = parameters.some(([place, name]) => place === 'header' && /^idempotency-key$/i.test(name));
  const sent = mediaTypesOf(resolve(document, operation['requestBody']));
  const replies = membersOf(operation['responses']).filter(([status]) => status.startsWith('2'));
  const gets = replies.flatMap(([, reply]) => mediaTypesOf(resolve(document, reply)));
  return [
    ...(takesKey ? ['takesIdempotencyKey: true'] : []),
    ...(sent[0] === undefined || sent.includes('application/json') ? [] : [`sends: ${quoted(sent[0])}`]),
    ...(gets[0] === undefined || gets.some((media) => isJson.test(media))
      ? []
      : [`gets: ${gets[0].startsWith('text/') ? "'text'" : "'blob'"}`]),
  ];
}

function mediaTypesOf(part: JsonObject | undefined): string[] {
  return membersOf(part?.['content']).map(([media]) => media);
}

type Parameter = readonly [place: string, name: string, said: JsonObject];

/** The parameters of a path and of its operation; the operation's replaces one of the same place and name. */
function parametersOf(document: unknown, item: unknown, operation: JsonObject): Parameter[] {
  const all = [...listOf(isObject(item) ? item['parameters'] : []), ...listOf(operation['parameters'])];
  const found = all.flatMap((each): [string, Parameter][] => {
    const said = resolve(document, each);
    if (said === undefined) return [];
    const [place, name] = [String(said['in']), String(said['name'])];
    return [[`${place} ${name}`, [place, name, said]]];
  });
  return [...new Map(found).values()];
}

function operationType(document: unknown, operation: JsonObject, parameters: readonly Parameter[]): string {
  const inner = '    ';
  const places = ['query', 'header', 'path'].map((place) => {
    const here = parameters.filter((parameter) => parameter[0] === place);
    if (here.length === 0) return `      ${place}?: never;\n`;
    const mark = here.some(([, , said]) => said['required'] === true) ? '' : '?';
    return `      ${place}${mark}: {\n${here.map(parameterType).join('')}      };\n`;
  });
  const body = resolve(document, operation['requestBody']);
  const mark = body?.['required'] === true ? '' : '?';
  const responses = membersOf(operation['responses']).map(([status, response]) => {
    const content = contentType(resolve(document, response), '        ');
    return `      ${keyOf(status)}: {\n        headers: { [name: string]: unknown };\n        ${content}      };\n`;
  });
  return [
    '{\n',
    `${inner}parameters: {\n${places.join('')}${inner}};\n`,
    body === undefined
      ? `${inner}requestBody?: never;\n`
      : `${inner}requestBody${mark}: {\n${inner}  ${contentType(body, `${inner}  `)}${inner}};\n`,
    `${inner}responses: {\n${responses.join('')}${inner}};\n`,
    '  }',
  ].join('');
}

function parameterType([, name, said]: Parameter): string {
  const isRequired = said['required'] === true;
  const type = typeOf(said['schema'], '        ');
  return memberOf(name, said, isRequired ? type : `${type} | undefined`, '        ', isRequired);
}

function contentType(part: JsonObject | undefined, indent: string): string {
  const types = membersOf(part?.['content']).map(([media, said]) => {
    const other = media.startsWith('text/') ? 'string' : 'Blob';
    const type = isJson.test(media) ? typeOf(isObject(said) ? said['schema'] : undefined, `${indent}  `) : other;
    return `${indent}  ${quoted(media)}: ${type};\n`;
  });
  return types.length === 0 ? 'content?: never;\n' : `content: {\n${types.join('')}${indent}};\n`;
}

/**
 * Prints what a JSON Schema allows, as far as types can say it.
 * @param schema of the document
 * @param indent of the line on which the type begins
 * @returns a type; `unknown` for what is not understood
 */
export function typeOf(schema: unknown, indent = ''): string {
  if (schema === false) return 'never';
  if (!isObject(schema)) return 'unknown';
  const each = (list: unknown): string[] => listOf(list).map((part) => typeOf(part, indent));
  return intersectionOf([
    referenceOf(schema),
    valueOf(schema, indent),
    ...each(schema['allOf']),
    ...['anyOf', 'oneOf'].flatMap((name) => (Array.isArray(schema[name]) ? [unionOf(each(schema[name]))] : [])),
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

function valueOf(schema: JsonObject, indent: string): string {
  if ('const' in schema) return literal(schema['const']);
  if (Array.isArray(schema['enum'])) return unionOf(schema['enum'].map(literal));
  const { type } = schema;
  if (Array.isArray(type)) return unionOf(type.map((name) => namedType(name, schema, indent)));
  const isObjectOnly = type === undefined && ('properties' in schema || 'additionalProperties' in schema);
  return namedType(isObjectOnly ? 'object' : type, schema, indent);
}

function namedType(name: unknown, schema: JsonObject, indent: string): string {
  if (name === 'object') return objectType(schema, indent);
  if (name === 'array') return arrayType(schema, indent);
  if (name === 'integer') return 'number';
  return ['string', 'number', 'boolean', 'null'].find((known) => known === name) ?? 'unknown';
}

function objectType(schema: JsonObject, indent: string): string {
  const inner = `${indent}  `;
  const required = listOf(schema['required']);
  const members = membersOf(schema['properties']).map(([name, property]) =>
    memberOf(name, property, typeOf(property, inner), inner, required.includes(name)),
  );
  const rest = restType(schema, members.length > 0, inner);
  return `{\n${members.join('')}${rest === undefined ? '' : `${inner}[name: string]: ${rest};\n`}${indent}}`;
}

/** The type of members without a name of their own; undefined when there are none. */
function restType(schema: JsonObject, hasNamed: boolean, indent: string): string | undefined {
  const { additionalProperties, patternProperties } = schema;
  const patterns = membersOf(patternProperties).map(([, value]) => typeOf(value, indent));
  // An index signature has to allow the named members, too.
  if (hasNamed)
    return additionalProperties === true || isObject(additionalProperties) || patterns.length > 0
      ? 'unknown'
      : undefined;
  return patterns.length > 0 ? unionOf(patterns) : typeOf(additionalProperties, indent);
}

function arrayType({ items, prefixItems }: JsonObject, indent: string): string {
  const rest = `${grouped(typeOf(items, indent))}[]`;
  if (!Array.isArray(prefixItems)) return rest;
  return `[${[...prefixItems.map((item) => typeOf(item, indent)), ...(items === false ? [] : [`...${rest}`])].join(', ')}]`;
}

function literal(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = membersOf(value).map(([name, member]) => `${keyOf(name)}: ${literal(member)}`);
  return `{ ${members.join('; ')} }`;
}

function memberOf(name: string, said: unknown, type: string, indent: string, isRequired = true): string {
  return `${commentOf(said, indent)}${indent}${keyOf(name)}${isRequired ? '' : '?'}: ${type};\n`;
}

function keyOf(name: string): string {
  return /^(?:[A-Za-z_$][\w$]*|[1-9]\d*)$/.test(name) ? name : quoted(name);
}

function quoted(text: string): string {
  const inside = JSON.stringify(text).slice(1, -1);
  return `'${inside.replaceAll(String.raw`\"`, '"').replaceAll("'", String.raw`\'`)}'`;
}

/** The comment above a declaration: `summary`, `description` and `deprecated` of what it declares. */
function commentOf(part: unknown, indent: string): string {
  if (!isObject(part)) return '';
  const said = [part['summary'], part['description']].filter((text) => typeof text === 'string');
  const lines = [...said, ...(part['deprecated'] === true ? ['@deprecated'] : [])]
    .flatMap((text) => text.split(/\r?\n/))
    .map((line) => line.replaceAll('*/', String.raw`*\/`));
  if (lines.length < 2) return lines.map((line) => `${indent}/** ${line} */\n`).join('');
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join('\n')}\n${indent} */\n`;
}
