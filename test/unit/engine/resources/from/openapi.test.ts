import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import { SlipwayError } from '../../../../../generators/engine/errors.ts';
import { fromOpenapi } from '../../../../../generators/engine/resources/from/openapi.ts';
import { cpuTimeOf, faultsOf } from './measures.ts';

const issues = readFileSync(new URL('issues.yaml', import.meta.url), 'utf8');

describe('a description of an API', () => {
  const { found, left } = fromOpenapi(issues);

  test('gives a resource for each path of items that can be read', () => {
    expect(Object.fromEntries(found.map(({ plural, fields }) => [plural, fields]))).toEqual({
      issues: {
        title: 'string:min(1):max(256)',
        body: 'text?:max(65536)',
        assignees: 'string[]?:max(10)',
        labels: 'json?:immutable',
        milestone: 'int?:min(1)',
        state: 'enum(open,closed):default(open)',
        template: 'string?:immutable:private:max(80)',
      },
      gists: {
        description: 'string:max(100):pattern(^[^<>]*$)',
        stars: 'int:min(0):max(999)',
        size: 'bigint',
        price: 'decimal:min(0.0001)',
        owner: 'email?',
        forks: 'json?',
        comments: 'json?',
      },
    });
  });

  test('lists what is not taken over, with its place', () => {
    expect(left).toEqual([
      'path /users/{username}: it returns no object with properties',
      '"users.yaml#/user" is in another file, which is not read',
    ]);
    expect(Object.fromEntries(found.map((one) => [one.name, one.left]))).toEqual({
      issue: [
        'issues: POST /repos/{owner}/{repo}/issues/{issue_number}/lock is not taken over; actions come from --states',
        'issues.url: only the server sets it',
        'issues.parent: only the server sets it',
        'issues.number: only the server sets it',
        'issues.assignees: the limits of its items are not taken over',
        'issues.labels: this list is any JSON: no field says more',
      ],
      gist: [
        'gists.id: the key of a resource is a UUID',
        'gists.size: a bigint is a string in JSON, where this is a number',
        'gists.price: a decimal is a string in JSON, where this is a number',
        'gists.forks: it is any JSON: no field says more',
        'gists.comments: this list is any JSON: no field says more',
        'gists.public: "public" is a reserved word of TypeScript',
      ],
    });
  });

  test('may be JSON', () => {
    expect(fromOpenapi(JSON.stringify(parse(issues)))).toEqual({ found, left });
  });
});

test('Swagger 2.0 is read', () => {
  const pet = { $ref: '#/definitions/Pet' };
  const { found } = fromOpenapi(
    JSON.stringify({
      swagger: '2.0',
      paths: {
        '/pets': { post: { parameters: [{ in: 'body', name: 'pet', schema: pet }] } },
        '/pets/{id}': { get: { responses: { 200: { description: 'OK', schema: pet } } } },
      },
      definitions: {
        Pet: {
          required: ['name'],
          properties: { name: { type: 'string', maxLength: 9 }, born: { type: 'string', format: 'date' } },
        },
      },
    }),
  );
  expect(found).toEqual([{ name: 'pet', plural: 'pets', fields: { name: 'string:max(9)', born: 'date?' }, left: [] }]);
});

test('without paths each schema with an id is a resource', () => {
  const schemas = {
    OrderLine: {
      required: ['id', 'sku'],
      properties: { id: { type: 'string', format: 'uuid' }, sku: { type: 'string', enum: ['a', 'b'] } },
    },
    Problem: { properties: { title: { type: 'string' } } },
  };
  expect(fromOpenapi(JSON.stringify({ openapi: '3.1.0', components: { schemas } })).found).toEqual([
    { name: 'order-line', plural: 'order-lines', fields: { sku: 'enum(a,b)' }, left: [] },
  ]);
});

test.each([
  ['', 'this is no description of an API'],
  ['openapi: 1.2', 'this is no description of an API'],
  ['[1]', 'this is no description of an API'],
  ['openapi: 3.1.0\n  a: [', 'this is neither JSON nor YAML'],
  ['openapi: 3.1.0\na: &a [*a]', 'this is neither JSON nor YAML'],
])('%j is one error', (text, message) => {
  expect(() => fromOpenapi(text)).toThrow(message);
});

function tried(text: string): void {
  try {
    expect(faultsOf(fromOpenapi(text))).toEqual([]);
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
  }
}

test('any text, and any JSON in the place of a part, is read or is an error for the user', () => {
  const cut = fc
    .nat(issues.length)
    .chain((from) => fc.nat(100).map((length) => issues.slice(0, from) + issues.slice(from + length)));
  const keys = [
    'type',
    'format',
    'properties',
    'required',
    'items',
    'allOf',
    'oneOf',
    'enum',
    'default',
    'minimum',
    'maxLength',
    '$ref',
    'a',
  ];
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(
        'string',
        'array',
        'integer',
        'object',
        '#/components/schemas/a',
        '#/paths',
        true,
        null,
        0.1,
        -1,
        1e300,
      ),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...keys), tie('value'), { maxKeys: 6 }),
    ),
  }));
  const around = value.map((schema) =>
    JSON.stringify({
      openapi: '3.1.0',
      paths: { '/as/{id}': { get: { responses: { 200: { content: { 'application/json': { schema } } } } } } },
      components: { schemas: { a: schema } },
    }),
  );
  fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), cut, around), tried));
}, 60_000);

/** Many paths with large schemas. */
function large(count: number): string {
  const properties = Object.fromEntries(
    Array.from({ length: 20 }, (_, at) => [`field${at}`, { type: 'string', maxLength: 100 }]),
  );
  const schemas = Object.fromEntries(
    Array.from({ length: count }, (_, at) => [`S${at}`, { type: 'object', properties }]),
  );
  const paths = Array.from({ length: count }, (_, at) => [
    `/things-${at}/{id}`,
    {
      get: {
        responses: { 200: { content: { 'application/json': { schema: { $ref: `#/components/schemas/S${at}` } } } } },
      },
    },
  ]);
  return JSON.stringify({ openapi: '3.1.0', paths: Object.fromEntries(paths), components: { schemas } });
}

test.each([
  ['5 MB of JSON', large(4500)],
  ['2 MB of YAML', `# YAML\n${large(1800)}`],
  ['deep JSON', `{"openapi":"3.1.0","a":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`],
  ['deep YAML', `openapi: 3.1.0\na: ${'['.repeat(20_000)}`],
  [
    'aliases of aliases',
    `openapi: 3.1.0\na0: &a0 x\n${Array.from({ length: 30 }, (_, at) => `a${at + 1}: &a${at + 1} [*a${at}, *a${at}]`).join('\n')}`,
  ],
])(
  '%s takes little time',
  (_, text) => {
    expect(cpuTimeOf(() => fromOpenapi(text))).toBeLessThan(20_000);
  },
  90_000,
);
