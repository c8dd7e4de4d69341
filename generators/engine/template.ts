import { isObject } from './json.ts';
import { layOut, type Piece } from './layout.ts';
import { type Place, placeOf } from './manifest.ts';
import type {
  Break,
  Catalogue,
  CatalogueModule,
  Expression,
  Helper,
  Manifest,
  OptionValue,
  Template,
} from './model.ts';
import type { PackageManagerDefinition } from './packageManagers/definition.ts';
import { packageManagerDefinitions } from './packageManagers/index.ts';

/** The values that a template may use. Any other name is an error. */
export interface TemplateContext {
  readonly service: Manifest['service'];
  readonly pm: PackageManagerDefinition;
  readonly node: { readonly version: string };
  readonly place: Place;
  /** Package name → version range. */
  readonly versions: Catalogue['versions'];
  readonly options: Readonly<Record<string, OptionValue>>;
}

/**
 * @param manifest the service
 * @param module the module whose options the template may use
 * @param catalogue all modules
 * @returns the values for the module's templates; they never depend on the other modules
 */
export function templateContext(manifest: Manifest, module: CatalogueModule, catalogue: Catalogue): TemplateContext {
  const defaults = Object.entries(module.options ?? {}).map(([name, option]) => [name, option.default] as const);
  return {
    service: manifest.service,
    pm: packageManagerDefinitions[manifest.packageManager],
    node: { version: catalogue.node.image },
    place: placeOf(manifest),
    versions: catalogue.versions,
    options: { ...Object.fromEntries(defaults), ...manifest.modules[module.id] },
  };
}

/** The max number of parts that one template prints. A catalogue of someone else can have lists inside lists. */
const mostParts = 1_000_000;

/** Where names are looked up: in the innermost item first. */
interface Scope {
  readonly values: unknown;
  readonly outer?: Scope;
}

/**
 * @param template from the catalogue
 * @param context the values that it may use
 * @returns the text, without escaping
 * @throws Error when the template uses a name that does not exist, or prints without end
 */
export function renderTemplate(template: Template, context: object): string {
  let left = mostParts;
  // It adds to one list: lists of lists would be most of the work.
  const print = (parts: Template, scope: Scope, pieces: Piece[]): Piece[] => {
    for (const part of parts) {
      left -= 1;
      if (left < 0) throw new Error(`a template prints more than ${mostParts} parts`);
      if (typeof part === 'string' || 'break' in part) pieces.push(part);
      else if ('value' in part) pieces.push(pieceOf(valueOf(part.value, scope)));
      else if ('if' in part) print(isTrue(valueOf(part.if, scope)) ? part.yes : part.no, scope, pieces);
      else if ('fit' in part) pieces.push({ group: print(part.fit, scope, []) });
      else {
        const items = valueOf(part.each, scope);
        if (!Array.isArray(items)) throw new Error(`a template takes ${described(part.each)} for a list`);
        if (items.length === 0) print(part.none, scope, pieces);
        for (const [index, item] of items.entries()) {
          const position = { '@first': index === 0, '@last': index === items.length - 1, '@index': index };
          const named = part.as === undefined ? {} : { [part.as]: item as unknown };
          const outer: Scope = { values: item, outer: scope };
          print(part.body, { values: { ...position, this: item as unknown, ...named }, outer }, pieces);
        }
      }
    }
    return pieces;
  };
  return layOut(print(template, { values: context }, []));
}

function pieceOf(value: unknown): Piece {
  return isObject(value) && Array.isArray(value['group'])
    ? { group: value['group'], isOpen: value['isOpen'] === true }
    : String(value);
}

/** As in Handlebars, an empty list is false. */
function isTrue(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function valueOf(expression: Expression, scope: Scope): unknown {
  if ('literal' in expression) return expression.literal;
  if ('call' in expression) {
    const [first, second] = expression.with.map((each) => valueOf(each, scope));
    return results[expression.call](first, second);
  }
  const [head = ''] = expression.path;
  let found: Scope | undefined = scope;
  while (found !== undefined && !has(found.values, head)) found = found.outer;
  let value = found?.values;
  for (const key of expression.path) {
    if (!has(value, key)) throw new Error(`a template names ${described(expression)}, which is not there`);
    value = value[key];
  }
  return value;
}

function has(value: unknown, key: string): value is Readonly<Record<string, unknown>> {
  return (isObject(value) || Array.isArray(value)) && Object.hasOwn(value, key);
}

/** What each helper returns for its values. */
const results: Readonly<Record<Helper, (first: unknown, second: unknown) => unknown>> = {
  and: (a, b) => isTrue(a) && isTrue(b),
  or: (a, b) => isTrue(a) || isTrue(b),
  not: (a) => !isTrue(a),
  code: (value) => codeOf(value),
  eq: (a, b) => a === b,
  json: (value) => JSON.stringify(value),
  quote: (value) => quoted(String(value)),
  lookup: (value, key) => {
    if (has(value, String(key))) return value[String(key)];
    throw new Error(`a template looks up "${String(key)}", which is not there`);
  },
};

/** A value of JSON as TypeScript, laid out by the service's formatter. */
function codeOf(value: unknown): Piece {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) {
    const isFilled = value.length > 1 && value.every((each) => typeof each === 'number');
    const list = listed('[', value.map(codeOf), ']', ['soft', 'dedent'], isFilled ? 'fill' : 'line');
    return { group: list, isOpen: isTable(value) };
  }
  // `1e+21` is `1e21` there.
  if (!isObject(value)) return String(value).replace('e+', 'e');
  const members = Object.entries(value).map(([key, each]): Piece => ({
    group: [/^[A-Za-z_$][\w$]*$/.test(key) ? key : quoted(key), ': ', codeOf(each)],
  }));
  return { group: listed('{', members, '}', ['line', 'close'], 'line') };
}

/** Whether a list holds several lists, or several objects, each of several values. The formatter gives each of them a line. */
function isTable(items: readonly unknown[]): boolean {
  return items.length > 1 && items.every(hasSeveral) && new Set(items.map(Array.isArray)).size === 1;
}

function hasSeveral(item: unknown): boolean {
  return typeof item === 'object' && item !== null && Object.keys(item).length > 1;
}

function listed(
  open: string,
  items: readonly Piece[],
  close: string,
  [first, last]: readonly [Break, Break],
  between: Break,
): Piece[] {
  if (items.length === 0) return [open + close];
  const separated = items.flatMap((item, index): Piece[] => (index === 0 ? [item] : [',', { break: between }, item]));
  return [open, { break: first }, ...separated, { break: 'comma' }, { break: last }, close];
}

/** A string of TypeScript, with the quotes that the service's formatter chooses: those that need fewer escapes. */
function quoted(text: string): string {
  const body = JSON.stringify(text)
    .slice(1, -1)
    .replaceAll(String.raw`\"`, '"');
  const count = (quote: string): number => text.split(quote).length;
  const quote = count("'") > count('"') ? '"' : "'";
  return quote + body.replaceAll(quote, `\\${quote}`) + quote;
}

function described(expression: Expression): string {
  return 'path' in expression ? expression.path.join('.') : 'a value';
}
