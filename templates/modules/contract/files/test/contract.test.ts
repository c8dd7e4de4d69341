import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { expect, it } from 'vitest';
import { noContent, problems, ref } from '../internal/platform/http/problems.ts';
import { describeRoute } from '../internal/platform/openapi/describe.ts';
import { takeBreaches } from './setup/contract.ts';
import { testHttp } from './support/http.ts';

const Thing = Type.Object({ id: Type.String({ format: 'uuid' }) }, { $id: 'Thing', additionalProperties: false });
const response = { 200: ref(Thing), ...noContent, ...problems };
const described = { operationId: 'getThing', response };

const id = '0b9d6ea0-5a0e-4b9c-9f43-2d9b5a1f6a55';
const kept = { status: 200, type: 'application/json; charset=utf-8', body: `{"id":"${id}"}` };
const refused = {
  status: 404,
  type: 'application/problem+json',
  body: '{"type":"about:blank","title":"Not Found","status":404}',
};

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string | Readable;
}

/** @returns how a route with this schema breaks the contract when it sends the reply as it is */
async function breachesBy(reply: Partial<Reply>, schema: object = described, method: 'GET' | 'HEAD' = 'GET') {
  const http = await testHttp();
  http.addSchema(Thing);
  const { status, type, body } = { ...kept, ...reply };
  http.get('/things/:id', { schema }, (_request, answer: FastifyReply) =>
    answer
      .code(status)
      .type(type)
      .serializer((text: string) => text)
      .send(body),
  );
  await http.inject({ method, url: '/things/7' });
  await http.close();
  return takeBreaches();
}

it.each<[string, Partial<Reply>, object?]>([
  ['a documented reply', {}],
  ['an error, by default a problem', refused],
  ['a reply without content', { status: 204 }],
  ['a body that is a stream', { body: Readable.from(['{}']) }],
  ['a route of no contract', { body: 'anything' }, {}],
  ['a hidden route', { body: 'anything' }, { ...described, hide: true }],
  ['an error of a route of no contract', refused, {}],
])('the contract is kept by %s', async (_, reply, schema) => {
  expect(await breachesBy(reply, schema)).toEqual([]);
});

it.each<[string, Partial<Reply>, string, object?]>([
  ['a status it does not know', { status: 202 }, 'no such status'],
  ['another media type', { type: 'text/html' }, 'not "text/html"'],
  ['an error that is no problem', { ...refused, type: 'application/json' }, 'not "application/json"'],
  ['a problem that says too little', { ...refused, body: '{}' }, 'required'],
  ['a body where none is', { status: 200 }, 'no body', { ...described, response: { 200: Type.Null() } }],
  ['no body where one is', { body: '' }, 'not what the contract says'],
  ['a member of another type', { body: '{"id":7}' }, '/id must be string'],
  ['a member of another format', { body: '{"id":"7"}' }, '/id must match format'],
  ['a member too many', { body: `{"x":1,"id":"${id}"}` }, 'not what the contract says'],
  ['an error that is no problem, of a route of no contract', { ...refused, type: 'text/plain' }, 'problem+json', {}],
])('the contract is broken by %s', async (_, reply, fault, schema) => {
  expect(await breachesBy(reply, schema)).toEqual([expect.stringContaining(fault)]);
});

it('the contract is kept by HEAD in place of GET', async () => {
  expect(await breachesBy({ body: '' }, described, 'HEAD')).toEqual([]);
});

it('the problem where no route is keeps the contract', async () => {
  const http = await testHttp();
  expect((await http.inject('/nowhere')).statusCode).toBe(404);
  expect(takeBreaches()).toEqual([]);
});

it('what modules say of a route counts', async () => {
  const http = await testHttp();
  http.addHook('onRoute', (route) =>
    describeRoute(route, (schema) => ({ ...schema, response: { 200: { type: 'null', description: 'nothing' } } })),
  );
  http.get('/a', { schema: { operationId: 'a', response: { 200: { type: 'object' } } } }, () => ({}));
  await http.inject('/a');
  expect(takeBreaches()).toEqual(['GET /a answers 200: by the contract it has no body']);
});

it('a reply without content is kept by each way to say so, for GET also when the client has the content already', async () => {
  const http = await testHttp();
  const schemaOf = (operationId: string, replies: object) => ({ schema: { operationId, response: replies } });
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
