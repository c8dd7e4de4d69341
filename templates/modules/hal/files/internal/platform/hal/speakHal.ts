import type { FastifyRequest, preSerializationHookHandler } from 'fastify';
import Negotiator from 'negotiator';
import { current } from '../../../pkg/context/index.ts';
import { entityOf } from '../entities/shown.ts';
import { vary } from '../http/replies.ts';
import type { Http } from '../http/server.ts';
import { principalKey } from '../http/requestContext.ts';
import type { Identity } from '../identity/module.ts';
import type { Declaration, Links } from './linksOf.ts';
import { fill, Operations } from './operations.ts';
import { addLinkSchemas, hal, membersOf, offerHal } from './schema.ts';

/** Maximum length of an Accept header that is negotiated, in characters: each range costs microseconds. */
const maxAccept = 1000;

/** A link in a reply (draft-kelly-json-hal-11, 5). */
interface LinkObject {
  readonly href: string;
  readonly templated?: true;
}

type Body = Readonly<Record<string, unknown>>;

/**
 * Answers in HAL when the client prefers it. Each operation is found by its `operationId` when its route is registered; handlers do not
 * change, and other routes are not touched.
 * @param http the API's server, before its routes are registered
 * @param links of resources and collections; of two for one operation, the last one counts
 * @param identity decides which operations a caller may call
 */
export function speakHal(http: Http, links: readonly Declaration[], identity: Identity): void {
  const operations = new Operations();
  const declared = new Map(links.flatMap((each) => each.operations.map((id) => [id, each] as const)));
  addLinkSchemas(http);

  http.addHook('onRoute', (route) => {
    const id = route.schema?.operationId;
    if (id === undefined) return;
    // Fastify adds HEAD to each GET.
    if (route.method !== 'HEAD') operations.add(id, route);
    const declaration = declared.get(id);
    if (declaration === undefined) return;
    const statuses = offerHal(http, route, declaration);
    const answer: preSerializationHookHandler = (request, reply, payload, done) => {
      const isJson = /^application\/json\b/.test(String(reply.getHeader('content-type')));
      const isObject = typeof payload === 'object' && payload !== null && !Array.isArray(payload);
      if (!isJson || !isObject || !statuses.has(reply.statusCode)) return done(null, payload);
      vary(reply, 'Accept');
      if (!prefersHal(request.headers.accept)) return done(null, payload);
      reply.type(hal);
      done(null, represent(declaration, payload, request));
    };
    route.preSerialization = [...[route.preSerialization ?? []].flat(), answer];
  });

  http.addHook('onReady', (done) => {
    // The links of a resource that no route serves are not checked.
    const served = links.filter((each) => each.operations.some((id) => operations.has(id)));
    for (const { to } of served.flatMap((each) => Object.values(each.links))) operations.get(to);
    done();
  });

  function represent(declaration: Declaration, payload: object, request: FastifyRequest): Body {
    const body: Body = { ...payload };
    const own = linksFor(declaration.links, payload, request);
    if (declaration.kind === 'resource') return { ...body, _links: own };
    const { [declaration.member]: members, next, prev, ...rest } = body;
    const item = (Array.isArray(members) ? members : []).map((each: Body) => {
      return { ...each, _links: linksFor(declaration.of.links, each, request) };
    });
    return { ...rest, _links: { ...pagesFor(request, next, prev), ...own }, _embedded: { item } };
  }

  /** Of the entity, which may have fields that the reply lacks. `self` does not depend on the caller; the other links do. */
  function linksFor(declaredLinks: Links<Body>, shown: object, { routeOptions }: FastifyRequest) {
    const body = { ...entityOf(shown) };
    const { url: from = '' } = routeOptions;
    const principal = current().get(principalKey);
    const found: Record<string, LinkObject> = {};
    for (const [relation, link] of Object.entries(declaredLinks)) {
      if (relation !== 'self' && !identity.permits(principal, operations.get(link.to, from).route)) continue;
      const target = operations.locate(link, body, from);
      if (target === undefined) continue;
      found[relation] = { href: relative(from, target), ...(link.open !== undefined && { templated: true }) };
    }
    return found;
  }
}

/** Links are relative to the reply (RFC 3986, 4.2), so that they work behind a proxy that adds a prefix. `./` at least: `a:` is a scheme. */
function relative(from: string, target: string): string {
  return ('../'.repeat(from.split('/').length - 2) || './') + target.slice(1);
}

/** Links between pages keep the parameters of the request that the operation knows, as they were sent. */
function pagesFor({ params, routeOptions, url }: FastifyRequest, next: unknown, prev: unknown) {
  const { schema, url: from = '' } = routeOptions;
  const known = membersOf(membersOf(schema?.querystring)['properties']);
  const target = fill(from.replaceAll(/:(\w+)/g, '{$1}'), membersOf(params)) ?? from;
  const query = new URLSearchParams(url.replace(/^[^?]*/, ''));
  for (const name of new Set(query.keys())) if (!Object.hasOwn(known, name)) query.delete(name);
  const at = (cursor: unknown): LinkObject => {
    const changed = new URLSearchParams(query);
    changed.delete('cursor');
    if (typeof cursor === 'string') changed.append('cursor', cursor);
    return { href: relative(from, target + (changed.size === 0 ? '' : `?${changed.toString()}`)) };
  };
  return {
    self: at(query.get('cursor')),
    ...(Object.hasOwn(known, 'cursor') && { first: at(undefined) }),
    ...(typeof prev === 'string' && { prev: at(prev) }),
    ...(typeof next === 'string' && { next: at(next) }),
  };
}

/**
 * @param accept header of a request (RFC 9110, 12.5.1)
 * @returns whether it names HAL and does not prefer JSON; a wildcard means JSON
 */
export function prefersHal(accept: string | undefined): boolean {
  if (accept === undefined || accept.length > maxAccept || !/application\/hal\+json/i.test(accept)) return false;
  return new Negotiator({ headers: { accept } }).mediaType(['application/json', hal]) === hal;
}
