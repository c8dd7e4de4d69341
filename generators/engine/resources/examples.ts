import RandExp from 'randexp';
import type { Field, FieldType } from '../model.ts';
import { boundsOf, valueFault } from './fields.ts';
import { namesOf } from './names.ts';

const uuids = ['0190a0c4-7a80-7cc3-98e2-0d8f4b2f7c11', '0190a0c4-7a80-7cc3-98e2-0d8f4b2f7c12'];

/**
 * Finds values that a field takes. Documents and tests of a service use them.
 * @param field of a resource
 * @returns up to two different values in JSON; none when no value of a pattern is found
 */
export function examplesOf(field: Field): readonly unknown[] {
  const { list } = field;
  if (!list) return valid(field, candidatesOf(field));
  const { min: _min, max: _max, default: _default, ...ofItem } = field;
  const item: Field = { ...ofItem, list: false };
  const items = valid(item, candidatesOf(item));
  const [least, greatest] = lengthsOf(field);
  const sizes = [Math.max(least, Math.min(2, greatest)), Math.max(least, Math.min(1, greatest)), least, greatest];
  const lists = sizes.map((size) => Array.from({ length: size }, (_, index) => items[index % items.length]));
  return items.length === 0 && least > 0
    ? []
    : valid(
        field,
        lists.filter((one) => !one.includes(undefined)),
      );
}

function valid(field: Field, candidates: readonly unknown[]): unknown[] {
  const given = field.default === undefined ? [] : [field.default];
  const found = new Map<string, unknown>();
  for (const value of [...candidates, ...given]) {
    if (found.size === 2) break;
    if (valueFault(field, value) === undefined) found.set(JSON.stringify(value), value);
  }
  return [...found.values()];
}

function lengthsOf(field: Field): [number, number] {
  const { least = 0, greatest = 0 } = boundsOf(field);
  return [Number(least), Number(greatest)];
}

function candidatesOf(field: Field): readonly unknown[] {
  const { least, greatest } = boundsOf(field);
  const ends = [least, greatest].filter((end) => end !== undefined);
  return field.pattern === undefined ? candidates[field.type](field, ends) : matching(field.pattern);
}

/** Values of each type that a field without limits takes, and values at its limits. */
const candidates: Readonly<
  Record<FieldType, (field: Field, ends: readonly (number | string)[]) => readonly unknown[]>
> = {
  string: texts,
  text: texts,
  email: texts,
  url: texts,
  int: (_, ends) => [3, 4, ...ends, ...ends.flatMap((end) => [Number(end) + 1, Number(end) - 1])],
  bigint: (_, ends) => [
    '3',
    '4',
    ...ends,
    ...ends.flatMap((end) => [1n, -1n].map((step) => wrapped(BigInt(end) + step))),
  ],
  decimal: (_, ends) => ['9.95', '12.5', '3', '4', '0.5', '0.25', ...ends, '0'],
  boolean: () => [true, false],
  date: (_, ends) => ['2026-11-30', '2026-12-01', ...ends],
  datetime: (_, ends) => ['2026-11-30T12:00:00.000Z', '2026-12-01T12:00:00.000Z', ...ends],
  uuid: () => uuids,
  json: () => [{ note: 'first' }, { note: 'second' }],
  enum: ({ values = [] }) => values,
  ref: () => uuids,
};

/** Beyond 64 bits a number is the other end of the range, which the limit excludes. */
function wrapped(value: bigint): string {
  return String(BigInt.asIntN(64, value));
}

/** Texts that name the field, as long as it asks for. */
function texts(field: Field): string[] {
  const [least, greatest] = lengthsOf(field);
  const { words, kebab } = namesOf(field.name);
  const padded = (text: string, before: string, after: string): string => {
    const space = Math.max(0, least - before.length - text.length - after.length);
    return before + text + 'a'.repeat(space) + after;
  };
  const marks = ['1', '2'];
  if (field.type === 'email')
    return [
      ...marks.map((mark) => padded(`${kebab}${mark}`, '', '@example.com')),
      ...marks.map((mark) => `${mark}@a.io`),
    ];
  if (field.type === 'url')
    return [
      ...marks.map((mark) => padded(`${kebab}${mark}`, 'https://example.com/', '')),
      'http://a.io',
      'http://b.io',
    ];
  return marks.map((mark) =>
    greatest < words.length + 2 ? mark.repeat(Math.max(1, least)) : padded(`${words} ${mark}`, '', ''),
  );
}

/** The longest text that is made for a pattern. */
const mostRepeats = 1000;

/** Texts that a pattern probably matches. */
function matching(pattern: string): string[] {
  const repeats = [...pattern.matchAll(/\d+/g)].reduce((product, [digits]) => product * Math.max(1, Number(digits)), 1);
  if (repeats > mostRepeats) return [];
  try {
    return Array.from({ length: 12 }, (_, step) => {
      const generator = new RandExp(pattern);
      generator.max = step + 1;
      // Of each range and of each repeat, one is chosen; the class is random without this.
      generator.randInt = (from, to) => Math.min(from + step, to);
      return generator.gen();
    });
  } catch {
    // The library does not know all of today's syntax.
    return [];
  }
}
