import { Type } from 'typebox';
import { expect, it } from 'vitest';
import { noContent } from '../internal/platform/http/problems.ts';
import { Contract, type Exchange, unlistedHttp } from './support/contract.ts';
import { takeBreaches } from './setup/contract.ts';
import { testHttp } from './support/http.ts';

const thing = {
  type: 'object',
  required: ['id'],
  properties: { id: { type: 'string', format: 'uuid' } },
  additionalProperties: false,
};
const problem = { type: 'object', required: ['type', 'title', 'status'] };
const contract = new Contract({
  paths: {
    '/things/{id}': {
      get: {
        operationId: 'getThing',
        responses: {
          200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } } },
          204: {},
          default: { content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } },
        },
      },
    },
  },
  components: { schemas: { Thing: thing, Problem: problem } },
});

const kept: Exchange = {
  method: 'GET',
  route: '/things/:id',
  operationId: 'getThing',
  status: 200,
  contentType: 'application/json; charset=utf-8',
  body: '{"id":"0b9d6ea0-5a0e-4b9c-9f43-2d9b5a1f6a55"}',
};
const refused = {
  status: 404,
  contentType: 'application/problem+json',
  body: '{"type":"about:blank","title":"Not Found","status":404}',
};
const nowhere = { route: undefined, operationId: undefined };

it.each<[string, Partial<Exchange>]>([
  ['a documented reply', {}],
  ['an error, by default a problem', refused],
  ['a reply without a body', { status: 204, contentType: '', body: '' }],
  ['HEAD in place of GET', { method: 'HEAD', body: '' }],
  ['a body that nobody has seen', { body: undefined }],
  ['a route of no contract', { ...nowhere, status: 200, body: 'anything' }],
  ['an error where no route is', { ...nowhere, ...refused }],
])('the contract is kept by %s', (_, change) => {
  expect(contract.breach({ ...kept, ...change })).toBeUndefined();
});

it.each<[string, Partial<Exchange>, string]>([
  ['an operation it does not know', { operationId: 'dropThing' }, 'no such operation'],
  ['an operation elsewhere', { route: '/thing/:id' }, 'no such operation'],
  ['another method', { method: 'POST' }, 'no such operation'],
  ['a status it does not know', { status: 202 }, 'no such status'],
  ['another media type', { contentType: 'text/html' }, 'not "text/html"'],
  ['an error that is no problem', { ...refused, contentType: 'application/json' }, 'not "application/json"'],
  ['a problem that says too little', { ...refused, body: '{}' }, 'required'],
  ['a body where none is', { status: 204 }, 'no body'],
  ['no body where one is', { body: '' }, 'not what the contract says'],
  ['a member of another type', { body: '{"id":7}' }, '/id must be string'],
  ['a member of another format', { body: '{"id":"7"}' }, '/id must match format'],
  ['a member too many', { body: kept.body?.replace('{', '{"x":1,') ?? '' }, 'not what the contract says'],
  [
    'an error that is no problem, where no route is',
    { ...nowhere, ...refused, contentType: 'text/plain' },
    'problem+json',
  ],
])('the contract is broken by %s', (_, change, told) => {
  expect(contract.breach({ ...kept, ...change })).toContain(told);
});

it('replies are held against the contract in every test', async () => {
  const http = await testHttp();
  http.get('/planted', { schema: { operationId: 'planted' } }, () => 'planted');
  await http.inject('/planted');
  expect(takeBreaches()).toEqual([expect.stringContaining('GET /planted (planted) answers 200')]);
});

it('replies of a server whose routes are not listed are held against what it says of itself', async () => {
  const http = await unlistedHttp();
  http.get('/kept', { schema: { operationId: 'kept', response: { 200: { type: 'object' } } } }, () => ({}));
  const broken = { operationId: 'broken', response: { 200: { type: 'object' } } };
  http.get('/broken', { schema: broken }, (_request, reply) => reply.type('text/html').send('broken'));
  for (const url of ['/kept', '/broken']) await http.inject(url);
  expect(takeBreaches()).toEqual([expect.stringContaining('not "text/html"')]);
});

it('a reply without content is kept by each way to say so, for GET also when the client has the content already', async () => {
  const http = await unlistedHttp();
  const schemaOf = (operationId: string, response: object) => ({ schema: { operationId, response } });
  http.delete('/a', schemaOf('a', noContent), (_request, reply) => reply.code(204).send());
  http.delete('/b', schemaOf('b', noContent), async (_request, reply) => void reply.code(204));
  http.delete('/c', schemaOf('c', { 204: Type.Null() }), async (_request, reply) => {
    reply.code(204);
    return null;
  });
  http.get('/d', schemaOf('d', { 200: { type: 'object' } }), () => ({}));
  for (const url of ['/a', '/b', '/c']) expect((await http.inject({ method: 'DELETE', url })).statusCode).toBe(204);
  const headers = { 'if-none-match': '*' };
  for (const method of ['GET', 'HEAD'] as const)
    expect((await http.inject({ method, url: '/d', headers })).statusCode).toBe(304);
  expect(takeBreaches()).toEqual([]);
});
