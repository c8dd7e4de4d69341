import { fileNameFault } from '../names.ts';

/** One name in every style that generated code needs. */
export interface Names {
  /** `order-line` */
  readonly kebab: string;
  /** `orderLine` */
  readonly camel: string;
  /** `OrderLine` */
  readonly pascal: string;
  /** `order_line` */
  readonly snake: string;
  /** `order line` */
  readonly words: string;
  /** `an` */
  readonly article: 'a' | 'an';
}

/** Max length of the name of a resource, of its plural and of a field. PostgreSQL cuts identifiers after 63 bytes. */
export const maximumResourceName = 40;

/**
 * @param name in kebab-case, snake_case, camelCase, PascalCase or words
 * @returns the name in every style
 */
export function namesOf(name: string): Names {
  const parts = wordsOf(name);
  const pascal = parts.map(capital).join('');
  return {
    kebab: parts.join('-'),
    camel: camelOf(parts),
    pascal,
    snake: parts.join('_'),
    words: parts.join(' '),
    article:
      /^(?:[ai]|e(?!u)|o(?!ne\b|nce\b)|u(?!ni|s[aeu]|t[ei]))/.test(parts.join(' ')) || /^(?:hour|hon|heir)/.test(name)
        ? 'an'
        : 'a',
  };
}

/**
 * @param name as a user wrote it
 * @returns the name of a field in camelCase
 */
export function fieldNameOf(name: string): string {
  return camelOf(wordsOf(name));
}

function camelOf(words: readonly string[]): string {
  return words.map((word, index) => (index === 0 ? word : capital(word))).join('');
}

/** `HTTPServer` and `http_server` have the words `http` and `server`. */
function wordsOf(name: string): string[] {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[\s_-]+/)
    .filter((word) => word !== '');
}

/**
 * @param text any
 * @returns it with a capital first letter
 */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** https://tc39.es/ecma262/#prod-ReservedWord, the words that strict mode and modules reserve, and those that TypeScript cannot take. */
const reservedWords = new Set(
  (
    'arguments any as async await boolean break case catch class const continue debugger declare default delete do else enum eval ' +
    'export extends false finally for function if implements import in infinity instanceof interface keyof let module namespace ' +
    'never new null number object of package private protected public readonly return static string super switch symbol this ' +
    'throw true try type typeof undefined unknown var void while with yield'
  ).split(' '),
);

/** Classes and types that generated code uses. A resource of this name would hide them. */
const globals = new Set(
  (
    'array big-int buffer date error function headers json map math omit partial pick process promise proxy record reg-exp request ' +
    'response return-type set url'
  ).split(' '),
);

/** What the code of every slice imports and declares. A resource of the name would be a second one. */
const ofSlice = new Set(
  (
    'accepted-version after assert-valid at before change change-feed changed concurrent-change conflict create ' +
    'created database decimal existing expect field from get given grpc http id idempotency-store if-match insertable ' +
    'instant invalid it later list-query memory-database merge-patch moved name next now on-change open-repository ' +
    'patch-of present push-change random-uuid refused repository required-version save selectable time to transition ' +
    'valid websocket'
  ).split(' '),
);

/** Names of the lists of a service, of its own folders in `internal/`, and of the tables of Kysely. */
const ofService = new Set([
  'app',
  'idempotency-keys',
  'kysely-migration',
  'kysely-migration-lock',
  'migrations',
  'modules',
  'platform',
  'resources',
  'run',
]);

/** Fields that every resource has. */
const ownFields = new Set(['id', 'version', 'createdAt', 'updatedAt']);

/** https://www.postgresql.org/docs/current/ddl-system-columns.html */
const systemColumns = new Set(['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid']);

/** PostgreSQL cuts longer names. */
const longestColumn = 63;

/** Members of every object of JavaScript, and `then`, which makes an object a promise. */
const members = new Set([
  ...['constructor', 'prototype', 'then', 'toJSON', 'toJson', 'toString', 'toLocaleString', 'valueOf'],
  ...['hasOwnProperty', 'isPrototypeOf', 'propertyIsEnumerable'],
]);

/** Parameters of every list, by REST and by gRPC. */
const listParameters = new Set(['limit', 'cursor', 'sort', 'fields', 'pageSize', 'pageToken', 'orderBy']);

const kebabCase = /^[a-z][a-z0-9]*(?:-[a-z][a-z0-9]*)*$/;

/**
 * Checks the name of a resource or its plural. The name becomes a folder, a path, a type, a variable, a table and a message.
 * @param name in kebab-case
 * @returns what is wrong with it, or undefined when it is valid
 */
export function resourceNameFault(name: string): string | undefined {
  if (name === '') return 'a resource needs a name';
  if (name.length > maximumResourceName)
    return `the name has ${name.length} characters; the maximum is ${maximumResourceName}`;
  if (!kebabCase.test(name))
    return 'use words of lower-case letters and digits with single hyphens, such as "order-line"';
  if (reservedWords.has(name)) return `"${name}" is a reserved word of TypeScript`;
  if (globals.has(name)) return `"${name}" would hide a type of JavaScript that generated code uses`;
  if (members.has(namesOf(name).camel)) return `"${name}" is a member of every object of JavaScript`;
  if (ofSlice.has(name)) return `"${name}" has another meaning in the code of every resource`;
  if (ofService.has(name)) return `"${name}" has another meaning in every service`;
  return fileNameFault(name);
}

/**
 * Checks the name of a field.
 * @param name in camelCase
 * @param isFilter whether lists of the resource can be filtered by the field
 * @returns what is wrong with it, or undefined when it is valid
 */
export function fieldNameFault(name: string, isFilter = false): string | undefined {
  if (name === '') return 'a field needs a name';
  if (name.length > maximumResourceName)
    return `the name has ${name.length} characters; the maximum is ${maximumResourceName}`;
  if (!/^[a-z][a-zA-Z0-9]*$/.test(name)) return 'use letters and digits in camelCase, such as "placedAt"';
  const canonical = fieldNameOf(name);
  if (canonical !== name) return `write it in camelCase: "${canonical}"`;
  if (ownFields.has(name)) return `every resource has the field "${name}" already`;
  if (reservedWords.has(namesOf(name).kebab)) return `"${name}" is a reserved word of TypeScript`;
  if (members.has(name)) return `"${name}" is a member of every object of JavaScript`;
  const { snake } = namesOf(name);
  if (systemColumns.has(snake)) return `every table of PostgreSQL has a column "${snake}"`;
  if (snake.length > longestColumn) return `its column "${snake}" would be longer than ${longestColumn} characters`;
  if (isFilter && listParameters.has(name))
    return `"${name}" is a parameter of every list, and this field filters lists`;
  return undefined;
}
