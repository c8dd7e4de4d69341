/** For every test file (vitest's `setupFiles`): a test fails when the API replies what its contract does not say. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { afterAll, afterEach } from 'vitest';
import { problems } from '../../internal/platform/http/problems.ts';
import { describedSchema } from '../../internal/platform/openapi/describe.ts';
import { type JsonObject, isObject, objectOf } from '../../scripts/openapi/print.ts';

const breaches: string[] = [];

/** Watches the replies of a server. Before all other hooks: compression leaves a stream as the body. */
function onServer(message: unknown): void {
  if (!isInitialization(message)) return;
  const { fastify: server } = message;
  server.addHook('onSend', (request, reply, payload, done) => {
    const { statusCode } = reply;
    done();
    // The reply could not be sent: the error that replaces it is reported.
    if (statusCode < 500 && reply.statusCode >= 500) return;
    // The admin port is in no contract.
    if (!server.hasDecorator('chain')) return;
    const breach = breachOf(request, reply, payload);
    if (breach === undefined) return;
    breaches.push(`${request.method} ${request.routeOptions.url} answers ${reply.statusCode}: ${breach}`);
  });
}

function isInitialization(message: unknown): message is { fastify: FastifyInstance } {
  return isObject(message) && 'fastify' in message;
}

/** Compares with what the route says in the contract: `api/openapi.test.ts` compares this with the committed contract. */
function breachOf(request: FastifyRequest, reply: FastifyReply, payload: unknown): string | undefined {
  const { statusCode: status } = reply;
  // The client has the content already (RFC 9110, 15.4.5). Every GET can be conditional.
  if (status === 304) return undefined;
  const { hide, operationId, response } = objectOf(describedSchema(request.routeOptions, {}));
  // A test's own route has no `operationId`. It is in no contract, but an error is a problem everywhere.
  const isDescribed = operationId !== undefined && hide !== true;
  if (!isDescribed && status < 400) return undefined;
  const responses = objectOf(isDescribed ? response : problems);
  // `default` stands for errors only.
  const names = [String(status), `${Math.floor(status / 100)}xx`, ...(status < 400 ? [] : ['default'])];
  // Fastify takes `2xx` and `2XX`.
  const [name] = names.flatMap((each) => Object.keys(responses).filter((known) => known.toLowerCase() === each));
  if (name === undefined) return 'the contract has no such status';
  if (request.method === 'HEAD') return undefined;

  // Fastify sends no content with 204, whatever the handler returns.
  const body = status === 204 ? '' : textOf(payload);
  const content = contentOf(objectOf(responses[name]));
  const types = Object.keys(content);
  if (body === undefined) return undefined;
  if (types.length === 0) return body === '' ? undefined : 'by the contract it has no body';
  const [type = ''] = String(reply.getHeader('content-type')).split(';', 1);
  if (!types.includes(type)) return `by the contract it is ${types.join(' or ')}, not "${type}"`;
  if (!type.endsWith('json')) return undefined;
  const validate = request.compileValidationSchema(objectOf(objectOf(content[type])['schema']), 'body');
  if (validate(parsed(body))) return undefined;
  const faults = validate.errors?.map(({ instancePath, message }) => `${instancePath} ${message}`.trimStart());
  return `its body is not what the contract says: ${faults?.join(', ')}`;
}

/** By media type, as `@fastify/swagger` describes the schema of a reply. */
function contentOf(schema: JsonObject): JsonObject {
  if (schema['type'] === 'null') return {};
  return 'content' in schema ? objectOf(schema['content']) : { 'application/json': { schema } };
}

/** @returns the text of a body; undefined for a stream */
function textOf(payload: unknown): string | undefined {
  if (typeof payload === 'string' || Buffer.isBuffer(payload)) return payload.toString();
  return payload === null || payload === undefined ? '' : undefined;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

// The files of a worker share its globals, and this file runs for each of them.
subscribe('fastify.initialization', onServer);
afterAll(() => void unsubscribe('fastify.initialization', onServer));

afterEach(() => {
  const found = takeBreaches();
  if (found.length > 0) throw new Error(`The contract does not say so:\n${found.join('\n')}`);
});

/** @returns the breaches of the contract since the last call */
export function takeBreaches(): string[] {
  return breaches.splice(0);
}
