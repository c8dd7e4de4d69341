import { describe, expect, it } from 'vitest';
import { printClient } from './client.ts';
import { printDocument } from './document.ts';
import { typeName, typeOf } from './types.ts';

describe('a schema as a type', () => {
  it.each<[unknown, string]>([
    [true, 'unknown'],
    [false, 'never'],
    [{}, 'unknown'],
    [{ type: 'string', format: 'uuid', minLength: 3 }, 'string'],
    [{ type: 'integer' }, 'number'],
    [{ type: ['string', 'null'] }, 'string | null'],
    [{ type: 'planet' }, 'unknown'],
    [{ const: "it's" }, String.raw`'it\'s'`],
    [{ const: { a: [1, null] } }, '{ a: [1, null] }'],
    [{ type: 'string', enum: ['a', 'b\n"c"'] }, String.raw`'a' | 'b\n"c"'`],
    [{ $ref: '#/components/schemas/Item' }, 'Item'],
    [{ $ref: '#/components/schemas/a.b-c%20d' }, 'a_b_c_d'],
    [{ $ref: '#/elsewhere' }, 'unknown'],
    [{ $ref: '#/components/schemas/Item', description: 'one' }, 'Item'],
    [{ type: 'array', items: { type: 'string' } }, 'string[]'],
    [{ type: 'array', items: { type: ['string', 'null'] } }, '(string | null)[]'],
    [{ type: 'array' }, 'unknown[]'],
    [{ type: 'array', prefixItems: [{ type: 'string' }], items: false }, '[string]'],
    [{ type: 'array', prefixItems: [{ type: 'string' }], items: { type: 'null' } }, '[string, ...null[]]'],
    [{ anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'integer' }] }, 'string | number'],
    [{ oneOf: [{ type: 'string' }, {}] }, 'unknown'],
    [{ allOf: [{ $ref: '#/components/schemas/A' }, { type: ['string', 'null'] }] }, 'A & (string | null)'],
    [{ $ref: '#/components/schemas/A', anyOf: [{ const: 1 }, { const: 2 }] }, 'A & (1 | 2)'],
    [{ type: 'object', additionalProperties: { type: 'string' } }, '{\n  [name: string]: string;\n}'],
    [{ type: 'object', patternProperties: { '^a': { type: 'string' } } }, '{\n  [name: string]: string;\n}'],
    [{ type: 'object', additionalProperties: false }, '{\n  [name: string]: never;\n}'],
    [{ properties: { a: {} }, required: ['a'] }, '{\n  a: unknown;\n}'],
    [
      {
        type: 'object',
        properties: { 'a-b': { type: 'null', description: 'Not */ here' } },
        additionalProperties: true,
      },
      "{\n  /** Not *\\/ here */\n  'a-b'?: null;\n  [name: string]: unknown;\n}",
    ],
    [
      { type: 'object', properties: { a: { type: 'object', properties: { b: { type: 'string' } } } } },
      '{\n  a?: {\n    b?: string;\n  };\n}',
    ],
  ])('%j', (schema, type) => {
    expect(typeOf(schema)).toBe(type);
  });

  it.each([
    ['Item', 'Item'],
    ['2D', '_2D'],
    ['Operations', 'Operations_'],
    ['default', 'default_'],
    ['string', 'string_'],
  ])('called %s is called %s', (name, type) => {
    expect(typeName(name)).toBe(type);
  });
});

const json = (schema: object) => ({ content: { 'application/json': { schema } } });
const document = {
  paths: {
    '/a/{id}': {
      parameters: [{ $ref: '#/components/parameters/Id' }, { name: 'page', in: 'query', schema: { type: 'string' } }],
      put: {
        operationId: 'put-a',
        deprecated: true,
        parameters: [
          { name: 'page', in: 'query', required: true, schema: { type: 'integer' } },
          { name: 'Idempotency-Key', in: 'header', schema: { type: 'string' } },
          { name: 'session', in: 'cookie', schema: { type: 'string' } },
        ],
        requestBody: { $ref: '#/components/requestBodies/A' },
        responses: {
          200: json({ type: 'string' }),
          204: { description: 'Nothing' },
          '2XX': { content: { 'text/csv': {} } },
          302: {},
          default: json({ type: 'null' }),
        },
      },
      get: { operationId: 'getA', responses: { 200: { content: { 'image/png': {} } } } },
      patch: {
        operationId: 'patchA',
        responses: {
          200: {
            content: {
              'application/json': { schema: { type: 'string' } },
              'application/hal+json': { schema: { type: 'null' } },
              'text/csv': {},
            },
          },
          201: {
            content: { 'text/csv': {}, 'application/json': {}, 'application/hal+json': { schema: { const: 1 } } },
          },
        },
      },
      delete: { responses: { 204: {} } },
    },
    '/b': { post: { operationId: 'postB', requestBody: { content: { 'text/plain': {} } }, responses: {} } },
    '/c': { $ref: '#/nowhere' },
  },
  components: {
    parameters: { Id: { name: 'id', in: 'path', required: true, schema: { type: 'string' }, description: 'Of A' } },
    requestBodies: { A: { required: true, ...json({ $ref: '#/components/schemas/A' }) } },
    schemas: { A: { description: 'An a\nof two lines', type: 'object', properties: { b: { type: 'string' } } } },
  },
};

it('a contract is printed as types, and a table of where operations are', () => {
  expect(printClient(document)).toBe(`// Printed from api/openapi.json by \`npm run openapi\`: not to be edited.

/**
 * An a
 * of two lines
 */
export type A = {
  b?: string;
};

/** What each operation is sent, and what it answers. */
export type Operations = {
  /** @deprecated */
  'put-a': {
    request: {
      path: {
        /** Of A */
        id: string;
      };
      query: {
        page: number;
      };
      headers?: {
        'Idempotency-Key'?: string | undefined;
      };
      body: A;
    };
    reply: { status: 200; body: string } | { status: 204; body: undefined } | { status: number; body: string };
  };
  getA: {
    request: {
      path: {
        /** Of A */
        id: string;
      };
      query?: {
        page?: string | undefined;
      };
    };
    reply: { status: 200; body: globalThis.Blob };
  };
  patchA: {
    request: {
      path: {
        /** Of A */
        id: string;
      };
      query?: {
        page?: string | undefined;
      };
    };
    reply: { status: 200; body: string } | { status: 201; body: unknown };
    alternatives: {
      'application/hal+json': { status: 200; body: null } | { status: 201; body: 1 };
    };
  };
  postB: {
    request: {
      body?: string;
    };
    reply: never;
  };
};

/** Where each operation is found. */
export const operations = {
  'put-a': { method: 'PUT', path: '/a/{id}', mediaType: 'application/json', takesIdempotencyKey: true },
  getA: { method: 'GET', path: '/a/{id}' },
  patchA: { method: 'PATCH', path: '/a/{id}' },
  postB: { method: 'POST', path: '/b', mediaType: 'text/plain' },
} as const;
`);
});

it.each([
  {},
  null,
  [[]],
  { paths: { '/a': { get: { operationId: 'a', parameters: [{ $ref: '#/a' }] } } }, a: { $ref: '#/a' } },
])('a contract that says little, %j, is printed all the same', (odd) => {
  expect(printClient(odd)).toContain('export const operations = {');
});

it('a document is printed in one order, whatever the order of its routes', () => {
  const [a, b] = [{ get: {} }, { post: {} }];
  const one = { paths: { '/b': b, '/a': a }, components: { schemas: { B: b, A: a } }, openapi: '3.1.0' };
  const other = { openapi: '3.1.0', components: { schemas: { A: a, B: b } }, paths: { '/a': a, '/b': b } };
  expect(printDocument(one)).toBe(printDocument(other));
  expect(Object.keys(JSON.parse(printDocument(one)))).toEqual(['openapi', 'paths', 'components']);
});
