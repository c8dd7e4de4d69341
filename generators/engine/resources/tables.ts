import type { FieldType } from '../model.ts';

/** What a table needs to know of a field. */
export interface Column {
  /** Name of the column. */
  readonly snake: string;
  readonly type: FieldType;
  readonly list: boolean;
  readonly optional: boolean;
  readonly unique: boolean;
  readonly indexed: boolean;
  readonly filter: boolean;
  readonly hasDefault: boolean;
  readonly default: unknown;
  readonly hasMin: boolean;
  readonly min: number | string | null;
  readonly hasMax: boolean;
  readonly max: number | string | null;
  readonly values: readonly string[];
  readonly precision: number | null;
  readonly scale: number | null;
  readonly target: {
    readonly plural: { readonly snake: string };
    readonly exists: boolean;
    readonly later: boolean;
  } | null;
}

/** One statement of a migration. It is data: the templates of a database print it. */
export type Step = { readonly do: string; readonly table: string } & Readonly<Record<string, unknown>>;

/** What a migration changes in a table. */
export interface TableChange {
  /** The name before, and the name after. */
  readonly from: string;
  readonly to: string;
  /** The columns before. */
  readonly columns: readonly Column[];
  readonly drop: readonly Column[];
  /** Column before → column after. */
  readonly rename: ReadonlyMap<string, string>;
  /** Under its new name, if it has one. */
  readonly alter: readonly { readonly before: Column; readonly after: Column }[];
  readonly add: readonly Column[];
}

type Kind = 'key' | 'fkey' | 'check' | 'idx';

/** PostgreSQL cuts longer names: https://www.postgresql.org/docs/current/sql-syntax-lexical.html */
const longestName = 63;

/**
 * Names a constraint or an index as PostgreSQL would.
 * @param table its name
 * @param column its name
 * @param kind unique constraint, foreign key, check or index
 * @returns a name of at most 63 characters; a hash replaces the middle of a longer one
 */
export function constraintName(table: string, column: string, kind: Kind): string {
  const name = `${table}_${column}_${kind}`;
  if (name.length <= longestName) return name;
  const end = `_${fnv1a(name)}_${kind}`;
  return name.slice(0, longestName - end.length) + end;
}

/** http://www.isthe.com/chongo/tech/comp/fnv/, 32 bits. Names are ASCII. */
function fnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

/** Foreign keys of a table that was created before its target. */
export type Awaited = readonly { readonly table: string; readonly column: Column }[];

/**
 * @param table name of the new table
 * @param columns its columns, without those of every table
 * @param awaited foreign keys of other tables to it
 * @returns the steps that create it, and those that revert them
 */
export function creationOf(table: string, columns: readonly Column[], awaited: Awaited): { up: Step[]; down: Step[] } {
  const parts = columns.flatMap((column) => partsOf(table, column));
  const references = awaited.map(({ table: other, column }) => ({
    table: other,
    ...{ name: constraintName(other, column.snake, 'fkey'), kind: 'fkey', column: stored(column), isNew: false },
  }));
  const index = { name: constraintName(table, 'created_at', 'idx'), columns: ['created_at', 'id'] };
  return {
    up: [
      { do: 'addColumns', table, create: true, columns: columns.map((column) => definition(column, !column.optional)) },
      ...parts.filter(({ kind }) => kind !== 'idx').map((part) => addition(table, part, true)),
      { do: 'addIndex', table, ...index },
      ...parts.filter(({ kind }) => kind === 'idx').map((part) => addition(table, part, true)),
      ...references.map((each): Step => ({ do: 'addConstraint', ...each })),
    ],
    down: [
      ...references.map(({ table: other, name }): Step => ({ do: 'dropConstraint', table: other, name })),
      { do: 'dropTable', table },
    ],
  };
}

/**
 * @param change of a table
 * @returns the steps that make it, and those that revert them; none when the database does not notice the change
 */
export function changeSteps(change: TableChange): { up: Step[]; down: Step[] } {
  const { from, to, columns, drop, rename, alter, add } = change;
  const isDropped = new Set(drop.map(({ snake }) => snake));
  const kept = columns.filter(({ snake }) => !isDropped.has(snake));
  const altered = new Map(alter.map(({ before, after }) => [before.snake, after]));
  const reverse: TableChange = {
    ...{ from: to, to: from, drop: add, add: drop },
    columns: [
      ...kept.map((column) => {
        const snake = rename.get(column.snake) ?? column.snake;
        return altered.get(snake) ?? { ...column, snake };
      }),
      ...add,
    ],
    rename: new Map([...rename].map(([before, after]) => [after, before])),
    alter: alter.map(({ before, after }) => {
      const snake = [...rename].find(([, name]) => name === after.snake)?.[0] ?? after.snake;
      return { before: { ...after, snake }, after: { ...before, snake } };
    }),
  };
  return { up: stepsOf(change, true), down: stepsOf(reverse, false) };
}

function stepsOf({ from, to: table, columns, drop, rename, alter, add }: TableChange, isForward: boolean): Step[] {
  const isDropped = new Set(drop.map(({ snake }) => snake));
  const kept = columns.filter(({ snake }) => !isDropped.has(snake));
  const names = inFreeOrder([...rename]);
  const alterations = alter.map(({ before, after }) => alterationOf(table, before, after));
  // A column that is there again has lost its values.
  const added = add.map((column) => definition(column, !column.optional && (isForward || column.hasDefault)));
  return [
    ...(drop.length === 0 ? [] : [{ do: 'dropColumns', table: from, columns: drop.map(({ snake }) => snake) }]),
    ...(from === table ? [] : renamedTable(from, table)),
    ...names.map(([before, after]): Step => ({ do: 'renameColumn', table, from: before, to: after })),
    ...kept.flatMap((column) => renamedParts(from, table, column, rename.get(column.snake) ?? column.snake)),
    ...alterations.flatMap(({ first }) => first),
    ...(added.length === 0 ? [] : [{ do: 'addColumns', table, create: false, columns: added }]),
    ...alterations.flatMap(({ last }) => last),
    ...add.flatMap((column) => partsOf(table, column).map((part) => addition(table, part, true))),
  ];
}

/** What a column has besides its type: constraints and an index. Two with one `is` check the same. */
interface Part {
  readonly kind: Kind;
  readonly name: string;
  readonly column: Column;
  readonly is: string;
}

function partsOf(table: string, column: Column): Part[] {
  const { unique, indexed, filter, values, hasMin, hasMax, min, max, type, list, target } = column;
  const part = (kind: Kind, is: unknown): Part => ({
    ...{ kind, column, is: JSON.stringify(is) },
    name: constraintName(table, column.snake, kind),
  });
  const hasTarget = target !== null && !list && target.exists && !target.later;
  return [
    ...(unique ? [part('key', '')] : []),
    ...(hasTarget ? [part('fkey', target.plural.snake)] : []),
    ...(values.length > 0 || hasMin || hasMax ? [part('check', [storage[type], list, values, min, max])] : []),
    ...((indexed || filter) && !unique ? [part('idx', keyOf(column))] : []),
  ];
}

/** An index serves a filter together with the order of the list: its own order, or that of creation. */
function keyOf({ snake, type, optional }: Column): string[] {
  const hasOrder = !optional && !['enum', 'ref', 'boolean', 'uuid'].includes(type);
  return hasOrder ? [snake, 'id'] : [snake, 'created_at', 'id'];
}

/** A constraint that is not new does not look at the rows that are there, except for a unique one. */
function addition(table: string, { kind, name, column }: Part, isNew: boolean): Step {
  return kind === 'idx'
    ? { do: 'addIndex', table, name, columns: keyOf(column) }
    : { do: 'addConstraint', table, name, kind, column: stored(column), isNew };
}

function removal(table: string, { kind, name }: Part): Step {
  return { do: kind === 'idx' ? 'dropIndex' : 'dropConstraint', table, name };
}

function renamedTable(from: string, table: string): Step[] {
  return [
    { do: 'renameTable', table: from, to: table },
    { do: 'renameConstraint', table, from: `${from}_pkey`, to: `${table}_pkey` },
    {
      ...{ do: 'renameIndex', table, from: constraintName(from, 'created_at', 'idx') },
      to: constraintName(table, 'created_at', 'idx'),
    },
  ];
}

function renamedParts(from: string, table: string, column: Column, snake: string): Step[] {
  const after = partsOf(table, { ...column, snake });
  return partsOf(from, column).flatMap(({ kind, name }, index) => {
    const to = after[index]?.name;
    return name === to ? [] : [{ do: kind === 'idx' ? 'renameIndex' : 'renameConstraint', table, from: name, to }];
  });
}

/** Puts renames into an order in which each new name is free. When there is none, each goes through another name. */
function inFreeOrder(renames: readonly [string, string][]): readonly [string, string][] {
  const former = new Set(renames.map(([from]) => from));
  if (renames.every(([, to]) => !former.has(to))) return renames;
  return [
    ...renames.map(([from], index): [string, string] => [from, `renamed__${index}`]),
    ...renames.map(([, to], index): [string, string] => [`renamed__${index}`, to]),
  ];
}

/** A column as it is created. Rows that are there have its default; without one it fails when there are any. */
function definition(column: Column, required: boolean) {
  return { ...stored(column), required };
}

/** Types whose values are stored alike. */
const storage: Readonly<Record<FieldType, string>> = {
  ...{ string: 'text', text: 'text', email: 'text', url: 'text', enum: 'text', int: 'integer', bigint: 'integer' },
  ...{
    decimal: 'decimal',
    boolean: 'boolean',
    date: 'date',
    datetime: 'datetime',
    uuid: 'uuid',
    ref: 'uuid',
    json: 'json',
  },
};

/**
 * A column with what decides its type in the database. `isOrdered`: texts are compared as the service compares them. `isArray`: a list of
 * JSON is JSON itself.
 */
function stored(column: Column) {
  const { type, list, unique, indexed } = column;
  return {
    ...column,
    storage: storage[type],
    isOrdered: storage[type] === 'text' && !list && (unique || indexed),
    isArray: list && type !== 'json',
    isTime: !list && (type === 'date' || type === 'datetime'),
    literal: literalOf(column),
  };
}

/** The default in the text form that every type of PostgreSQL reads: https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO */
function literalOf({ type, list, default: value }: Column): string {
  if (type === 'json') return JSON.stringify(value);
  if (!list || !Array.isArray(value)) return String(value);
  return `{${value.map((item) => `"${String(item).replaceAll(/["\\]/g, String.raw`\$&`)}"`).join(',')}}`;
}

function isIn(parts: readonly Part[], { kind, is }: Part): boolean {
  return parts.some((part) => part.kind === kind && part.is === is);
}

/** The steps for a column that stays: `first` may remove what would be in the way, `last` adds what is new. */
function alterationOf(table: string, before: Column, after: Column): { first: Step[]; last: Step[] } {
  const [from, to] = [partsOf(table, before), partsOf(table, after)];
  const step = (name: string): Step => ({ do: name, table, column: stored(after) });
  const isOther = typeOf(before) !== typeOf(after);
  const hasOtherDefault = isOther || JSON.stringify(before.default) !== JSON.stringify(after.default);
  return {
    first: [
      ...from.filter((part) => !isIn(to, part)).map((part) => removal(table, part)),
      ...(before.hasDefault && hasOtherDefault ? [step('dropDefault')] : []),
      ...(isOther ? [{ ...step('setType'), from: storage[before.type] }] : []),
      ...(after.hasDefault && hasOtherDefault ? [step('setDefault')] : []),
      ...(before.optional && !after.optional ? [...(after.hasDefault ? [step('fill')] : []), step('setNotNull')] : []),
      ...(!before.optional && after.optional ? [step('dropNotNull')] : []),
    ],
    last: to.filter((part) => !isIn(from, part)).map((part) => addition(table, part, false)),
  };
}

function typeOf(column: Column): string {
  const { storage: type, isOrdered, list, precision, scale } = stored(column);
  return JSON.stringify([type, isOrdered, list, precision, scale]);
}
