import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { SlipwayError } from '../../../../../generators/engine/errors.ts';
import { fromProto } from '../../../../../generators/engine/resources/from/proto.ts';
import { faultsOf } from './measures.ts';

const library = readFileSync(new URL('library.proto', import.meta.url), 'utf8');

describe('a file of Protocol Buffers', () => {
  const { found, left } = fromProto(library);

  test('gives a resource for each message that a service creates or reads', () => {
    expect(Object.fromEntries(found.map(({ plural, fields }) => [plural, fields]))).toEqual({
      books: {
        title: 'string:min(1):max(120)',
        subtitle: 'string?',
        isbn: 'string:immutable',
        pages: 'int:min(1):max(9999)',
        copies: 'bigint',
        status: 'enum(on_shelf,lent)',
        tags: 'string[]:max(5)',
        publishedAt: 'datetime?',
        lentAt: 'datetime',
        shelfCode: 'string?',
        branch: 'string?',
        secret: 'string:private:max(64)',
        contact: 'email',
      },
      shelves: { name: 'string', kind: 'enum(other,fiction)' },
    });
  });

  test('lists what is not taken over, with its place', () => {
    expect(left).toEqual([]);
    expect(Object.fromEntries(found.map((one) => [one.name, one.left]))).toEqual({
      book: [
        'Book.subtitle: no length is given: it has at most 200 characters',
        'Book.isbn: the rule string.pattern is not taken over',
        'Book.isbn: no length is given: it has at most 200 characters',
        'Book.status: STATUS_UNSPECIFIED, STATUS_ON_SHELF, STATUS_LENT become on_shelf, lent',
        'Book.labels: there is no field for a map',
        'Book.author: there is no field for the type Author',
        'Book.rating: there is no field for the type double',
        'Book.cover: there is no field for the type bytes',
        'Book.shelf_code: that only one of location is set is not taken over',
        'Book.shelf_code: no length is given: it has at most 200 characters',
        'Book.branch: that only one of location is set is not taken over',
        'Book.branch: no length is given: it has at most 200 characters',
        'Book.loans: only the server sets it',
        'Book.price: there is no field for the type google.type.Money',
      ],
      shelf: [
        'Shelf.name: no length is given: it has at most 200 characters',
        'Shelf.kind: OTHER, FICTION become other, fiction',
      ],
    });
  });
});

test.each([
  [
    'syntax = "proto2"; message Pet { required bool id = 1; required bool a = 2; optional bool b = 3; }',
    { a: 'boolean', b: 'boolean?' },
  ],
  [
    'edition = "2023"; message Pet { string id = 1; bool a = 2; bool b = 3 [features.field_presence = IMPLICIT]; }',
    { a: 'boolean?', b: 'boolean' },
  ],
  [
    'syntax = "proto3"; message Pet { string id = 1; repeated int32 a = 2; google.protobuf.StringValue b = 3; }',
    { a: 'int[]', b: 'string?' },
  ],
])('without a service each message with an id is a resource: %s', (text, fields) => {
  expect(fromProto(text).found[0]?.fields).toEqual(fields);
});

test.each([
  ['syntax = "proto3";\nmessage Pet { string id 1; }', "illegal token '1', '=' expected (line 2)"],
  ['nothing of the kind', 'illegal token'],
  [`syntax = "proto3"; message A {${'message A {'.repeat(10_000)}`, 'max depth exceeded'],
  [
    `message A {${Array.from({ length: 50_000 }, (_, at) => `optional bool f${at} = ${at + 1};`).join('')}}`,
    'more than 1000 fields',
  ],
])('a fault is one error: %#', (text, message) => {
  expect(() => fromProto(text)).toThrow(message);
});

test('any text is read or is an error for the user', () => {
  const words = library.split(/(?<=\W)|(?=\W)/);
  const cut = fc
    .nat(library.length)
    .chain((from) => fc.nat(100).map((length) => library.slice(0, from) + library.slice(from + length)));
  const name = fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    'Pet',
    'string',
    'bool',
    'id',
    'import',
    'fields',
  );
  const message = fc
    .tuple(name, name, name, name)
    .map(
      ([a, b, c, d]) =>
        `message ${a} { ${b} ${c} = 1; repeated ${c} ${d} = 2; string id = 3; enum ${d} { ${a} = 0; } }`,
    );
  const mixed = fc
    .array(fc.constantFrom(...words), { maxLength: 40 })
    .map((all) => `syntax = "proto3"; message Pet { ${all.join('')} }`);
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), cut, message, mixed), (text) => {
      try {
        expect(faultsOf(fromProto(text))).toEqual([]);
      } catch (error) {
        if (!(error instanceof SlipwayError)) throw error;
      }
    }),
  );
}, 60_000);
