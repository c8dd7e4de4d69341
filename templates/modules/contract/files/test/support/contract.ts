import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { FastifyInstance } from 'fastify';
import { Compile } from 'typebox/schema';
import committed from '../../api/openapi.json' with { type: 'json' };
import type { Http } from '../../internal/platform/http/server.ts';
import { type JsonObject, isObject, objectOf } from '../../scripts/openapi/print.ts';

/** A reply of the API, and what it replies to. */
export interface Exchange {
  readonly method: string;
  /** As it was registered, `/items/:id`; undefined when no route was found. */
  readonly route: string | undefined;
  /** Of the route. A route without one, such as a test's own, is not in the contract. */
  readonly operationId: string | undefined;
  readonly status: number;
  /** The header Content-Type. */
  readonly contentType: string;
  /** Undefined for a stream. */
  readonly body: string | undefined;
}

/** What an error is where the contract has no operation. */
const problem = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };

/** An OpenAPI document that replies are checked against. */
export class Contract {
  readonly #paths: JsonObject;
  readonly #schemas: JsonObject;
  /** By the JSON of their schema. */
  readonly #validators = new Map<string, ReturnType<typeof Compile>>();

  /** @param document OpenAPI 3.1, as @fastify/swagger writes it: only schemas are referred to */
  constructor({ paths, components }: JsonObject) {
    this.#paths = objectOf(paths);
    // The schema of problems exists as soon as a route needs it.
    this.#schemas = { Problem: {}, ...objectOf(objectOf(components)['schemas']) };
  }

  /**
   * @param exchange a reply
   * @returns how it breaks the contract; undefined when it does not
   */
  breach(exchange: Exchange): string | undefined {
    const { operationId, method, route = '', status } = exchange;
    const breach = this.#breachOf(exchange);
    return breach && `${method} ${route} (${operationId ?? 'no operation'}) answers ${status}: ${breach}`;
  }

  #breachOf(exchange: Exchange): string | undefined {
    const { operationId, method, route = '', status } = exchange;
    if (operationId === undefined) return status < 400 ? undefined : this.#breachOfContent(problem, exchange);
    // The client has the reply already (RFC 9110, 15.4.5). Every GET can be conditional.
    if (status === 304) return undefined;
    const item = objectOf(this.#paths[route.replaceAll(/:(\w+)/g, '{$1}')]);
    const operation = objectOf(item[method === 'HEAD' ? 'get' : method.toLowerCase()]);
    if (operation['operationId'] !== operationId) return 'the contract has no such operation';
    const responses = objectOf(operation['responses']);
    // `default` stands for errors only.
    const names = [String(status), `${Math.floor(status / 100)}XX`, ...(status < 400 ? [] : ['default'])];
    const name = names.find((each) => Object.hasOwn(responses, each));
    if (name === undefined) return 'the contract has no such status';
    return this.#breachOfContent(objectOf(objectOf(responses[name])['content']), exchange);
  }

  #breachOfContent(content: JsonObject, { method, contentType, body }: Exchange): string | undefined {
    if (method === 'HEAD' || body === undefined) return undefined;
    const names = Object.keys(content);
    if (names.length === 0) return body === '' ? undefined : 'by the contract it has no body';
    const mediaType = contentType.replace(/\s*;.*/, '');
    if (!names.includes(mediaType)) return `by the contract it is ${names.join(' or ')}, not "${contentType}"`;
    return /\bjson$/.test(mediaType) ? this.#breachOfSchema(objectOf(content[mediaType])['schema'], body) : undefined;
  }

  #breachOfSchema(schema: unknown, body: string): string | undefined {
    const key = JSON.stringify(schema);
    // With the named schemas beside the schema, its references are found.
    const validator =
      this.#validators.get(key) ?? Compile({ components: { schemas: this.#schemas }, allOf: [objectOf(schema)] });
    this.#validators.set(key, validator);
    const value = parse(body);
    if (validator.Check(value)) return undefined;
    const faults = validator.Errors(value)[1].map((fault) => `${fault.instancePath} ${fault.message}`.trimStart());
    return `its body is not what the contract says: ${faults.join(', ')}`;
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

const contract = new Contract(committed);
/** Servers whose routes `api/openapi.json` does not list. Each has a contract of its own when it is ready. */
const unlisted = new WeakMap<object, Contract | undefined>();

/**
 * @returns a server for routes that `api/openapi.json` does not list, such as those of an example: their replies are checked against
 * the server's own description
 */
export async function unlistedHttp(): Promise<Http> {
  const [{ describeApi }, { testHttp }] = await Promise.all([
    import('../../internal/platform/contract/module.ts'),
    import('./http.ts'),
  ]);
  const http = await testHttp();
  await describeApi(http);
  unlisted.set(http, undefined);
  return http;
}

function contractOf(server: FastifyInstance): Contract {
  if (!unlisted.has(server)) return contract;
  const own = unlisted.get(server) ?? new Contract({ ...server.swagger() });
  unlisted.set(server, own);
  return own;
}

/**
 * Watches the replies of every API server that this process starts from now on.
 * @param report is called with each breach of the contract
 * @returns stops it, for servers that start later
 */
export function watchReplies(report: (breach: string) => void): () => void {
  const onServer = (message: unknown): void => {
    if (isInitialization(message)) watch(message.fastify, report);
  };
  subscribe('fastify.initialization', onServer);
  return () => void unsubscribe('fastify.initialization', onServer);
}

function isInitialization(message: unknown): message is { fastify: FastifyInstance } {
  return typeof message === 'object' && message !== null && 'fastify' in message;
}

/** Before all other hooks: compression leaves a stream as the body. */
function watch(server: FastifyInstance, report: (breach: string) => void): void {
  server.addHook('onSend', (request, reply, payload, done) => {
    const { statusCode } = reply;
    done();
    // The reply could not be sent: the error that replaces it is reported.
    if (statusCode < 500 && reply.statusCode >= 500) return;
    // The admin port is in no contract.
    if (!server.hasDecorator('chain')) return;
    const { schema, url } = request.routeOptions;
    const breach = contractOf(server).breach({
      method: request.method,
      route: url,
      operationId: operationIdOf(schema),
      status: reply.statusCode,
      contentType: String(reply.getHeader('content-type') ?? ''),
      // Fastify sends no content with 204, whatever the handler returns.
      body: reply.statusCode === 204 ? '' : textOf(payload),
    });
    if (breach !== undefined) report(breach);
  });
}

function operationIdOf(schema: unknown): string | undefined {
  // A hidden route is in no contract.
  if (!isObject(schema) || schema['hide'] === true) return undefined;
  return typeof schema['operationId'] === 'string' ? schema['operationId'] : undefined;
}

function textOf(payload: unknown): string | undefined {
  if (payload === null || payload === undefined) return '';
  if (typeof payload === 'string') return payload;
  return Buffer.isBuffer(payload) ? payload.toString() : undefined;
}
