import { type JsonObject, isObject, membersOf, resolve } from './json.ts';
import { commentOf, keyOf, quoted } from './text.ts';
import { typeName, typeOf } from './types.ts';

const head = `// Printed from api/openapi.json by \`npm run openapi\`: not to be edited.
`;
const methods = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']);
const isJson = /^application\/(?:[\w.-]+\+)?json\b/i;

/** Where parameters stand in a request: as OpenAPI says, and as the client calls it. */
const places = [
  ['path', 'path'],
  ['query', 'query'],
  ['header', 'headers'],
] as const;

/** One operation of the document, with what its path says of all of its operations. */
interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly said: JsonObject;
  readonly parameters: readonly JsonObject[];
}

/**
 * Prints what the client has to know of an API: a type for each schema in `components`, one for each operation that has an
 * `operationId`, and a table of where operations are found. Of the replies, those that are no errors.
 * @param document OpenAPI 3.1
 * @returns TypeScript
 */
export function printClient(document: unknown): string {
  const components = isObject(document) && isObject(document['components']) ? document['components'] : {};
  const schemas = membersOf(components['schemas']).map(
    ([name, schema]) => `${commentOf(schema, '')}export type ${typeName(name)} = ${typeOf(schema)};\n`,
  );
  const operations = operationsOf(document);
  const types = operations.map((operation) => typesOf(document, operation)).join('');
  const rows = operations.map((operation) => rowOf(document, operation)).join('');
  return [
    head,
    ...schemas,
    `/** What each operation is sent, and what it answers. */\nexport type Operations = {\n${types}};\n`,
    `/** Where each operation is found. */\nexport const operations = {\n${rows}} as const;\n`,
  ].join('\n');
}

function operationsOf(document: unknown): Operation[] {
  const paths = isObject(document) ? membersOf(document['paths']) : [];
  return paths.flatMap(([path, item]) =>
    membersOf(item)
      .filter(([method]) => methods.has(method))
      .flatMap(([method, said]) => {
        if (!isObject(said) || typeof said['operationId'] !== 'string') return [];
        const parameters = [...listOf(isObject(item) ? item['parameters'] : []), ...listOf(said['parameters'])];
        const resolved = parameters
          .map((parameter) => resolve(document, parameter))
          .filter((found) => found !== undefined);
        return [{ id: said['operationId'], method: method.toUpperCase(), path, said, parameters: resolved }];
      }),
  );
}

function typesOf(document: unknown, operation: Operation): string {
  const { id, said } = operation;
  const responses = membersOf(said['responses']).flatMap(([status, response]): [string, JsonObject][] => {
    const found = resolve(document, response);
    // Of an error there is nothing to say: it is thrown.
    return /^2(?:\d\d|XX)$/.test(status) && found !== undefined ? [[status, found]] : [];
  });
  const replies = responses.map(([status, response]) => replyOf(status, contentOf(response, '    ')));
  const inner = '    ';
  return [
    commentOf(said, '  '),
    `  ${keyOf(id)}: {\n`,
    `${inner}request: ${requestOf(document, operation, inner)};\n`,
    `${inner}reply: ${replies.join(' | ') || 'never'};\n`,
    alternativesOf(responses, inner),
    '  };\n',
  ].join('');
}

function requestOf(document: unknown, { said, parameters }: Operation, indent: string): string {
  const inner = `${indent}  `;
  const members = places.flatMap(([place, name]) => {
    // Of two with one name, that of the operation stands.
    const here = new Map(parameters.filter((each) => each['in'] === place).map((each) => [String(each['name']), each]));
    if (here.size === 0) return [];
    const lines = [...here].map(([key, parameter]) => parameterOf(key, parameter, `${inner}  `)).join('');
    return [`${inner}${name}${[...here.values()].some(isRequired) ? '' : '?'}: {\n${lines}${inner}};\n`];
  });
  const body = resolve(document, said['requestBody']);
  if (body !== undefined)
    members.push(`${inner}body${isRequired(body) ? '' : '?'}: ${contentOf(body, inner)?.type ?? 'unknown'};\n`);
  return members.length === 0 ? '{}' : `{\n${members.join('')}${indent}}`;
}

function parameterOf(name: string, parameter: JsonObject, indent: string): string {
  const isNeeded = isRequired(parameter);
  const type = typeOf(parameter['schema'], indent);
  return `${commentOf(parameter, indent)}${indent}${keyOf(name)}${isNeeded ? '' : '?'}: ${type}${isNeeded ? '' : ' | undefined'};\n`;
}

function isRequired(part: JsonObject): boolean {
  return part['required'] === true;
}

function replyOf(status: string, content: Content | undefined): string {
  return `{ status: ${status === '2XX' ? 'number' : status}; body: ${content?.type ?? 'undefined'} }`;
}

/** Of JSON of further media types, for those who ask for them; nothing where there is no choice. */
function alternativesOf(responses: readonly [string, JsonObject][], indent: string): string {
  const inner = `${indent}  `;
  const found = new Map<string, string[]>();
  for (const [status, response] of responses) {
    const others = contentsOf(response, inner).filter(({ media }) => isJson.test(media));
    for (const content of others.slice(1))
      found.set(content.media, [...(found.get(content.media) ?? []), replyOf(status, content)]);
  }
  const lines = Array.from(found, ([media, replies]) => `${inner}${keyOf(media)}: ${replies.join(' | ')};\n`);
  return lines.length === 0 ? '' : `${indent}alternatives: {\n${lines.join('')}${indent}};\n`;
}

/** A body: of which media type, and its type in TypeScript. */
interface Content {
  readonly media: string;
  readonly type: string;
}

/** The body that the client deals in: the first that is JSON where there is a choice. */
function contentOf(part: JsonObject, indent: string): Content | undefined {
  const all = contentsOf(part, indent);
  return all.find(({ media }) => isJson.test(media)) ?? all[0];
}

function contentsOf({ content }: JsonObject, indent: string): Content[] {
  return membersOf(content).map(([media, said]) => {
    if (isJson.test(media)) return { media, type: typeOf(isObject(said) ? said['schema'] : undefined, indent) };
    return { media, type: media.startsWith('text/') ? 'string' : 'globalThis.Blob' };
  });
}

function rowOf(document: unknown, { id, method, path, said, parameters }: Operation): string {
  const body = resolve(document, said['requestBody']);
  const media = body === undefined ? undefined : contentOf(body, '')?.media;
  const hasKey = parameters.some((each) => each['in'] === 'header' && /^idempotency-key$/i.test(String(each['name'])));
  const row = [
    `method: ${quoted(method)}`,
    `path: ${quoted(path)}`,
    ...(media === undefined ? [] : [`mediaType: ${quoted(media)}`]),
    // Such a request may be sent again, whatever its method.
    ...(hasKey ? ['takesIdempotencyKey: true'] : []),
  ];
  return `  ${keyOf(id)}: { ${row.join(', ')} },\n`;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
