import { badInput, type SlipwayError } from '../errors.ts';
import { type Field, type FieldType, fieldTypes } from '../model.ts';
import { didYouMean, suggest } from '../suggest.ts';
import { fieldNameOf, maximumResourceName } from './names.ts';
import { compareValues, expectations, isTextual, parseList, parseValue } from './values.ts';

/** Max length of the text of one field. */
const longestText = 4000;
const mostValues = 50;
const mostItems = 100;
const longestPattern = 200;
/** A key of an index of PostgreSQL has at most 2,704 bytes, and a character of UTF-8 has up to 4. */
const longestIndexed = 640;
/** Digits of a decimal: `decimal` is `decimal(19,4)`. */
const [defaultPrecision, defaultScale, mostDigits] = [19, 4, 38];

/** Max length of texts when the field sets none, and the highest maximum that it may set. */
const lengths: Readonly<Partial<Record<FieldType, { readonly default: number; readonly most: number }>>> = {
  string: { default: 200, most: 10_000 },
  text: { default: 10_000, most: 1_000_000 },
  email: { default: 254, most: 254 },
  url: { default: 2048, most: 2048 },
};

/** Types of other languages and databases. */
const otherNames: Readonly<Record<string, FieldType>> = {
  bool: 'boolean',
  char: 'string',
  double: 'decimal',
  float: 'decimal',
  guid: 'uuid',
  integer: 'int',
  long: 'bigint',
  money: 'decimal',
  number: 'int',
  numeric: 'decimal',
  object: 'json',
  reference: 'ref',
  time: 'datetime',
  timestamp: 'datetime',
  uri: 'url',
  varchar: 'string',
};

const modifiers = [
  'optional',
  'unique',
  'indexed',
  'immutable',
  'private',
  'default',
  'min',
  'max',
  'pattern',
] as const;
type Modifier = (typeof modifiers)[number];

/** The marks that have no argument. */
const marks = ['unique', 'indexed', 'immutable', 'private'] as const;

/** A field while it is parsed. */
type Draft = { -readonly [Key in keyof Field]: Field[Key] };

/** Creates the error for a fault at a place of the text, counted from 0. */
type FaultAt = (at: number, message: string, hint?: string) => SlipwayError;

/**
 * Parses a field as the command line takes it.
 * @param argument `name:type[modifiers]`; the name may be in any style
 * @returns the field
 * @throws SlipwayError (exit code 2) that names the field, the character and what is allowed
 */
export function parseFieldArgument(argument: string): Field {
  const end = argument.indexOf(':');
  if (end < 1) throw badInput(`"${argument.slice(0, 60)}" is no field`, 'write name:type, such as sku:string');
  return parseField(fieldNameOf(argument.slice(0, end)), argument.slice(end + 1));
}

/**
 * Parses a field as the manifest has it. Whether its name and its target may be used is checked by `resourceFaults`.
 * @param name of the field
 * @param text `type[modifiers]`, such as `decimal(12,2)?:indexed:min(0)`
 * @returns the field
 * @throws SlipwayError (exit code 2) that names the field, the character and what is allowed
 */
export function parseField(name: string, text: string): Field {
  const fail: FaultAt = (at, message, hint) =>
    badInput(`field "${name.slice(0, maximumResourceName)}", character ${at + 1}: ${message}`, hint);
  if (text.length > longestText) throw fail(longestText, `the text has more than ${longestText} characters`);
  const control = text.search(/[\p{Cc}\p{Cs}\u2028\u2029]/u);
  if (control !== -1) throw fail(control, 'a control character', 'write it as in JSON, between double quotes');
  const { type, at: typed } = typeIn(text, fail);
  const field: Draft = { ...plain, name, type };
  let at = parseTypeArguments(field, text, typed, fail);
  if (text.startsWith('[]', at)) [field.list, at] = [true, at + 2];
  if (text.charAt(at) === '?') [field.optional, at] = [true, at + 1];
  const places = new Map<Modifier, number>();
  while (at < text.length) at = parseModifier(field, text, at, places, fail);
  check(field, places, fail);
  // A unique field has an index.
  return field.unique ? { ...field, indexed: false } : field;
}

const plain = { list: false, optional: false, unique: false, indexed: false, immutable: false, private: false };

function typeIn(text: string, fail: FaultAt): { type: FieldType; at: number } {
  const word = /^[a-z]*/i.exec(text)?.[0] ?? '';
  const type = fieldTypes.find((known) => known === word);
  if (type !== undefined) return { type, at: word.length };
  if (word === '') throw fail(0, 'a type is missing', `types: ${fieldTypes.join(', ')}`);
  const lower = word.toLowerCase();
  const near = (Object.hasOwn(otherNames, lower) ? otherNames[lower] : undefined) ?? suggest(lower, fieldTypes);
  throw fail(
    0,
    `there is no type "${word.slice(0, 40)}"`,
    near === undefined ? `types: ${fieldTypes.join(', ')}` : `did you mean "${near}"?`,
  );
}

/** Parses the arguments in parentheses after the type. Returns the place after them. */
function parseTypeArguments(field: Draft, text: string, at: number, fail: FaultAt): number {
  const { type } = field;
  if (text.charAt(at) !== '(') {
    if (type === 'enum') throw fail(at, 'an enum needs its values', 'write enum(red,green)');
    if (type === 'ref') throw fail(at, 'a ref needs a resource', 'write ref(customer)');
    if (type === 'decimal') [field.precision, field.scale] = [defaultPrecision, defaultScale];
    return at;
  }
  if (type !== 'enum' && type !== 'ref' && type !== 'decimal')
    throw fail(at, `the type ${type} takes nothing in parentheses`, 'lengths are min(1) and max(80), after a colon');
  const { inner, end } = parentheses(text, at, 'plain', fail);
  const parts = inner.split(',').map((part) => part.trim());
  if (type === 'enum') field.values = enumValues(parts, at, fail);
  else if (type === 'ref') field.target = target(inner.trim(), at, fail);
  else [field.precision, field.scale] = digits(parts, at, fail);
  return end;
}

function enumValues(values: readonly string[], at: number, fail: FaultAt): string[] {
  const bad = values.find((value) => !/^[a-z][a-zA-Z0-9_-]{0,39}$/.test(value));
  if (bad !== undefined)
    throw fail(
      at + 1,
      `"${bad.slice(0, 60)}" is no value of an enum`,
      'a value has up to 40 letters, digits, "_" and "-", and begins with a lower-case letter',
    );
  const twice = values.find((value, index) => values.indexOf(value) !== index);
  if (twice !== undefined) throw fail(at + 1, `the value "${twice}" is there twice`);
  if (values.length > mostValues)
    throw fail(at + 1, `an enum has at most ${mostValues} values; given: ${values.length}`);
  return [...values];
}

function target(name: string, at: number, fail: FaultAt): string {
  if (/^[a-z][a-z0-9]*(?:-[a-z][a-z0-9]*)*$/.test(name) && name.length <= maximumResourceName) return name;
  throw fail(
    at + 1,
    `"${name.slice(0, 60)}" is no name of a resource`,
    'write it as in the manifest, such as ref(order-line)',
  );
}

function digits(parts: readonly string[], at: number, fail: FaultAt): [number, number] {
  const [precision = 0, scale = 0, ...more] = parts.map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : -1));
  if (precision < 1 || precision > mostDigits || scale < 0 || scale > precision || more.length > 0)
    throw fail(
      at + 1,
      'a decimal takes its digits, and of these the digits after the point',
      `write decimal(12,2); at most ${mostDigits} digits`,
    );
  return [precision, scale];
}

function parseModifier(field: Draft, text: string, at: number, places: Map<Modifier, number>, fail: FaultAt): number {
  if (text.charAt(at) !== ':')
    throw fail(
      at,
      `"${text.slice(at, at + 20)}" is not expected here`,
      'after the type: [] for a list, ? for optional, then :unique and the like',
    );
  const word = /^[a-z]*/i.exec(text.slice(at + 1))?.[0] ?? '';
  const modifier = modifiers.find((known) => known === word);
  if (modifier === undefined)
    throw fail(
      at + 1,
      word === '' ? 'a modifier is missing' : `there is no modifier "${word.slice(0, 40)}"`,
      didYouMean(word, modifiers),
    );
  if (places.has(modifier)) throw fail(at + 1, `"${modifier}" is there twice`);
  places.set(modifier, at + 1);
  const open = at + 1 + word.length;
  const hasArgument = text.charAt(open) === '(';
  if (modifier === 'optional' || isMark(modifier)) {
    if (hasArgument) throw fail(open, `"${modifier}" takes nothing in parentheses`);
    field[modifier] = true;
    return open;
  }
  if (!hasArgument) throw fail(open, `"${modifier}" needs a value`, `write ${modifier}(...)`);
  const { inner, end } = parentheses(text, open, modeOf(field, modifier, text.charAt(open + 1)), fail);
  const given = (value: unknown, expected: string): void => {
    if (value === undefined) throw fail(open + 1, `"${inner.slice(0, 60)}" is not ${expected}`);
  };
  if (modifier === 'pattern') field.pattern = pattern(inner, open, fail);
  else if (modifier === 'default') {
    field.default = field.list ? parseList(field.type, inner) : parseValue(field.type, inner);
    given(
      field.default,
      field.list ? `a JSON list; each item is ${expectations[field.type]}` : expectations[field.type],
    );
  } else {
    if (!field.list && boundless.has(field.type)) throw fail(at + 1, `the type ${field.type} takes no ${modifier}`);
    const bound = boundOf(field, inner);
    given(bound, hasLength(field) ? 'a length' : expectations[field.type]);
    if (bound !== undefined) field[modifier] = bound;
  }
  return end;
}

function isMark(modifier: Modifier): modifier is (typeof marks)[number] {
  return marks.some((mark) => mark === modifier);
}

/**
 * @param field of a resource
 * @returns whether `min` and `max` are about its length
 */
export function hasLength({ type, list }: Pick<Field, 'type' | 'list'>): boolean {
  return list || isTextual(type);
}

function boundOf(field: Field, text: string): number | string | undefined {
  if (hasLength(field)) return /^\d{1,7}$/.test(text) ? Number(text) : undefined;
  const value = parseValue(field.type, text);
  return typeof value === 'number' || typeof value === 'string' ? value : undefined;
}

/** How the end of an argument is found: in JSON, a parenthesis in a string does not count; in a pattern, one after a backslash. */
type Mode = 'plain' | 'json' | 'pattern';

function modeOf({ type, list }: Field, modifier: Modifier, first: string): Mode {
  if (modifier === 'pattern') return 'pattern';
  return modifier === 'default' && (list || type === 'json' || first === '"') ? 'json' : 'plain';
}

const skipped: Readonly<Record<Mode, RegExp>> = {
  plain: /[^]/y,
  json: /"(?:[^"\\]|\\.)*"|[^]/y,
  pattern: /\\.|\[(?:[^\]\\]|\\.)*\]|[^]/y,
};

/** Returns the text between the parentheses that open at a place, and the place after them. */
function parentheses(text: string, open: number, mode: Mode, fail: FaultAt): { inner: string; end: number } {
  const token = skipped[mode];
  token.lastIndex = open;
  for (let depth = 0; ;) {
    const part = token.exec(text)?.[0];
    if (part === undefined) throw fail(open, 'this parenthesis is not closed');
    if (part === '(') depth += 1;
    if (part === ')') depth -= 1;
    if (depth === 0) return { inner: text.slice(open + 1, token.lastIndex - 1), end: token.lastIndex };
  }
}

function pattern(source: string, open: number, fail: FaultAt): string {
  if (source === '' || source.length > longestPattern)
    throw fail(open + 1, `a pattern has 1 to ${longestPattern} characters; given: ${source.length}`);
  try {
    RegExp(source, 'u');
    return source;
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^.*: /, '') : '';
    throw fail(open + 1, `the pattern is no regular expression of JavaScript with the flag u: ${why}`);
  }
}

/** The types whose values have no order and no length. */
const boundless: ReadonlySet<FieldType> = new Set(['boolean', 'uuid', 'json', 'enum', 'ref']);

/** Checks what the parts of a field mean for each other. */
function check(field: Field, places: ReadonlyMap<Modifier, number>, failAt: FaultAt): void {
  const fail = (modifier: Modifier, message: string, hint?: string): SlipwayError =>
    failAt(places.get(modifier) ?? 0, message, hint);
  const { type, list, min, max } = field;
  const what = list ? 'a list' : `the type ${type}`;
  for (const modifier of ['unique', 'indexed'] as const) {
    if (!field[modifier]) continue;
    if (list || type === 'json' || type === 'text') throw fail(modifier, `${what} cannot be ${modifier}`);
    if (type === 'string' && Number(max ?? 0) > longestIndexed)
      throw fail(
        modifier,
        `a text that is ${modifier} has at most ${longestIndexed} characters`,
        `write max(${longestIndexed})`,
      );
  }
  if (field.pattern !== undefined && type !== 'string')
    throw fail('pattern', `${what} takes no pattern`, 'only a string does');
  const most = list ? mostItems : lengths[type]?.most;
  if (most !== undefined && Number(max ?? 0) > most) throw fail('max', `the highest maximum for ${what} is ${most}`);
  const { least, greatest } = boundsOf(field);
  if (least !== undefined && greatest !== undefined && compareValues(list ? lengthOnly : field, least, greatest) > 0)
    throw fail(min === undefined ? 'max' : 'min', `the minimum ${least} is greater than the maximum ${greatest}`);
  for (const modifier of ['default', 'min', 'max'] as const)
    if (type === 'decimal' && !fits(field, field[modifier]))
      throw fail(modifier, `it has more digits than decimal(${field.precision},${field.scale})`);
  if (field.default === undefined) return;
  if (field.unique) throw fail('default', 'a unique field cannot have a default');
  if (type === 'ref') throw fail('default', 'a ref cannot have a default');
  const fault = valueFault(field, field.default);
  if (fault !== undefined) throw fail('default', `the default ${fault}`);
}

/** Lengths are numbers. */
const lengthOnly = { type: 'int' } as const;

/**
 * @param field of a resource
 * @returns the least and the greatest value, or length, that it takes: its own, or that of its type
 */
export function boundsOf({ type, list, min, max }: Field): { least?: number | string; greatest?: number | string } {
  const length = lengths[type];
  const least = min ?? (list ? 0 : length && (type === 'text' ? 0 : 1));
  const greatest = max ?? (list ? mostItems : length?.default);
  return { ...(least === undefined ? {} : { least }), ...(greatest === undefined ? {} : { greatest }) };
}

/**
 * @param field of a resource
 * @param value a canonical value
 * @returns what is wrong with it, or undefined when the field takes it
 */
export function valueFault(field: Field, value: unknown): string | undefined {
  const { list, values, pattern: source } = field;
  const { least, greatest } = boundsOf(field);
  // The length of a text is counted in characters, as PostgreSQL and JSON Schema count it.
  const isList = Array.isArray(value);
  const size = isList ? value.length : isTextual(field.type) ? Array.from(String(value)).length : value;
  const measured = typeof size === 'number' || typeof size === 'string' ? size : undefined;
  const order = list || isTextual(field.type) ? lengthOnly : field;
  if (measured !== undefined && least !== undefined && compareValues(order, measured, least) < 0)
    return `is less than the minimum ${least}`;
  if (measured !== undefined && greatest !== undefined && compareValues(order, measured, greatest) > 0)
    return `is greater than the maximum ${greatest}`;
  for (const item of isList && list ? value : [value]) {
    if (values !== undefined && !values.includes(String(item))) return `is not one of ${values.join(', ')}`;
    if (source !== undefined && !new RegExp(source, 'u').test(String(item))) return 'does not match the pattern';
    if (field.type === 'decimal' && !fits(field, item)) return 'has more digits than the decimal';
    if (list && isTextual(field.type)) {
      // `min` and `max` of a list are about its length.
      const { min: _min, max: _max, ...ofItem } = field;
      const fault = valueFault({ ...ofItem, list: false }, item);
      if (fault !== undefined) return fault;
    }
  }
  return undefined;
}

function fits({ precision = 0, scale = 0 }: Field, value: unknown): boolean {
  if (typeof value !== 'string') return true;
  const [whole = '', part = ''] = value.replace('-', '').split('.');
  return part.length <= scale && (whole === '0' ? 0 : whole.length) <= precision - scale;
}

/**
 * @param field of a resource
 * @returns whether lists can be filtered by it
 */
export function isFilter({ type, list, unique, indexed, private: isPrivate }: Field): boolean {
  return !list && !isPrivate && (unique || indexed || type === 'ref' || type === 'enum');
}

/**
 * Prints a field in the canonical form of the manifest. Parsing the text gives the same field.
 * @param field of a resource
 * @returns its text without the name
 */
export function printField(field: Field): string {
  const { type, list, optional, min, max, pattern: source } = field;
  return [
    type + typeArguments(field) + (list ? '[]' : '') + (optional ? '?' : ''),
    ...marks.filter((mark) => field[mark]),
    ...(field.default === undefined ? [] : [`default(${printValue(field)})`]),
    ...(min === undefined ? [] : [`min(${min})`]),
    ...(max === undefined ? [] : [`max(${max})`]),
    ...(source === undefined ? [] : [`pattern(${source})`]),
  ].join(':');
}

function typeArguments({ values, target: name, precision, scale }: Field): string {
  if (values !== undefined) return `(${values.join(',')})`;
  if (name !== undefined) return `(${name})`;
  if (precision === undefined || (precision === defaultPrecision && scale === defaultScale)) return '';
  return `(${precision},${scale})`;
}

function printValue({ type, list, default: value }: Field): string {
  if (list || type === 'json') return asciiControls(JSON.stringify(value));
  const text = String(value);
  return isTextual(type) && !isPlainText(text) ? asciiControls(JSON.stringify(text)) : text;
}

/** Whether a text can stand in parentheses without quotes. */
function isPlainText(text: string): boolean {
  if (text.startsWith('"') || /[\p{Cc}\u2028\u2029]/u.test(text)) return false;
  let depth = 0;
  for (const char of text) {
    if (char === '(') depth += 1;
    if (char === ')') depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0;
}

/** JSON leaves some control characters as they are. */
function asciiControls(json: string): string {
  return json.replaceAll(/[\p{Cc}\u2028\u2029]/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
