import { describe, expect, it } from 'vitest';
import { printDocument, printTypes, typeOf } from './print.ts';

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
    [{ const: { a: [1, null] } }, 'unknown'],
    [{ type: 'string', enum: ['a', 'b\n"c"'] }, String.raw`'a' | 'b\n"c"'`],
    [{ $ref: '#/components/schemas/Item' }, "components['schemas']['Item']"],
    [{ $ref: '#/components/schemas/a.b%20c' }, "components['schemas']['a.b c']"],
    [{ $ref: '#/elsewhere' }, 'unknown'],
    [{ $ref: '#/components/schemas/Item', description: 'one' }, "components['schemas']['Item']"],
    [{ type: 'array', items: { $ref: '#/components/schemas/A' } }, "components['schemas']['A'][]"],
    [{ type: 'array', items: { type: 'string' } }, 'string[]'],
    [{ type: 'array', items: { type: ['string', 'null'] } }, '(string | null)[]'],
    [{ type: 'array' }, 'unknown[]'],
    [{ type: 'array', prefixItems: [{ type: 'string' }], items: false }, '[string]'],
    [{ type: 'array', prefixItems: [{ type: 'string' }], items: { type: 'null' } }, '[string, ...null[]]'],
    [{ anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'integer' }] }, 'string | number'],
    [{ oneOf: [{ type: 'string' }, {}] }, 'unknown'],
    [
      { allOf: [{ $ref: '#/components/schemas/A' }, { type: ['string', 'null'] }] },
      "components['schemas']['A'] & (string | null)",
    ],
    [{ $ref: '#/components/schemas/A', anyOf: [{ const: 1 }, { const: 2 }] }, "components['schemas']['A'] & (1 | 2)"],
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
});

const json = (schema: object) => ({ content: { 'application/json': { schema } } });
const id = { name: 'id', in: 'path', required: true, schema: { type: 'string' }, description: 'Of A' };
const document = {
  paths: {
    '/a/{id}': {
      put: {
        operationId: 'put-a',
        deprecated: true,
        parameters: [
          id,
          { name: 'page', in: 'query', required: true, schema: { type: 'integer' } },
          { name: 'Idempotency-Key', in: 'header', schema: { type: 'string' } },
          { name: 'session', in: 'cookie', schema: { type: 'string' } },
        ],
        requestBody: { required: true, ...json({ $ref: '#/components/schemas/A' }) },
        responses: {
          200: json({ type: 'string' }),
          204: { description: 'Nothing' },
          '2XX': { content: { 'text/csv': {} } },
          302: {},
          default: json({ type: 'null' }),
        },
      },
      get: {
        operationId: 'getA',
        parameters: [id, { name: 'page', in: 'query', schema: { type: 'string' } }],
        responses: { 200: { content: { 'application/hal+json': { schema: { const: 1 } }, 'image/png': {} } } },
      },
      delete: { responses: { 204: {} } },
    },
    '/b': { post: { operationId: 'postB', requestBody: { content: { 'text/plain': {} } }, responses: {} } },
    '/c': { $ref: '#/nowhere' },
  },
  components: {
    schemas: { A: { description: 'An a\nof two lines', type: 'object', properties: { b: { type: 'string' } } } },
  },
};

it('a contract is printed as types', () => {
  expect(printTypes(document)).toBe(`// Printed from api/openapi.json by \`npm run openapi\`. Do not edit it.

export interface paths {
  '/a/{id}': {
    put: operations['put-a'];
    get: operations['getA'];
  };
  '/b': {
    post: operations['postB'];
  };
  '/c': {
  };
}

export interface components {
  schemas: {
    /**
     * An a
     * of two lines
     */
    A: {
      b?: string;
    };
  };
}

export interface operations {
  /** @deprecated */
  'put-a': {
    parameters: {
      query: {
        page: number;
      };
      header?: {
        'Idempotency-Key'?: string | undefined;
      };
      path: {
        /** Of A */
        id: string;
      };
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['A'];
      };
    };
    responses: {
      200: {
        headers: { [name: string]: unknown };
        content: {
          'application/json': string;
        };
      };
      204: {
        headers: { [name: string]: unknown };
        content?: never;
      };
      302: {
        headers: { [name: string]: unknown };
        content?: never;
      };
      '2XX': {
        headers: { [name: string]: unknown };
        content: {
          'text/csv': string;
        };
      };
      default: {
        headers: { [name: string]: unknown };
        content: {
          'application/json': null;
        };
      };
    };
  };
  getA: {
    parameters: {
      query?: {
        page?: string | undefined;
      };
      header?: never;
      path: {
        /** Of A */
        id: string;
      };
    };
    requestBody?: never;
    responses: {
      200: {
        headers: { [name: string]: unknown };
        content: {
          'application/hal+json': 1;
          'image/png': Blob;
        };
      };
    };
  };
  postB: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
    };
    requestBody?: {
      content: {
        'text/plain': string;
      };
    };
    responses: {
    };
  };
}
`);
});

it.each([
  {},
  null,
  [[]],
  { paths: { '/a': { get: { operationId: 'a', parameters: [{ $ref: '#/a' }] } } }, a: { $ref: '#/a' } },
])('a contract that says little, %j, is printed all the same', (odd) => {
  expect(printTypes(odd)).toContain('export interface paths {');
});

it('a document is printed in one order, whatever the order of its routes', () => {
  const [a, b] = [{ get: {} }, { post: {} }];
  const one = { paths: { '/b': b, '/a': a }, components: { schemas: { B: b, A: a } }, openapi: '3.1.0' };
  const other = { openapi: '3.1.0', components: { schemas: { A: a, B: b } }, paths: { '/a': a, '/b': b } };
  expect(printDocument(one)).toBe(printDocument(other));
  expect(Object.keys(JSON.parse(printDocument(one)))).toEqual(['openapi', 'paths', 'components']);
});
