import type { FieldType } from '../../model.ts';
import { rulesOf, type Rule } from './sql/checks.ts';
import { expressionOf, type Expression } from './sql/expression.ts';
import { printed } from './sql/cursor.ts';
import { schemaOf, type Column, type Schema, type Table } from './sql/tables.ts';
import { compareValues } from '../values.ts';
import { enumShape, type Entity, type Findings, findingsOf, isOwn, nextBound, type Shape } from './found.ts';

/** Types of PostgreSQL that a field can have. https://www.postgresql.org/docs/current/datatype.html */
const types: Readonly<Record<string, FieldType>> = {
  ...{ smallint: 'int', int2: 'int', integer: 'int', int: 'int', int4: 'int', smallserial: 'int', serial: 'int' },
  ...{ serial2: 'int', serial4: 'int', bigint: 'bigint', int8: 'bigint', bigserial: 'bigint', serial8: 'bigint' },
  ...{ numeric: 'decimal', decimal: 'decimal', boolean: 'boolean', bool: 'boolean', date: 'date', uuid: 'uuid' },
  ...{ timestamp: 'datetime', timestamptz: 'datetime', json: 'json', jsonb: 'json', text: 'text', citext: 'text' },
  ...{
    varchar: 'string',
    'character varying': 'string',
    'char varying': 'string',
    char: 'string',
    character: 'string',
  },
  ...{ bpchar: 'string', name: 'string' },
};

/** A text that is unique has an index, whose keys are short. */
const longestIndexed = 640;

/**
 * Finds resources in SQL of PostgreSQL: one for each table with a key of one column.
 * @param text statements that define tables, such as `pg_dump --schema-only` prints them
 * @returns the resources, and what is not taken over
 * @throws SlipwayError (exit code 2) that names the line, when the text is no SQL of PostgreSQL
 */
export function fromSql(text: string): Findings {
  const schema = schemaOf(text);
  const left = [...schema.left];
  const entities = [...schema.tables.values()].flatMap((table) => {
    const [key, second] = table.key;
    if (key !== undefined && second === undefined) return [entityOf(table, key, schema)];
    const why = key === undefined ? 'it has no primary key' : `its key has several columns: ${table.key.join(', ')}`;
    left.push(`table ${table.name}: ${why}`, ...table.left);
    return [];
  });
  return findingsOf(entities, left);
}

function entityOf(table: Table, key: string, schema: Schema): Entity {
  const left = [...table.left];
  const rules = new Map<string, Rule[]>();
  for (const check of table.checks) {
    const found = rulesOf(check);
    if (found === undefined) left.push(`${table.name}: check (${printed(check)}) is not taken over`);
    for (const rule of found ?? []) {
      const others = rules.get(rule.column);
      if (others === undefined) rules.set(rule.column, [rule]);
      else others.push(rule);
    }
  }
  for (const columns of table.uniques)
    if (columns.length > 1) left.push(`${table.name}: unique (${columns.join(', ')}) is not taken over`);
  for (const { columns, table: target } of table.references)
    if (columns.length > 1)
      left.push(`${table.name}: the reference of ${columns.join(', ')} to ${target} is not taken over`);
  const fields: { name: string; shape: Shape }[] = [];
  for (const [name, column] of table.columns) {
    const reports: string[] = [];
    const report = (message: string): unknown => reports.push(`${table.name}.${name}: ${message}`);
    const shape = shapeOf({ name, column, table, schema, rules: rules.get(name) ?? [], report });
    if (shape !== undefined && (name === key ? !isMeaningful(shape, column) : isOwn(name, shape))) {
      if (name === key && (name !== 'id' || shape.type !== 'uuid'))
        left.push(`${table.name}.${name}: the key of a resource is "id", a UUID`);
      continue;
    }
    if (name === key) report('the key of a resource is a UUID; this column becomes a unique field');
    left.push(...reports);
    if (shape !== undefined) fields.push({ name, shape: name === key ? { ...shape, unique: true } : shape });
  }
  return { name: table.name, place: `table ${table.name}`, fields, left };
}

/** Whether a key is more than a number of the row: a code, or the key of another table. */
function isMeaningful({ type }: Shape, { generated }: Column): boolean {
  return type !== 'uuid' && type !== 'int' && type !== 'bigint' && generated === undefined;
}

/** What is known of a column. */
interface Known {
  readonly name: string;
  readonly column: Column;
  readonly table: Table;
  readonly schema: Schema;
  readonly rules: readonly Rule[];
  readonly report: (message: string) => unknown;
}

function shapeOf(known: Known): Shape | undefined {
  const { name, column, table, report } = known;
  const { type, generated } = column;
  if (generated === 'stored') {
    report('the database computes it');
    return undefined;
  }
  const base = baseOf(known);
  if (base === undefined) {
    report(`there is no field for the type ${type.name}`);
    return undefined;
  }
  const isUnique = table.uniques.some((columns) => columns.length === 1 && columns[0] === name);
  const isIndexed = table.indexes.some(([first]) => first === name);
  const shape: Shape = {
    ...base,
    list: type.isList,
    optional: !column.isRequired && !table.key.includes(name),
    ...(isUnique && { unique: true }),
    ...(isIndexed && { indexed: true }),
  };
  const ruled = known.rules.reduce((now, rule) => withRule(now, rule, report), shape);
  return withDefault(withLength(ruled, known, isUnique || isIndexed), column, report);
}

function baseOf({ name, column, table, schema, report }: Known): Shape | undefined {
  const { name: type, args, isList } = column.type;
  const reference = table.references.find(({ columns }) => columns.length === 1 && columns[0] === name);
  const target = reference && schema.tables.get(reference.table);
  if (reference !== undefined) {
    const isKey = target?.key.length === 1 && (reference.keys.length === 0 || reference.keys[0] === target.key[0]);
    if (isKey) return { type: 'ref', target: reference.table };
    report(
      target === undefined
        ? `it refers to ${reference.table}, which is not here`
        : `the reference to ${reference.table} is not taken over: it is to no key of one column`,
    );
  }
  const values = schema.enums.get(type);
  if (values !== undefined) return enumShape(values, report);
  const found = Object.hasOwn(types, type) ? types[type] : undefined;
  if (found === undefined) return undefined;
  if (type === 'timestamp') report('it has no time zone; its times are taken as UTC');
  if (type === 'citext') report('texts that differ in case are not equal in a field');
  const [first, second = 0] = args;
  if (found === 'decimal' && first === undefined) report('a decimal has at most 19 digits, 4 of them after the point');
  if (found === 'decimal' && first !== undefined) return { type: found, precision: first, scale: second };
  if (found !== 'string') return { type: found, ...(found === 'decimal' && { precision: 19, scale: 4 }) };
  const isFixed = ['char', 'character', 'bpchar'].includes(type);
  const length = first ?? (type === 'name' ? 63 : isFixed ? 1 : undefined);
  if (length !== undefined && isList) report('the length of its items is not taken over');
  if (length === undefined) return { type: 'text' };
  return { type: found, ...(!isList && { max: length }) };
}

/** A text with a maximum, or one that has an index, is a string. */
function withLength(shape: Shape, { report }: Known, hasIndex: boolean): Shape {
  if (shape.list) return shape;
  if (shape.type === 'text' && shape.max !== undefined && Number(shape.max) <= 10_000)
    return { ...shape, type: 'string', min: shape.min ?? 0 };
  if (shape.type !== 'text' || !hasIndex) return shape;
  report(`a text with an index has at most ${longestIndexed} characters`);
  return { ...shape, type: 'string', max: longestIndexed };
}

function withRule(shape: Shape, rule: Rule, report: Known['report']): Shape {
  const { kind, value, values, isStrict = false } = rule;
  if (kind === 'values') {
    const isText = shape.type === 'string' || shape.type === 'text';
    if (!isText || shape.list) return refused(shape, 'values', report);
    const { max: _, min: _min, type: _type, ...rest } = shape;
    const found = enumShape(values ?? [], report);
    return found.type === 'enum' ? { ...rest, ...found } : shape;
  }
  const side = kind.startsWith('min') ? 'min' : 'max';
  const isLength = kind !== side;
  const hasLength = shape.list === true || shape.type === 'string' || shape.type === 'text';
  const of: Shape = hasLength ? { type: 'int' } : shape;
  const bound = isLength === hasLength ? nextBound(of, value, side, isStrict) : undefined;
  if (bound === undefined) return refused(shape, `${side} ${value}`, report);
  const present = shape[side];
  // The bound that allows less holds.
  const isLooser = present !== undefined && compareValues(of, bound, present) > 0 === (side === 'max');
  return isLooser ? shape : { ...shape, [side]: bound };
}

function refused(shape: Shape, what: string, report: Known['report']): Shape {
  report(`the check (${what}) is not taken over`);
  return shape;
}

function withDefault(shape: Shape, { type, default: tokens, generated }: Column, report: Known['report']): Shape {
  if (generated === 'identity' || type.name.includes('serial'))
    report('the database numbers it; a field has no such default');
  if (tokens === undefined) return shape;
  const expression = expressionOf(tokens);
  if (expression?.kind === 'word' && expression.value === 'null') return shape;
  const value = expression && valueOf(expression, shape);
  if (value !== undefined) return { ...shape, default: value };
  report(`the default ${printed(tokens)} is not taken over`);
  return shape;
}

/** Returns the value of a literal as JSON; undefined when it is none of the type. */
function valueOf(expression: Expression, shape: Shape): unknown {
  if (expression.kind === 'list' && shape.list) {
    const items = expression.items.map((item) => valueOf(item, { ...shape, list: false }));
    return items.includes(undefined) ? undefined : items;
  }
  if (expression.kind === 'word') return shape.type === 'boolean' ? expression.value === 'true' : undefined;
  if (expression.kind !== 'text' && expression.kind !== 'number') return undefined;
  const { value } = expression;
  if (shape.list) return value === '{}' ? [] : undefined;
  if (shape.type === 'int') return Number(value);
  if (shape.type === 'boolean') return { true: true, t: true, false: false, f: false }[value];
  if (shape.type !== 'json') return value;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
