import { markdownTable } from '../compose/markdown.ts';
import type { Field } from '../model.ts';
import { boundsOf, hasLength } from './fields.ts';
import { deepestJson } from './schema.ts';

/** What a page says of a field, besides the field itself. */
export interface FieldOfPage {
  readonly field: Field;
  /** Path of the resource that it refers to. */
  readonly target: string | undefined;
  /** Whether only transitions change it. */
  readonly state: boolean;
}

/** What a page says of a resource. */
export interface Page {
  readonly path: string;
  /** `an order` */
  readonly one: string;
  readonly many: string;
  readonly fields: readonly FieldOfPage[];
  readonly filters: readonly string[];
  readonly sortable: readonly string[];
  readonly isChangeable: boolean;
  /** Whether a caller of the list may ask for some fields only. */
  readonly sparse: boolean;
  readonly transitions: readonly { readonly kebab: string; readonly to: string; readonly from: readonly string[] }[];
}

/**
 * @param page what is known of the resource
 * @returns its fields as a Markdown table
 */
export function fieldsTable({ fields }: Page): string {
  return markdownTable(
    ['field', 'type', 'rules'],
    fields.map((each) => [code(each.field.name), typeOf(each.field), rulesOf(each).join(', ')]),
  );
}

/**
 * @param page what is known of the resource
 * @returns its routes as a Markdown table
 */
export function routesTable({ path, one, many, filters, sortable, isChangeable, sparse, transitions }: Page): string {
  const change = 'needs `If-Match`';
  const list = [
    `sorted by ${sortable.map(code).join(', ')}`,
    ...(filters.length === 0 ? [] : [`filtered by ${filters.map(code).join(', ')}`]),
    ...(sparse ? ['with `fields`, such as `?fields=version,createdAt`: only these fields and `id`'] : []),
  ];
  return markdownTable(
    ['route', 'does'],
    [
      [code(`POST ${path}`), `creates ${one}; sent again with the same \`Idempotency-Key\`, it creates no second one`],
      [code(`GET ${path}`), `lists ${many}, ${list.join(', ')}`],
      [code(`GET ${path}/{id}`), `gets ${one} and its \`ETag\``],
      ...(isChangeable ? [[code(`PATCH ${path}/{id}`), `changes fields by a merge patch; ${change}`]] : []),
      [code(`DELETE ${path}/{id}`), `deletes ${one}; ${change}`],
      ...transitions.map(({ kebab, from, to }) => [
        code(`POST ${path}/{id}/${kebab}`),
        `${from.map(code).join(', ')} → ${code(to)}`,
      ]),
    ],
  );
}

function typeOf({ type, list, precision, scale }: Field): string {
  const name = type === 'decimal' ? `decimal(${precision},${scale})` : type;
  return list ? `list of ${name}` : name;
}

function rulesOf({ field, target, state }: FieldOfPage): string[] {
  const { list, optional, unique, indexed, immutable, values, pattern } = field;
  const marks = { unique, indexed, immutable, private: field.private };
  const { default: given, min: _min, max: _max, ...ofItem } = field;
  const isRequired = !optional && given === undefined && !state;
  return [
    isRequired ? 'required' : optional ? 'optional' : undefined,
    ...Object.entries(marks).map(([mark, has]) => (has ? mark : undefined)),
    target === undefined ? undefined : `id of one of ${code(target)}`,
    values === undefined ? undefined : `one of ${values.map(code).join(', ')}`,
    state ? 'only transitions change it' : undefined,
    list ? bounds(field, 'items') : undefined,
    list ? bounds({ ...ofItem, list: false }, 'characters each') : bounds(field, 'characters'),
    field.type === 'json' ? `at most ${deepestJson} levels` : undefined,
    pattern === undefined ? undefined : shown('matches', pattern, 'has a pattern'),
    given === undefined || state ? undefined : shown('default', JSON.stringify(given), 'has a default'),
  ].filter((rule) => rule !== undefined);
}

/** What has a length is counted in units; other values are compared. */
function bounds(field: Field, unit: string): string | undefined {
  const { least, greatest } = boundsOf(field);
  if (least === undefined && greatest === undefined) return undefined;
  const suffix = hasLength(field) ? ` ${unit}` : '';
  if (greatest === undefined) return `at least ${least}${suffix}`;
  if (least === undefined || (hasLength(field) && least === 0)) return `at most ${greatest}${suffix}`;
  return `${least} to ${greatest}${suffix}`;
}

/** A long text, or one that Markdown would change, stays in the code. */
function shown(what: string, text: string, otherwise: string): string {
  return /^[ -_a-{}~]{1,60}$/.test(text) && !text.includes('  ') && text.trim() === text
    ? `${what} ${code(text)}`
    : otherwise;
}

function code(text: string): string {
  return `\`${text}\``;
}
