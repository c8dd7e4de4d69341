import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyContextConfig,
  FastifyReply,
  FastifyRequest,
  FastifySchema,
  RawServerDefault,
  RouteGenericInterface,
  RouteOptions,
  onRequestHookHandler,
  onSendHookHandler,
} from 'fastify';
import { current } from '../../../pkg/context/index.ts';
import { problem, type Refuse } from '../http/problems.ts';
import type { Http } from '../http/server.ts';
import { principalKey } from '../http/requestContext.ts';
import type { Logger } from '../log/logger.ts';
import { type ApiVersions, type EachVersion, type Version, momentOf } from './apiVersions.ts';
import type { Usage } from './metrics.ts';
import { type RouteVersion, describeVersions, withParameter } from './openapi.ts';
import type { Fault, Strategy } from './strategies.ts';

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
  /** Registers a route where this version has its place. */
  readonly route: Route;
  /**
   * @param request that is answered
   * @param path of a route of this version, such as `/parts/7`
   * @returns its URL in the version of the request: for `Location` and links
   */
  readonly href: (request: FastifyRequest, path: string) => string;
}

export interface VersionedRoutesOptions<Served extends number> {
  /** Before it has routes. */
  readonly http: Http;
  readonly versions: ApiVersions<Served>;
  readonly strategy: Strategy;
  readonly usage: Usage;
  /** Answers in place of a handler. */
  readonly refuse: Refuse;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The version of the API that the route belongs to; undefined when it is in all of them the same. */
    version?: RouteVersion & { readonly suffix: string };
  }
}

/** A route with all of its versions. */
interface Operation {
  readonly method: string | string[];
  readonly url: string;
  /** As the first of its versions has it: guards decide about requests for unknown versions too. */
  readonly config: FastifyContextConfig | undefined;
  readonly schemas: Map<number, FastifySchema>;
}

const codes = { unknown: 'version_unknown', retired: 'version_retired', contradiction: 'version_contradiction' };

/** The routes that differ between versions. All others are the same in each, and get no hook. */
export class VersionedRoutes<Served extends number> {
  readonly #options: VersionedRoutesOptions<Served>;
  readonly #describe: ReturnType<typeof describeVersions>;

  /** @param options versions, and the server that has them */
  constructor(options: VersionedRoutesOptions<Served>) {
    this.#options = options;
    this.#describe = describeVersions(options.versions, options.strategy);
    options.http.addHook('onRoute', this.#attach);
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
    for (const operation of operations.values()) this.#refuseOthers(operation);
  }

  /** For `onRoute`: a route with a version is counted, tells of its end, and is described. */
  readonly #attach = (route: RouteOptions): void => {
    const version = route.config?.version;
    if (version !== undefined) this.#enter(route, version);
    this.#describe(route, version);
  };

  #enter(route: RouteOptions, { number, suffix }: RouteVersion & { readonly suffix: string }): void {
    const { strategy, usage } = this.#options;
    const { parameter, vary } = strategy;
    const version = this.#version(number);
    const mediaType = vary === undefined ? undefined : strategy.typesOf?.(number)[0];
    const enter: onRequestHookHandler = (request, reply, done) => {
      const wanted = strategy.read(request);
      if (mediaType !== undefined && 'version' in wanted && wanted.isNamed) reply.type(mediaType);
      usage.used(number, current().get(principalKey));
      done();
    };
    // After the guards of the server, so that it is known who calls.
    route.onRequest = [enter, ...[route.onRequest ?? []].flat()];
    const tell: onSendHookHandler = (_request, reply, _payload, done) => {
      setHeaders(reply, strategy, version);
      done();
    };
    if (vary !== undefined || version?.deprecated !== undefined) route.onSend = [tell, ...[route.onSend ?? []].flat()];
    if (parameter !== undefined) route.schema = withParameter(route.schema ?? {}, parameter);
    const { operationId } = route.schema ?? {};
    if (operationId !== undefined) route.schema = { ...route.schema, operationId: operationId + suffix };
  }

  #scope(number: number, operations: Map<string, Operation>): VersionScope {
    const { http, strategy } = this.#options;
    const route: Route = (options) => {
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
          config: { ...config, version: { number, suffix, schemas: operation.schemas } },
        });
      }
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

  /** Routes for requests that no version serves: hooks would cost every other route. */
  #refuseOthers({ method, url, config, schemas }: Operation): void {
    const { http, versions, strategy, usage, refuse } = this.#options;
    const known = [...schemas.keys()];
    const missing = versions.served.filter((number) => !schemas.has(number));
    for (const { suffix: _, ...mount } of strategy.refusals(url, missing)) {
      http.route({
        ...mount,
        method,
        ...(config && { config: { ...config } }),
        schema: { hide: true },
        // After the guards of the server, before a body is read. It is never done: there is no handler.
        onRequest: (request, reply, _done) => {
          const wanted = strategy.read(request);
          const fault: Fault =
            'reason' in wanted ? wanted : { reason: 'unknown', status: 404, named: String(wanted.version) };
          usage.refused(fault.reason);
          setHeaders(reply, strategy, fault.reason === 'retired' ? this.#version(Number(fault.named)) : undefined);
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

/** What replies tell of a version's end: RFC 9745 (seconds since 1970), RFC 8594 (an HTTP date), and a link to `info`. */
function setHeaders(reply: FastifyReply, { vary }: Strategy, version: Version | undefined): void {
  if (vary !== undefined) append(reply, 'vary', vary);
  const { deprecated, sunset, info } = version ?? {};
  if (deprecated === undefined) return;
  reply.header('deprecation', `@${momentOf(deprecated).getTime() / 1000}`);
  if (sunset !== undefined) reply.header('sunset', momentOf(sunset).toUTCString());
  const relation = sunset === undefined ? 'deprecation' : 'deprecation sunset';
  if (info !== undefined) append(reply, 'link', `<${new URL(info).href}>; rel="${relation}"; type="text/html"`);
}

function append(reply: FastifyReply, name: string, value: string): void {
  const given = reply.getHeader(name);
  reply.header(name, given === undefined ? value : `${String(given)}, ${value}`);
}

function refusalOf({ reason, status, named }: Fault, known: readonly number[]) {
  const choice = `There ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}.`;
  const detail = {
    unknown: `There is no version "${named}" of this resource. ${choice}`,
    retired: `Version ${named} of this API was retired. ${choice}`,
    contradiction: `The request names more than one version: ${named}.`,
  }[reason];
  return problem(status, { code: codes[reason], detail, details: { named, known } });
}
