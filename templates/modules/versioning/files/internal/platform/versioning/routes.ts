import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { problem, type Refuse } from '../http/problems.ts';
import { vary } from '../http/replies.ts';
import type { Http } from '../http/server.ts';
import { describeRoute } from '../openapi/describe.ts';
import { type ApiVersions, type EachVersion, type Version, momentOf } from './apiVersions.ts';
import { inVersion, type ResourceVersions } from './resources.ts';

/** Counts requests by version. */
export interface Usage {
  readonly used: (version: number) => void;
  /** @param reason why no version serves the request */
  readonly refused: (reason: 'unknown' | 'retired') => void;
}

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
  /** Their routes are served in each version. */
  readonly resources?: readonly ResourceVersions[];
  readonly usage: Usage;
  /** Answers in place of a handler. */
  readonly refuse: Refuse;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The version of the API to which the route belongs: undefined when it belongs to none, null when it refuses the other versions. */
    version?: number | null;
    /** The name of the resource that the route belongs to. */
    resource?: string;
  }
}

/** A route with all of its versions. */
interface Operation {
  /** The route of its first version: guards also decide about requests for unknown versions. */
  readonly route: Pick<RouteOptions, 'method' | 'url' | 'config'>;
  readonly known: number[];
}

/** `Accept: application/json; version=2` */
const versionInAccept = /;\s*version="?([^";,\s]*)/i;
/** The constraint of the router that tells versions apart where they share a URL, and its value for a request that no version serves. */
const constraint = 'apiVersion';
const none = 'none';

/**
 * The routes that have versions: `/v2/parts`, and `/parts` for callers that name a version in Accept, or none. These are the routes of
 * resources, and those that are registered with `each`.
 */
export class VersionedRoutes<Served extends number> {
  readonly #options: VersionedRoutesOptions<Served>;

  /** @param options versions, and the server that has them */
  constructor(options: VersionedRoutesOptions<Served>) {
    const { http, versions, resources = [] } = options;
    this.#options = options;
    const served = new Set(versions.served.map(String));
    http.addConstraintStrategy({
      name: constraint,
      storage: () => new Map(),
      deriveConstraint({ headers }: IncomingMessage) {
        const named = namedIn(headers.accept) ?? String(versions.default);
        return served.has(named) ? named : none;
      },
    });
    http.addHook('onRoute', (route) => {
      const { resource, version: number } = route.config ?? {};
      const version = versions.all.find((each) => each.number === number);
      if (version !== undefined) return this.#attach(route, version);
      const versioned = number === undefined && resources.find((each) => each.resource === resource);
      if (versioned) this.#serve(route, versioned);
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
  #attach(route: RouteOptions, version: Version): void {
    const { deprecated, number, sunset } = version;
    const enter: RouteOptions['onRequest'] = (_request, _reply, done) => {
      this.#options.usage.used(number);
      done();
    };
    // Runs after the guards of the server.
    route.onRequest = [enter, ...[route.onRequest ?? []].flat()];
    const announce: RouteOptions['onSend'] = (request, reply, _payload, done) => {
      setHeaders(request, reply, version);
      done();
    };
    route.onSend = [announce, ...[route.onSend ?? []].flat()];
    describeRoute(route, (schema) => ({
      ...schema,
      // An operationId is unique in the contract.
      ...(schema.operationId !== undefined &&
        isByPath(route.url) && { operationId: `${schema.operationId}V${number}` }),
      ...(deprecated !== undefined && { deprecated: true }),
      // The extension of oasdiff for the day from which the operation may be gone.
      ...(sunset !== undefined && { 'x-sunset': sunset }),
    }));
  }

  /**
   * Serves a route of a resource in each version that has the resource. The route itself is that of the default version.
   * @throws {TypeError} when no version has the resource
   */
  #serve(route: RouteOptions, resource: ResourceVersions): void {
    const { http, versions } = this.#options;
    const known = versions.served.filter((number) => resource.shapes[number] !== null);
    const own = known.find((number) => number === versions.default) ?? known[0];
    if (own === undefined) throw new TypeError(`no version of the API has the resource "${resource.resource}"`);
    // The types of `onRoute` name another logger than the server has.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const server = http as unknown as FastifyInstance;
    // Fastify adds HEAD to each GET, also to those of the other versions.
    if (route.method !== 'HEAD') {
      // The contract has the resource as it is without a version.
      const isDescribed = own === versions.default && !resource.shapes[own];
      for (const number of known) {
        const versioned = inVersion(http, route, resource, number);
        const mounted = byPath(versioned, number);
        server.route(isDescribed && !resource.shapes[number] ? hidden(mounted) : mounted);
        if (number !== own) server.route(byAccept(versioned, number, versions.default));
      }
      this.#refuseOthers({ route, known });
    }
    Object.assign(route, byAccept(inVersion(http, route, resource, own), own, versions.default));
    for (const version of versions.all) if (version.number === own) this.#attach(route, version);
  }

  #scope(number: number, operations: Map<string, Operation>): VersionScope {
    const { http, versions } = this.#options;
    const route: Http['route'] = (options) => {
      const { config, method, url } = options;
      const key = `${[method].flat().join()} ${url}`;
      const operation = operations.get(key) ?? { route: { method, url, ...(config && { config }) }, known: [] };
      operations.set(key, operation);
      operation.known.push(number);
      http.route(byPath(options, number));
      http.route(byAccept(options, number, versions.default));
      return http;
    };
    return {
      number,
      route,
      href: ({ routeOptions }, path) => (isByPath(routeOptions.url) ? `/v${number}${path}` : path),
    };
  }

  /** Adds routes for requests that no version serves. A hook instead would run for all routes. */
  #refuseOthers({ route: { url, ...route }, known }: Operation): void {
    const { http, versions, usage, refuse } = this.#options;
    const missing = versions.served.filter((number) => !known.includes(number)).map(String);
    const mounts = [
      // A version begins with a digit: `/vendors` is none.
      { url: String.raw`/v:apiVersion(^\d[^/]*$)${url}` },
      ...[none, ...missing].map((key) => ({ url, constraints: { [constraint]: key } })),
    ];
    for (const mount of mounts) {
      http.route({
        ...route,
        ...mount,
        config: { ...route.config, version: null },
        schema: { hide: true },
        // Runs after the guards of the server, and before a body is read. It never calls `done`: there is no handler.
        onRequest: (request, reply, _done) => {
          const inPath = versionInPath(request.params);
          const named = inPath ?? namedIn(request.headers.accept) ?? String(versions.default);
          const version = versions.all.find(({ number }) => String(number) === named);
          const reason = version?.retired ? 'retired' : 'unknown';
          usage.refused(reason);
          setHeaders(request, reply, version?.retired ? version : undefined);
          refuse(request, reply, refusalOf(reason, named, known, inPath === undefined ? 406 : 404));
        },
        handler: (_request, reply) => reply.callNotFound(),
      });
    }
  }
}

type Mounted = Pick<RouteOptions, 'url' | 'config' | 'constraints' | 'schema'>;

function byPath<Route extends Mounted>(route: Route, version: number): Route {
  return { ...route, url: `/v${version}${route.url}`, config: { ...route.config, version } };
}

function byAccept<Route extends Mounted>(route: Route, version: number, byDefault: number): Route {
  const constraints = { ...route.constraints, [constraint]: String(version) };
  const mounted = { ...route, config: { ...route.config, version }, constraints };
  // The contract has the other versions by their path.
  return version === byDefault ? mounted : hidden(mounted);
}

function hidden<Route extends Mounted>(route: Route): Route {
  return { ...route, schema: { ...route.schema, hide: true } };
}

function versionInPath(params: unknown): string | undefined {
  const isNamed = typeof params === 'object' && params !== null && constraint in params;
  return isNamed ? String(params[constraint]) : undefined;
}

function namedIn(accept: string | undefined): string | undefined {
  return versionInAccept.exec(accept ?? '')?.[1];
}

function isByPath(url = ''): boolean {
  return /^\/v[\d:]/.test(url);
}

/** Announces the end of a version: RFC 9745 (seconds since 1970), RFC 8594 (an HTTP date), and a link to `info`. */
function setHeaders({ routeOptions }: FastifyRequest, reply: FastifyReply, version: Version | undefined): void {
  if (!isByPath(routeOptions.url)) vary(reply, 'Accept');
  const { deprecated, sunset, info } = version ?? {};
  if (deprecated === undefined) return;
  reply.header('deprecation', `@${momentOf(deprecated).getTime() / 1000}`);
  if (sunset !== undefined) reply.header('sunset', momentOf(sunset).toUTCString());
  // Scripts of other origins may read it. CORS has named the headers that were there before.
  const exposed = reply.getHeader('access-control-expose-headers');
  if (exposed !== undefined)
    reply.header('access-control-expose-headers', `${String(exposed)}, deprecation, sunset, link`);
  if (info === undefined) return;
  const relation = sunset === undefined ? 'deprecation' : 'deprecation sunset';
  const link = `<${new URL(info).href}>; rel="${relation}"; type="text/html"`;
  reply.header('link', [reply.getHeader('link') ?? [], link].flat().join(', '));
}

/** A text of the caller is repeated up to 60 characters. */
function refusalOf(reason: 'unknown' | 'retired', text: string, known: readonly number[], status: number) {
  const named = text.slice(0, 60);
  const choice = `There ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}.`;
  return reason === 'retired'
    ? problem(410, {
        code: 'version_retired',
        detail: `Version ${named} of this API was retired. ${choice}`,
        details: { named, known },
      })
    : problem(status, {
        code: 'version_unknown',
        detail: `There is no version "${named}" of this resource. ${choice}`,
        details: { named, known },
      });
}
