import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyRequest, FastifySchema, RawServerDefault, RouteGenericInterface, RouteOptions } from 'fastify';
import type { TSchema } from 'typebox';
import type { Http } from '../http/server.ts';
import type { ApiVersions, EachVersion } from './apiVersions.ts';
import type { Logger } from '../log/logger.ts';
import { anyOf, joinSchemas } from './joined.ts';
import { describeVersions } from './openapi.ts';
import type { Operation } from './operation.ts';
import { Serving, type ServingOptions } from './serving.ts';

/** As `http.route`. */
type Route = <const Schema extends FastifySchema>(
  options: RouteOptions<
    RawServerDefault,
    IncomingMessage,
    ServerResponse,
    RouteGenericInterface,
    unknown,
    Schema,
    TypeBoxTypeProvider,
    Logger
  >,
) => void;

/** One version of the API, on which its routes are registered. */
export interface VersionScope {
  readonly number: number;
  /** Each route is found where this version has its place. */
  readonly route: Route;
  /**
   * @param request that is answered
   * @param path of a route of this version, such as `/parts/7`
   * @returns the URL under which whoever sent the request finds it: for `Location` and links
   */
  readonly href: (request: FastifyRequest, path: string) => string;
}

export interface VersionedRoutesOptions<Served extends number> extends ServingOptions {
  /** Before it has routes. */
  readonly http: Http;
  readonly versions: ApiVersions<Served>;
}

/**
 * The routes that differ between versions. All others are the same in each, and stay where they are. Those get no hook: requests
 * that no version serves are refused by routes of their own.
 */
export class VersionedRoutes<Served extends number> {
  readonly #options: VersionedRoutesOptions<Served>;

  /** @param options versions, and the server that they stand on */
  constructor(options: VersionedRoutesOptions<Served>) {
    this.#options = options;
    const { http, strategy, versions } = options;
    strategy.prepare(http);
    http.addHook('onRoute', new Serving(options).attach);
    http.addHook('onRoute', describeVersions(strategy, versions));
  }

  /**
   * Registers the routes of a resource, once for each version that is served.
   * @param values what each version has of its own, such as a representation; null where a version lacks the resource
   * @param register called with each version and its value
   */
  each<Value>(values: EachVersion<Served, Value>, register: (scope: VersionScope, value: Value) => void): void {
    const operations = new Map<string, Operation>();
    for (const number of this.#options.versions.served) {
      const value = values[number];
      if (value !== null) register(this.#scope(number, operations), value);
    }
    for (const operation of operations.values()) this.#finish(operation);
  }

  #scope(number: number, operations: Map<string, Operation>): VersionScope {
    const { http, strategy } = this.#options;
    const route: Route = (options) => {
      const { method, url, config, schema = {} } = options;
      const key = `${[method].flat().join()} ${url}`;
      const operation = operations.get(key) ?? { method, url, config, schemas: new Map() };
      operations.set(key, operation);
      operation.schemas.set(number, schema);
      for (const mount of strategy.mounts(url, number)) {
        http.route({
          ...options,
          url: mount.url,
          ...(mount.constraints && { constraints: { ...options.constraints, ...mount.constraints } }),
          config: { ...config, version: { number, mount, operation } },
        });
      }
    };
    return {
      number,
      route,
      href(request, path) {
        const wanted = strategy.read(request, number);
        return 'version' in wanted && wanted.isNamed ? strategy.locate(path, number) : path;
      },
    };
  }

  /** Once all versions of a route are known. */
  #finish(operation: Operation): void {
    const { http, versions, strategy } = this.#options;
    const { method, url, config, schemas } = operation;
    const addSchema = (schema: TSchema): void => void http.addSchema(schema);
    const join = strategy.join?.(addSchema);
    if (join !== undefined) operation.joined = joinSchemas(schemas, join, anyOf(addSchema));
    const missing = versions.served.filter((number) => !schemas.has(number));
    for (const mount of strategy.refusals(url, missing)) {
      http.route({
        method,
        url: mount.url,
        ...(mount.constraints && { constraints: mount.constraints }),
        schema: { hide: true },
        config: { ...config, version: { number: undefined, mount, operation } },
        // Nobody comes so far.
        handler: (_request, reply) => reply.callNotFound(),
      });
    }
  }
}
