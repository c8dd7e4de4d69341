import type {
  FastifyContextConfig,
  FastifyReply,
  FastifyRequest,
  FastifySchema,
  RouteOptions,
  onRequestHookHandler,
  onSendHookHandler,
} from 'fastify';
import { current } from '../../../pkg/context/index.ts';
import { problem, type Refuse } from '../http/problems.ts';
import { vary as varyBy } from '../http/replies.ts';
import type { Http } from '../http/server.ts';
import { principalKey } from '../http/requestContext.ts';
import { type ApiVersions, type EachVersion, type Version, momentOf } from './apiVersions.ts';
import type { Usage } from './metrics.ts';
import { type RouteVersion, describeVersions, withParameter } from './openapi.ts';
import { type Fault, type Strategy, strategyOf } from './strategies.ts';

/** One version of the API, on which its routes are registered. */
export interface VersionScope {
  readonly number: number;
  /** Registers a route of this version. Takes what `http.route` takes. */
  readonly route: Http['route'];
  /**
   * @param request that is answered
   * @param path of a route of this version, such as `/parts/7`
   * @returns its URL in the version of the request, for `Location` and links
   */
  readonly href: (request: FastifyRequest, path: string) => string;
}

export interface VersionedRoutesOptions<Served extends number> {
  /** Before it has routes. */
  readonly http: Http;
  readonly versions: ApiVersions<Served>;
  readonly usage: Usage;
  /** Answers in place of a handler. */
  readonly refuse: Refuse;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The version of the API to which the route belongs; undefined when the route is the same in all versions. */
    version?: RouteVersion & { readonly suffix: string };
  }
}

/** A route with all of its versions. */
interface Operation {
  readonly method: string | string[];
  readonly url: string;
  /** Of its first version: guards also decide about requests for unknown versions. */
  readonly config: FastifyContextConfig | undefined;
  readonly schemas: Map<number, FastifySchema>;
}

/** The routes that differ between versions. All others are the same in each version and get no hook. */
export class VersionedRoutes<Served extends number> {
  readonly #options: VersionedRoutesOptions<Served>;
  readonly #strategy: Strategy;

  /** @param options versions, and the server that has them */
  constructor(options: VersionedRoutesOptions<Served>) {
    const { http, versions } = options;
    this.#options = options;
    this.#strategy = strategyOf(http, versions);
    const describe = describeVersions(versions, this.#strategy);
    http.addHook('onRoute', (route) => {
      const version = route.config?.version;
      if (version !== undefined) this.#attach(route, version);
      describe(route, version);
    });
  }

  /**
   * Registers the routes of a resource, once for each version that is served.
   * @param values what differs between versions, such as a representation; null for a version without the resource
   * @param register called with each version and its value
   */
  each<Value>(values: EachVersion<Served, Value>, register: (scope: VersionScope, value: Value) => void): void {
    const operations = new Map<string, Operation>();
    for (const number of this.#options.versions.served) {
      const value = values[number];
      if (value !== null) register(this.#scope(number, operations), value);
    }
    for (const operation of operations.values()) this.#refuseOthers(operation);
  }

  /** Has a route counted by version, and its replies announce the end of the version. */
  #attach(route: RouteOptions, { number, suffix }: RouteVersion & { readonly suffix: string }): void {
    const { usage } = this.#options;
    const { parameter, read, typesOf, vary } = this.#strategy;
    const version = this.#version(number);
    const mediaType = vary === undefined ? undefined : typesOf?.(number)[0];
    const enter: onRequestHookHandler = (request, reply, done) => {
      const wanted = read(request);
      if (mediaType !== undefined && 'version' in wanted && wanted.isNamed) reply.type(mediaType);
      usage.used(number, current().get(principalKey));
      done();
    };
    // Runs after the guards of the server, so that the caller is known.
    route.onRequest = [enter, ...[route.onRequest ?? []].flat()];
    const announce: onSendHookHandler = (_request, reply, _payload, done) => {
      setHeaders(reply, vary, version);
      done();
    };
    if (vary !== undefined || version?.deprecated !== undefined)
      route.onSend = [announce, ...[route.onSend ?? []].flat()];
    if (parameter !== undefined) route.schema = withParameter(route.schema ?? {}, parameter);
    const { operationId } = route.schema ?? {};
    if (operationId !== undefined) route.schema = { ...route.schema, operationId: operationId + suffix };
  }

  #scope(number: number, operations: Map<string, Operation>): VersionScope {
    const { http } = this.#options;
    const strategy = this.#strategy;
    const route: Http['route'] = (options) => {
      const { method, url, config, schema = {} } = options;
      const key = `${[method].flat().join()} ${url}`;
      const operation = operations.get(key) ?? { method, url, config, schemas: new Map() };
      operations.set(key, operation);
      operation.schemas.set(number, schema);
      for (const { suffix, ...mount } of strategy.mounts(url, number)) {
        http.route({
          ...options,
          ...mount,
          constraints: { ...options.constraints, ...mount.constraints },
          config: Object.assign({}, config, { version: { number, suffix, schemas: operation.schemas } }),
        });
      }
      return http;
    };
    return {
      number,
      route,
      href(request, path) {
        const wanted = strategy.read(request);
        return 'version' in wanted && wanted.isNamed ? strategy.locate(path, number) : path;
      },
    };
  }

  /** Adds routes for requests that no version serves. A hook instead would run for all routes. */
  #refuseOthers({ method, url, config, schemas }: Operation): void {
    const { http, versions, usage, refuse } = this.#options;
    const { read, refusals, vary } = this.#strategy;
    const known = [...schemas.keys()];
    const missing = versions.served.filter((number) => !schemas.has(number));
    for (const { suffix: _, ...mount } of refusals(url, missing)) {
      http.route({
        ...mount,
        method,
        ...(config && { config: { ...config } }),
        schema: { hide: true },
        // Runs after the guards of the server, and before a body is read. It never calls `done`: there is no handler.
        onRequest: (request, reply, _done) => {
          const wanted = read(request);
          const fault: Fault =
            'reason' in wanted ? wanted : { reason: 'unknown', status: 404, named: String(wanted.version) };
          usage.refused(fault.reason);
          setHeaders(reply, vary, fault.reason === 'retired' ? this.#version(Number(fault.named)) : undefined);
          refuse(request, reply, refusalOf(fault, known));
        },
        handler: (_request, reply) => reply.callNotFound(),
      });
    }
  }

  #version(number: number): Version | undefined {
    return this.#options.versions.all.find((version) => version.number === number);
  }
}

/** Announces the end of a version: RFC 9745 (seconds since 1970), RFC 8594 (an HTTP date), and a link to `info`. */
function setHeaders(reply: FastifyReply, vary: string | undefined, version: Version | undefined): void {
  if (vary !== undefined) varyBy(reply, vary);
  const { deprecated, sunset, info } = version ?? {};
  if (deprecated === undefined) return;
  reply.header('deprecation', `@${momentOf(deprecated).getTime() / 1000}`);
  if (sunset !== undefined) reply.header('sunset', momentOf(sunset).toUTCString());
  if (info === undefined) return;
  const relation = sunset === undefined ? 'deprecation' : 'deprecation sunset';
  const link = `<${new URL(info).href}>; rel="${relation}"; type="text/html"`;
  reply.header('link', [reply.getHeader('link') ?? [], link].flat().join(', '));
}

function refusalOf({ reason, status, named }: Fault, known: readonly number[]) {
  const choice = `There ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}.`;
  const detail = {
    unknown: `There is no version "${named}" of this resource. ${choice}`,
    retired: `Version ${named} of this API was retired. ${choice}`,
    contradiction: `The request names more than one version: ${named}.`,
  }[reason];
  return problem(status, { code: `version_${reason}`, detail, details: { named, known } });
}
