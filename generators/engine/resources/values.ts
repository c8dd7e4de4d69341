import { isObject } from '../json.ts';
import type { Field, FieldType } from '../model.ts';

/** What a value of each type looks like, for errors. */
export const expectations: Readonly<Record<FieldType, string>> = {
  string: 'a text',
  text: 'a text',
  email: 'an e-mail address, such as a@example.com',
  url: 'an absolute URL, such as https://example.com',
  int: 'a whole number between -9007199254740991 and 9007199254740991',
  bigint: 'a whole number of 64 bits',
  decimal: 'a decimal number, such as 9.95',
  boolean: 'true or false',
  date: 'a date, such as 2026-11-30',
  datetime: 'a time in UTC, such as 2026-11-30T12:00:00Z',
  uuid: 'a UUID, such as 0190a0c4-7a80-7cc3-98e2-0d8f4b2f7c11',
  json: 'JSON without the key "__proto__"',
  enum: 'one of the values of the enum',
  ref: 'nothing',
};

/**
 * Parses one value as it is written in the text of a field.
 * @param type the type of the field
 * @param text the value; a text may also be a JSON string
 * @returns the value in its canonical form in JSON; undefined when the text is no value of the type
 */
export function parseValue(type: FieldType, text: string): unknown {
  if (isTextual(type) && !text.startsWith('"')) return canonical(type, text);
  if (isTextual(type) || type === 'json') return canonical(type, parsed(text));
  if (type === 'int') return /^-?\d+$/.test(text) ? canonical(type, Number(text)) : undefined;
  if (type === 'boolean') return text === 'true' || (text === 'false' ? false : undefined);
  return canonical(type, text);
}

/**
 * Parses a list of values, which is written as JSON.
 * @param type the type of the items
 * @param text a JSON array
 * @returns the list with its items in their canonical form; undefined when it is none
 */
export function parseList(type: FieldType, text: string): unknown[] | undefined {
  const list = parsed(text);
  if (!Array.isArray(list)) return undefined;
  const items = list.map((item: unknown) => canonical(type, item));
  return items.includes(undefined) ? undefined : items;
}

/**
 * @param type of a field
 * @returns whether its values are written as they are, or as JSON strings
 */
export function isTextual(type: FieldType): boolean {
  return type === 'string' || type === 'text' || type === 'email' || type === 'url';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Returns a value of a type in its canonical form; undefined when it is none. */
function canonical(type: FieldType, value: unknown): unknown {
  if (type === 'json') return isPlain(value, 20) ? parsed(JSON.stringify(value)) : undefined;
  if (type === 'int') return Number.isSafeInteger(value) ? Number(value) + 0 : undefined;
  if (type === 'boolean') return typeof value === 'boolean' ? value : undefined;
  if (typeof value !== 'string' || !isStorable(value)) return undefined;
  const read = readers[type];
  return read === undefined ? value : read(value);
}

/** Reads a value that is a string in JSON. A type without an entry takes any text. */
const readers: Readonly<Partial<Record<FieldType, (text: string) => string | undefined>>> = {
  email: (text) => (/^[^\s@"<>]+@[^\s@"<>.]+(?:\.[^\s@"<>.]+)+$/.test(text) ? text : undefined),
  url: (text) => (/^https?:\/\/[!-~]+$/.test(text) && URL.canParse(text) ? text : undefined),
  bigint: (text) =>
    /^-?\d{1,19}$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text) ? String(BigInt(text)) : undefined,
  decimal: canonicalDecimal,
  date: (text) => (isDate(text) ? text : undefined),
  datetime: canonicalTime,
  uuid: (text) => (/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text) ? text.toLowerCase() : undefined),
};

/** PostgreSQL stores no NUL, and UTF-8 has no half of a surrogate pair. */
function isStorable(text: string): boolean {
  return !/\0|\p{Cs}/u.test(text);
}

/** JSON that a database can store and an object literal can hold. */
function isPlain(value: unknown, depth: number): boolean {
  if (value === undefined || depth === 0) return false;
  if (typeof value === 'string') return isStorable(value);
  if (Array.isArray(value)) return value.every((item) => isPlain(item, depth - 1));
  if (!isObject(value)) return typeof value !== 'number' || Number.isFinite(value);
  return Object.entries(value).every(
    ([key, item]) => key !== '__proto__' && isStorable(key) && isPlain(item, depth - 1),
  );
}

function canonicalDecimal(text: string): string | undefined {
  const [, sign = '', whole = '', part = ''] = /^(-?)(\d{1,40})(?:\.(\d{1,40}))?$/.exec(text) ?? [];
  if (whole === '') return undefined;
  const digits = [whole.replace(/^0+(?=\d)/, ''), part.replace(/0+$/, '')];
  const number = digits.filter((each) => each !== '').join('.');
  return number === '0' ? number : sign + number;
}

const commonYear = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** https://www.rfc-editor.org/rfc/rfc3339#section-5.6, `full-date`, from the year 1: PostgreSQL has no year 0. */
function isDate(text: string): boolean {
  const [, year = 0, month = 0, day = 0] = (/^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? []).map(Number);
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && isLeap ? 29 : (commonYear[month - 1] ?? 0);
  return year > 0 && day > 0 && day <= days;
}

/** https://www.rfc-editor.org/rfc/rfc3339#section-5.6, `date-time`, in UTC, with milliseconds. */
function canonicalTime(text: string): string | undefined {
  const [, date = '', time = '', part = ''] =
    /^(\d{4}-\d\d-\d\d)T((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d{1,3}))?Z$/.exec(text) ?? [];
  return isDate(date) ? `${date}T${time}.${part.padEnd(3, '0')}Z` : undefined;
}

/**
 * Compares two values of one type.
 * @param field whose values they are
 * @param a canonical value, or a length
 * @param b another
 * @returns a negative number, 0 or a positive number, as `a` is less than, equal to or greater than `b`
 */
export function compareValues({ type }: Pick<Field, 'type'>, a: number | string, b: number | string): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = type === 'bigint' || type === 'decimal' ? [scaled(String(a)), scaled(String(b))] : [a, b];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** A decimal as a whole number of 10⁻⁴⁰. */
function scaled(text: string): bigint {
  const [whole = '', part = ''] = text.split('.');
  return BigInt(whole + part.padEnd(40, '0'));
}
