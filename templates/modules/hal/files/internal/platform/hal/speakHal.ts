import type { FastifyRequest, RouteOptions, preSerializationHookHandler } from 'fastify';
import { current } from '../../../pkg/context/index.ts';
import { vary } from '../http/replies.ts';
import type { Http } from '../http/server.ts';
import type { Identity } from '../identity/module.ts';
import { principalKey } from '../http/requestContext.ts';
import type { Declaration } from './declaration.ts';
import { hal, isJson, prefersHal } from './mediaType.ts';
import type { HalMetrics } from './metrics.ts';
import { Operations } from './operations.ts';
import { Path } from './path.ts';
import { relationRoutes } from './relationRoutes.ts';
import { type Asked, Representation, type View } from './representation.ts';
import { offerHal } from './responses.ts';
import { HalSchemas, LinkView, isObject } from './schema.ts';

/** What an API says of its links. */
export interface HalOptions {
  readonly links: readonly Declaration[];
  /** Relations of the API's own, and what each means. */
  readonly relations: Readonly<Record<string, string>>;
  readonly identity: Identity;
  readonly metrics: HalMetrics;
}

/**
 * Has the operations of an API answer in HAL whoever asks for it. Their routes are not changed: each is found by its `operationId`
 * when it is registered, and its reply gets a second media type. Other routes are left alone.
 * @param http the API's server, before its routes are registered
 * @param options resources, collections, relations; who may do what
 */
export function speakHal(http: Http, { links, relations, identity, metrics }: HalOptions): void {
  const operations = new Operations(metrics.unaddressable);
  const representation = new Representation(operations);
  const declared = new Map(links.flatMap((each) => each.operations.map((id) => [id, each] as const)));
  const schemas = new HalSchemas(http);
  http.addSchema(LinkView);

  http.addHook('onRoute', (route) => {
    const id = route.schema?.operationId;
    if (id === undefined) return;
    // With GET comes HEAD, whose reply has the same headers.
    if (route.method !== 'HEAD') operations.add(id, route);
    const declaration = declared.get(id);
    if (declaration === undefined) return;
    const path = new Path(route.url);
    const isOffered = offerHal(http, schemas, route, declaration);
    const answer: preSerializationHookHandler = (request, reply, payload, done) => {
      const isOurs = isOffered(reply.statusCode) && isJson(reply.getHeader('content-type')) && isObject(payload);
      if (!isOurs) return done(null, payload);
      vary(reply, 'Accept');
      if (!prefersHal(request.headers.accept)) return done(null, payload);
      reply.type(hal);
      metrics.replied(id);
      const view: View = {
        route,
        root: path.root,
        asked: () => askedBy(request, path),
        permits: permitsNow(identity, operations, route),
      };
      done(null, representation.of(declaration, payload, view));
    };
    route.preSerialization = [...[route.preSerialization ?? []].flat(), answer];
  });

  relationRoutes(http, { relations, links, operations });
  http.addHook('onReady', (done) => {
    // A resource that is not served has no links.
    const served = links.filter((each) => each.operations.some((id) => operations.has(id)));
    for (const { to } of served.flatMap((each) => Object.values(each.links))) operations.get(to);
    done();
  });
}

/** Once for each operation, however many links lead there. */
function permitsNow(identity: Identity, operations: Operations, from: RouteOptions): View['permits'] {
  const principal = current().get(principalKey);
  const known = new Map<string, boolean>();
  return (id) => {
    const found = known.get(id) ?? identity.permits(principal, operations.get(id, from).route);
    known.set(id, found);
    return found;
  };
}

/** As it was sent, without what the schema fills in; a parameter that the operation does not know is not handed on. */
function askedBy({ url, params, routeOptions }: FastifyRequest, path: Path): Asked {
  const names = knownIn(routeOptions.schema?.querystring);
  const given = [...new URLSearchParams(url.replace(/^[^?]*/, ''))].filter(([name]) => names.has(name));
  return {
    path: path.fill(isObject(params) ? params : {}) ?? path.template,
    query: new URLSearchParams(given),
    isPaged: names.has('cursor'),
  };
}

function knownIn(schema: unknown): ReadonlySet<string> {
  return new Set(isObject(schema) && isObject(schema['properties']) ? Object.keys(schema['properties']) : []);
}
