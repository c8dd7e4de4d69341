import { SlipwayError } from '../../errors.ts';
import type { Field } from '../../model.ts';
import { mostFields } from '../check.ts';
import { parseField, printField } from '../fields.ts';
import { fieldNameFault, fieldNameOf, namesOf, resourceNameFault } from '../names.ts';
import { isPlural, pluralOf, singularOf } from '../plural.ts';

/** A resource that was found in a schema. */
export interface Found {
  /** In kebab-case. */
  readonly name: string;
  /** In kebab-case. */
  readonly plural: string;
  /** Name in camelCase → text of the field. */
  readonly fields: Readonly<Record<string, string>>;
  /** What the resource lacks, or has in another way, each with its place. */
  readonly left: readonly string[];
}

/** What a schema contains. */
export interface Findings {
  readonly found: readonly Found[];
  /** What is not taken over, each with its place. */
  readonly left: readonly string[];
}

/** The parts of a field that a schema states. What is absent is as in a field without modifiers. */
export type Shape = Partial<Omit<Field, 'name' | 'type'>> & Pick<Field, 'type'>;

/** A table, schema or message before its names are those of a resource. */
export interface Entity {
  /** Its name in the schema. A ref has it as its target. */
  readonly name: string;
  /** Where it is, for a reader: `table orders`. */
  readonly place: string;
  readonly fields: readonly { readonly name: string; readonly shape: Shape }[];
  readonly left: readonly string[];
}

/** Max number of reported things. A schema of another kind would fill the screen. */
const mostLeft = 500;

/**
 * @param entities of a schema
 * @param left what the schema has besides them and is not taken over
 * @returns the entities as resources; what a resource cannot have is listed
 */
export function findingsOf(entities: readonly Entity[], left: readonly string[]): Findings {
  const all = [...left];
  const taken = new Map<string, Entity & { readonly plural: string }>();
  for (const entity of entities) {
    const names = resourceNamesOf(entity.name);
    const other = 'fault' in names ? undefined : taken.get(names.name);
    if ('fault' in names) all.push(`${entity.place}: ${names.fault}`);
    else if (other !== undefined) all.push(`${entity.place}: its name is the same as that of ${other.place}`);
    else if (entity.fields.length === 0) all.push(`${entity.place}: it has no field that can be taken over`);
    else taken.set(names.name, { ...entity, plural: names.plural });
  }
  const targets = new Map([...taken].map(([name, entity]) => [entity.name, name]));
  const found = [...taken].map(([name, entity]) => foundOf(name, entity, targets));
  all.push(...found.filter(isEmpty).map(({ name, left: why }) => `${name}: no field is left (${why.join('; ')})`));
  return { found: found.filter((one) => !isEmpty(one)), left: capped(all) };
}

function isEmpty({ fields }: Found): boolean {
  return Object.keys(fields).length === 0;
}

function capped(left: readonly string[]): readonly string[] {
  return left.length <= mostLeft ? left : [...left.slice(0, mostLeft), `and ${left.length - mostLeft} more`];
}

/** Returns the names of a resource, or what is wrong with them. */
function resourceNamesOf(name: string): { name: string; plural: string } | { fault: string } {
  const { kebab } = namesOf(name);
  // The library's rules are regular expressions, which take long for long words.
  const fault = resourceNameFault(kebab);
  if (fault !== undefined && kebab.length > 40) return { fault };
  const singular = singularOf(kebab);
  const plural = pluralOf(singular);
  const found = resourceNameFault(singular) ?? resourceNameFault(plural);
  if (found !== undefined) return { fault: found };
  if (isPlural(singular)) return { fault: `"${singular}" is a plural` };
  return singular === plural
    ? { fault: `the plural of "${singular}" is the same word; create it with --plural` }
    : { name: singular, plural };
}

function foundOf(
  name: string,
  entity: Entity & { readonly plural: string },
  targets: ReadonlyMap<string, string>,
): Found {
  const fields: Record<string, string> = {};
  const left = [...entity.left];
  for (const { name: given, shape } of entity.fields) {
    const report = (message: string): unknown => left.push(`${entity.name}.${given}: ${message}`);
    const target = shape.target === undefined ? undefined : targets.get(shape.target);
    const isLost = shape.type === 'ref' && target === undefined;
    if (isLost) report(`"${shape.target}" is not found; the field is a uuid`);
    const field = fieldOf(given, isLost ? asUuid(shape) : { ...shape, ...(target && { target }) }, name);
    if (field.target === name && shape.optional !== true)
      report('it is optional: the first one could refer to nothing');
    const fault = Object.hasOwn(fields, field.name)
      ? `there is another field "${field.name}"`
      : (fieldNameFault(field.name, field.indexed || field.unique || field.type === 'ref' || field.type === 'enum') ??
        (Object.keys(fields).length === mostFields ? `a resource has at most ${mostFields} fields` : undefined));
    if (fault !== undefined) report(fault);
    const text = fault === undefined ? textOf(field, report) : undefined;
    if (text !== undefined) fields[field.name] = text;
  }
  return { name, plural: entity.plural, fields, left: capped(left) };
}

function asUuid(shape: Shape): Shape {
  const { target: _, ...rest } = shape;
  return { ...rest, type: 'uuid' };
}

/** A ref has the name of what it refers to: `customer_id` becomes `customer`. */
function fieldOf(given: string, shape: Shape, resource: string): Field {
  const name = shape.type === 'ref' ? given.replace(/(?:_id|Id|ID)$/, '') || given : given;
  return { ...plain, ...shape, name: fieldNameOf(name), ...(shape.target === resource && { optional: true }) };
}

const plain = { list: false, optional: false, unique: false, indexed: false, immutable: false, private: false };

/** The modifiers of a field, in the order in which they are tried. */
const modifiers = ['max', 'min', 'pattern', 'unique', 'indexed', 'immutable', 'private', 'default'] as const;

/** Prints a field with those of its modifiers that it can have. Reports the others. */
function textOf(field: Field, report: (message: string) => unknown): string | undefined {
  const { max: _max, min: _min, pattern: _pattern, default: _default, ...rest } = field;
  let base: Field = { ...rest, unique: false, indexed: false, immutable: false, private: false };
  const fault = faultOf(base);
  if (fault !== undefined) {
    report(fault);
    return undefined;
  }
  for (const modifier of modifiers) {
    if (field[modifier] === undefined || (modifier !== 'default' && field[modifier] === false)) continue;
    const more = { ...base, [modifier]: field[modifier] };
    const why = faultOf(more);
    if (why === undefined) base = more;
    else report(`${modifier} is left out: ${why}`);
  }
  return printField(parseField(base.name, printField(base)));
}

function faultOf(field: Field): string | undefined {
  try {
    parseField(field.name, printField(field));
    return undefined;
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
    return error.message.replace(/^field .*?, character \d+: /, '');
  }
}

/** Fields that every resource has, and the types that they have elsewhere. */
const own: Readonly<Record<string, readonly Shape['type'][]>> = {
  id: ['uuid'],
  version: ['int', 'bigint'],
  createdAt: ['datetime'],
  updatedAt: ['datetime'],
};

/**
 * @param name of a field in a schema
 * @param shape of the field
 * @returns whether every resource has this field
 */
export function isOwn(name: string, { type, list }: Shape): boolean {
  const canonical = fieldNameOf(name);
  return Object.hasOwn(own, canonical) && own[canonical]?.includes(type) === true && !list;
}

/**
 * @param values of an enum in a schema
 * @param report takes what is not taken over
 * @returns an enum; a string when an enum of a resource cannot have these values
 */
export function enumShape(values: readonly string[], report: (message: string) => unknown): Shape {
  const shape: Shape = { type: 'enum', values };
  const fault = faultOf({ ...plain, ...shape, name: 'value' });
  if (fault === undefined) return shape;
  report(`it is a string, not an enum: ${fault}`);
  return { type: 'string' };
}

/**
 * @param shape of a field with values
 * @param value of a bound, as text
 * @param side whether it is the least or the greatest value
 * @param isStrict whether the bound itself is not allowed
 * @returns the bound that is allowed, as a field has it; undefined when there is none
 */
export function nextBound(
  { type, scale = 4 }: Shape,
  value: string,
  side: 'min' | 'max',
  isStrict: boolean,
): number | string | undefined {
  const digits = type === 'decimal' ? scale : 0;
  const isNumber = type === 'int' || type === 'bigint' || type === 'decimal';
  if (!isNumber) return isStrict ? undefined : value;
  const [, sign = '', whole = '', part = ''] = /^(-?)(\d{1,40})(?:\.(\d{0,40}))?$/.exec(value) ?? [];
  if (whole === '' || part.replace(/0+$/, '').length > digits) return undefined;
  const step =
    BigInt(sign + whole + part.slice(0, digits).padEnd(digits, '0')) + (isStrict ? (side === 'min' ? 1n : -1n) : 0n);
  if (type === 'int') return Number(step);
  const text = String(step)
    .replace('-', '')
    .padStart(digits + 1, '0');
  const [front, back] = [text.slice(0, text.length - digits), text.slice(text.length - digits).replace(/0+$/, '')];
  return (step < 0n ? '-' : '') + front + (back && `.${back}`);
}
