import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { FastifyInstance } from 'fastify';
import { Compile } from 'typebox/schema';
import committed from '../../api/openapi.json' with { type: 'json' };
import type { Http } from '../../internal/platform/http/server.ts';
import { type JsonObject, isObject, membersOf, resolve } from '../../scripts/openapi/json.ts';

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
  /** The server's own description, when its routes are not in `api/openapi.json`. */
  readonly document?: object;
}

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly responses: JsonObject;
}

const problemType = 'application/problem+json';
const problemSchema = '#/components/schemas/Problem';

/** An OpenAPI document that replies are checked against. */
export class Contract {
  readonly #document: JsonObject;
  readonly #operations = new Map<string, Operation>();
  readonly #validators = new Map<string, (body: unknown) => string | undefined>();

  /** @param document OpenAPI 3.1 */
  constructor(document: JsonObject) {
    this.#document = document;
    for (const [path, item] of membersOf(document['paths'])) {
      for (const [method, operation] of membersOf(item)) {
        if (!isObject(operation) || typeof operation['operationId'] !== 'string') continue;
        const { operationId: id, responses } = operation;
        this.#operations.set(id, {
          method: method.toUpperCase(),
          path,
          responses: isObject(responses) ? responses : {},
        });
      }
    }
  }

  /**
   * @param exchange a reply
   * @returns how it breaks the contract; undefined when it does not
   */
  breach(exchange: Exchange): string | undefined {
    const { operationId, method, route = '', status } = exchange;
    const breach = operationId === undefined ? this.#breachOfAny(exchange) : this.#breachOf(operationId, exchange);
    return breach && `${method} ${route} (${operationId ?? 'no operation'}) answers ${status}: ${breach}`;
  }

  #breachOf(id: string, exchange: Exchange): string | undefined {
    const { method, route = '', status } = exchange;
    // The client has the reply already (RFC 9110, 15.4.5). Every GET can be conditional.
    if (status === 304) return undefined;
    const operation = this.#operations.get(id);
    if (operation === undefined) return 'the contract has no such operation';
    const { path, responses } = operation;
    const found = `${method === 'HEAD' ? 'GET' : method} ${route.replaceAll(/:(\w+)/g, '{$1}')}`;
    if (found !== `${operation.method} ${path}`) return `by the contract it is ${operation.method} ${path}`;
    // `default` stands for errors only.
    const names = [String(status), `${Math.floor(status / 100)}XX`, ...(status < 400 ? [] : ['default'])];
    const name = names.find((each) => Object.hasOwn(responses, each));
    const response = name === undefined ? undefined : resolve(this.#document, responses[name]);
    if (response === undefined) return 'the contract has no such status';
    return this.#breachOfContent(membersOf(response['content']), exchange);
  }

  #breachOfContent(content: readonly [string, unknown][], { method, contentType, body }: Exchange): string | undefined {
    if (method === 'HEAD' || body === undefined) return undefined;
    if (content.length === 0) return body === '' ? undefined : 'by the contract it has no body';
    const [mediaType = ''] = contentType.split(';');
    const found = content.find(([name]) => name === mediaType.trim());
    if (found === undefined)
      return `by the contract it is ${content.map(([name]) => name).join(' or ')}, not "${contentType}"`;
    const schema = isObject(found[1]) ? found[1]['schema'] : undefined;
    return /\bjson$/.test(found[0]) ? this.#breachOfSchema(schema ?? true, body) : undefined;
  }

  /** Without an operation: an error has to be a problem, too. */
  #breachOfAny({ method, status, contentType, body }: Exchange): string | undefined {
    if (status < 400 || method === 'HEAD' || body === undefined) return undefined;
    if (!contentType.startsWith(problemType)) return `an error is ${problemType}, not "${contentType}"`;
    const isNamed = resolve(this.#document, { $ref: problemSchema }) !== undefined;
    return this.#breachOfSchema(isNamed ? { $ref: problemSchema } : true, body);
  }

  #breachOfSchema(schema: unknown, body: string): string | undefined {
    const key = JSON.stringify(schema);
    let validate = this.#validators.get(key);
    if (validate === undefined) {
      validate = this.#validator(schema);
      this.#validators.set(key, validate);
    }
    return validate(parse(body));
  }

  /** With the components beside the schema, its references are found. */
  #validator(schema: unknown): (body: unknown) => string | undefined {
    const compiled = Compile({ components: this.#document['components'], allOf: [isObject(schema) ? schema : {}] });
    return (body) => {
      if (compiled.Check(body)) return undefined;
      const faults = compiled
        .Errors(body)[1]
        .map(({ instancePath, message }) => `${instancePath} ${message}`.trimStart());
      return `its body is not what the contract says: ${faults.join(', ')}`;
    };
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** `api/openapi.json`. */
const contract = new Contract(committed);
const others = new WeakMap<object, Contract>();

/**
 * @param exchange a reply of any server in a test
 * @returns how it breaks `api/openapi.json`, or the server's own description where it has one; undefined when it does not
 */
export function breachIn(exchange: Exchange): string | undefined {
  const { document: own } = exchange;
  if (own === undefined) return contract.breach(exchange);
  const known = others.get(own) ?? new Contract({ ...own });
  others.set(own, known);
  return known.breach(exchange);
}

/** Servers whose routes `api/openapi.json` does not list. */
const unlisted = new WeakSet<object>();

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
  unlisted.add(http);
  return http;
}

/**
 * Reports each reply of every API server that this process starts from now on.
 * @param report is called with the reply
 * @returns stops it, for servers that start later
 */
export function watchReplies(report: (exchange: Exchange) => void): () => void {
  const onServer = (message: unknown): void => {
    if (isInitialization(message)) watch(message.fastify, report);
  };
  subscribe('fastify.initialization', onServer);
  return () => void unsubscribe('fastify.initialization', onServer);
}

/** Before all other hooks: compression leaves a stream as the body. */
function watch(server: FastifyInstance, report: (exchange: Exchange) => void): void {
  server.addHook('onSend', (request, reply, payload, done) => {
    const { statusCode } = reply;
    done();
    // The reply could not be sent: the error that replaces it is reported.
    if (statusCode < 500 && reply.statusCode >= 500) return;
    // The admin port is in no contract.
    if (!server.hasDecorator('chain')) return;
    const { schema, url } = request.routeOptions;
    report({
      method: request.method,
      route: url,
      operationId: operationIdOf(schema),
      status: reply.statusCode,
      contentType: String(reply.getHeader('content-type') ?? ''),
      // Fastify sends no content with 204, whatever the handler returns.
      body: reply.statusCode === 204 ? '' : textOf(payload),
      ...(unlisted.has(server) && { document: server.swagger() }),
    });
  });
}

function isInitialization(message: unknown): message is { fastify: FastifyInstance } {
  return typeof message === 'object' && message !== null && 'fastify' in message;
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

// A service that a test starts loads this file with `?print`: a breach is a line of its log, and `stop` throws it.
if (import.meta.url.endsWith('?print')) {
  watchReplies((exchange) => {
    const breach = breachIn(exchange);
    if (breach !== undefined)
      process.stdout.write(`${JSON.stringify({ msg: `check failed: contract broken: ${breach}` })}\n`);
  });
}
