import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { SlipwayError } from '../../../../../generators/engine/errors.ts';
import { fromSql } from '../../../../../generators/engine/resources/from/sql.ts';
import { cpuTimeOf, faultsOf } from './measures.ts';

const shop = readFileSync(new URL('shop.sql', import.meta.url), 'utf8');

describe('a dump of PostgreSQL', () => {
  const { found, left } = fromSql(shop);

  test('gives a resource for each table with a key of one column', () => {
    expect(Object.fromEntries(found.map(({ plural, fields }) => [plural, fields]))).toEqual({
      customers: { email: 'string:unique:max(640)', name: 'string:min(2):max(120)', country: 'string?' },
      orders: {
        customer: 'ref(customer)',
        status: 'enum(created,confirmed,shipped):default(created)',
        channel: 'enum(web,shop)',
        currency: 'string:default(EUR):max(3)',
        tags: 'text[]:default([])',
        meta: 'json?:default({"gift":false})',
        paid: 'boolean:default(false)',
        placedAt: 'datetime?:indexed',
        due: 'date?',
      },
      'order-lines': {
        order: 'ref(order)',
        replaces: 'uuid?',
        sku: 'string:max(40)',
        quantity: 'int:default(1):min(1)',
        price: 'decimal(12,2):min(0.01)',
      },
      countries: { code: 'string:unique:max(2)', name: 'text' },
    });
  });

  test('gives resources that a manifest can have', () => {
    expect(faultsOf({ found, left })).toEqual([]);
  });

  test('lists what is not taken over, with its place', () => {
    expect(left).toEqual([
      'view open_orders: it is not taken over',
      'trigger touch: it is not taken over',
      'table carts: its key has several columns: a, b',
      'table audit: it has no primary key',
      'table news: the plural of "news" is the same word; create it with --plural',
    ]);
    expect(Object.fromEntries(found.map((one) => [one.name, one.left]))).toEqual({
      customer: [
        'customers: the unique index customers_lower is not of one whole column',
        'customers.email: texts that differ in case are not equal in a field',
        'customers.email: a text with an index has at most 640 characters',
        'customers.country: it is a string, not an enum: "DE" is no value of an enum',
      ],
      order: [
        'orders: index orders_open is not of one whole column',
        'orders: check ((due > placed_at)) is not taken over',
        'orders.placed_at: it has no time zone; its times are taken as UTC',
        'orders.number: "number" is a reserved word of TypeScript',
      ],
      'order-line': [
        "order_lines: check (((sku)::text ~ '^[A-Z]+$'::text)) is not taken over",
        'order_lines: unique (order_id, sku) is not taken over',
        'order_lines.id: the key of a resource is "id", a UUID',
        'order_lines.replaces: it refers to parts, which is not here',
        'order_lines.total: the database computes it',
        'order_lines.weight: there is no field for the type double precision',
      ],
      country: ['countries.code: the key of a resource is a UUID; this column becomes a unique field'],
    });
  });
});

/** The field that a column becomes. */
function fieldOf(column: string, more = ''): string | undefined {
  return fromSql(`create table things (id uuid primary key, ${column}); ${more}`).found[0]?.fields['a'];
}

test.each([
  ['a varchar(40) not null', 'string:max(40)'],
  ['a character varying(40)[] not null', 'string[]'],
  ['a text not null unique', 'string:unique:max(640)'],
  ['a text', 'text?'],
  ['a smallint not null', 'int'],
  ['a serial not null', 'int'],
  ['a int8 not null check (a >= 0)', 'bigint:min(0)'],
  ['a numeric(6) not null', 'decimal(6,0)'],
  ['a numeric(6,2) not null check (a > 0 and a < 10)', 'decimal(6,2):min(0.01):max(9.99)'],
  ['a numeric(6,2) not null check (a >= -1.50)', 'decimal(6,2):min(-1.5)'],
  ['a int not null check (1 <= a and 10 > a)', 'int:min(1):max(9)'],
  ['a int not null check (a between 1 and 9)', 'int:min(1):max(9)'],
  ['a int check (a is null or a > 0)', 'int?:min(1)'],
  ["a date not null check (a >= '2020-01-01'::date)", 'date:min(2020-01-01)'],
  ["a text not null check (a in ('x', 'y'))", 'enum(x,y)'],
  [
    "a varchar(9) not null default 'x' check (a::text = any (array['x'::varchar, 'y'::varchar]::text[]))",
    'enum(x,y):default(x)',
  ],
  ["a text not null check (char_length(a) between 2 and 40 and a <> '')", 'string:min(2):max(40)'],
  ['a text not null check (length(a) <= 200)', 'string:min(0):max(200)'],
  ['a text[] not null check (cardinality(a) <= 5)', 'text[]:max(5)'],
  ['a int[] not null default array[1, 2]', 'int[]:default([1,2])'],
  ["a text not null default 'it''s'", "text:default(it's)"],
  ["a text not null default e'a\\nb'", 'text:default("a\\nb")'],
  ['a timestamp with time zone not null', 'datetime'],
  ['a time not null', undefined],
  ['a int generated always as (1 + 1) stored', undefined],
  ['"A" /* a /* nested */ comment */ boolean not null default true -- why', 'boolean:default(true)'],
  ['a uuid not null references things', 'ref(thing)?'],
  ['a uuid references things (id) on delete set null', 'ref(thing)?'],
  ['a uuid not null references others', 'uuid'],
  ['a jsonb not null default \'{"b": [1]}\'', 'json:default({"b":[1]})'],
])('%s becomes %s', (column, text) => {
  expect(fieldOf(column)).toBe(text);
});

test.each([
  ['alter table things rename column b to a', 'b int not null', 'int'],
  ['alter table only things alter column a set not null, alter a set default 7', 'a int', 'int:default(7)'],
  ['alter table things drop column a', 'a int, b int', undefined],
  ["alter type kind add value 'c' before 'b'", 'a kind not null', 'enum(a,c,b)'],
  ['create index on things (a)', 'a int not null', 'int:indexed'],
  ['create index on things using gin (a)', 'a jsonb not null', 'json'],
  ['alter table things add constraint u unique (a)', 'a int not null', 'int:unique'],
])('%s changes the field', (statement, column, text) => {
  const { found } = fromSql(
    `create type kind as enum ('a', 'b'); create table things (id uuid primary key, ${column}); ${statement};`,
  );
  expect(found[0]?.fields['a']).toBe(text);
});

test.each([
  ['peoples', '"people" is a plural'],
  ['news', 'the plural of "news" is the same word; create it with --plural'],
  ['classes', '"class" is a reserved word of TypeScript'],
  ['"größen"', 'use words of lower-case letters and digits with single hyphens, such as "order-line"'],
])('a table %s is listed', (name, why) => {
  const { found, left } = fromSql(`create table ${name} (id uuid primary key, a int);`);
  expect(found).toEqual([]);
  expect(left).toEqual([`table ${name.replaceAll('"', '')}: ${why}`]);
});

test.each([
  ["create table a (b text default 'x", 1, "the text after ' does not end"],
  ['select 1;\n/* never', 2, 'the comment does not end'],
  ['create table `orders` (id int);', 1, '"`" is not expected here'],
  ['select $a$ $b$', 1, 'the text after $a$ does not end'],
])('%s is one error with its line', (text, line, message) => {
  expect(() => fromSql(text)).toThrow(`line ${line} of the SQL: ${message}`);
});

/** Reads a text. Every error but one for the user, and every resource that a manifest cannot have, fails the test. */
function tried(text: string): void {
  try {
    expect(faultsOf(fromSql(text))).toEqual([]);
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
  }
}

test('any text is read or is an error for the user', () => {
  const words = shop.split(/\b/).filter((word) => word.trim() !== '');
  const cut = fc
    .nat(shop.length)
    .chain((from) => fc.nat(400).map((length) => shop.slice(0, from) + shop.slice(from + length)));
  const mixed = fc.array(fc.constantFrom(...words, '(', ')', "'", '"', ';', '[', ']'), { maxLength: 60 });
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        cut,
        mixed.map((all) => `create table orders (id uuid primary key, ${all.join(' ')}`),
      ),
      tried,
    ),
  );
}, 60_000);

test.each([
  [
    'parentheses',
    `create table a (id uuid primary key, b int check (${'('.repeat(200_000)}b > 1${')'.repeat(200_000)}))`,
  ],
  ['conditions', `create table a (id uuid primary key, b int check (${'b > 1 and '.repeat(50_000)} b > 1))`],
  ['comments', '/*'.repeat(2_000_000)],
  [
    'columns',
    `create table a (id uuid primary key, ${Array.from({ length: 10_000 }, (_, at) => `c${at} int`).join()})`,
  ],
  ['tables', Array.from({ length: 5000 }, (_, at) => `create table t${at} (id uuid primary key, a int);`).join('\n')],
  ['rows', `insert into a values ${"('it''s', 1),".repeat(200_000)}`],
  ['quotes', `select '${"''".repeat(1_000_000)}'`],
])(
  'many %s take little time',
  (_, text) => {
    expect(cpuTimeOf(() => fromSql(text))).toBeLessThan(10_000);
  },
  60_000,
);
