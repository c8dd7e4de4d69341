import type { FastifyRequest, RouteOptions } from 'fastify';
import type { Declaration, Links } from './linksOf.ts';
import type { Operations, Path } from './operations.ts';

/** Prefix of the API's own relations. */
export const own = 'api:';

/** A link in a reply (draft-kelly-json-hal-11, 5). */
interface LinkObject {
  readonly href: string;
  readonly templated?: true;
  readonly name?: string;
}

/** The request for which a representation is made. */
export interface View {
  readonly request: FastifyRequest;
  readonly route: RouteOptions;
  readonly path: Path;
  readonly operations: Operations;
  /** Whether the caller may call an operation. */
  readonly permits: (operation: string) => boolean;
  /** Reports a link that is left out, because a value cannot be in its path. */
  readonly unaddressable: (operation: string) => void;
}

type Body = Readonly<Record<string, unknown>>;

/**
 * @param declaration of a resource or a collection
 * @returns its relations; with `curies` when it, or its members, have relations of the API's own
 */
export function relationsOf(declaration: Declaration): string[] {
  const relations = Object.keys(declaration.links);
  if (declaration.kind === 'resource') return [...(relations.some(isOwn) ? ['curies'] : []), ...relations];
  const hasOwn = [...relations, ...Object.keys(declaration.of.links)].some(isOwn);
  return [...new Set([...(hasOwn ? ['curies'] : []), 'self', 'first', 'prev', 'next', ...relations])];
}

function isOwn(relation: string): boolean {
  return relation.startsWith(own);
}

/**
 * @param declaration of the links of the body
 * @param body as the handler returned it
 * @param view the request
 * @returns the body in HAL
 */
export function represent(declaration: Declaration, body: Body, view: View): Body {
  // Where relations of the API's own are explained (draft-kelly-json-hal-11, 8.2).
  const curies = relationsOf(declaration).includes('curies') && {
    curies: [{ name: own.slice(0, -1), href: `${view.path.root}relations/{rel}`, templated: true }],
  };
  const links = linksFor(declaration.links, body, view);
  if (declaration.kind === 'resource') return { ...body, _links: { ...curies, ...links } };
  const { [declaration.member]: members, next, prev, ...rest } = body;
  const item = (Array.isArray(members) ? members : []).map((each: Body) => {
    return { ...each, _links: linksFor(declaration.of.links, each, view) };
  });
  return { ...rest, _links: { ...curies, ...pagesFor(view, next, prev), ...links }, _embedded: { item } };
}

/** `self` does not depend on the caller; the other links do. */
function linksFor(links: Links<Body>, body: Body, { operations, path, permits, route, unaddressable }: View) {
  const found: Record<string, LinkObject> = {};
  for (const [relation, link] of Object.entries(links)) {
    if (relation !== 'self' && !permits(link.to)) continue;
    const target = operations.locate(link, body, route);
    if (target === undefined) unaddressable(link.to);
    if (!target) continue;
    found[relation] = { href: path.root + target.slice(1), ...(link.open !== undefined && { templated: true }) };
  }
  return found;
}

/** Links between pages keep the parameters of the request that the operation knows, as they were sent. */
function pagesFor({ path, request }: View, next: unknown, prev: unknown) {
  const { params, routeOptions, url } = request;
  const known = membersOf(membersOf(routeOptions.schema?.querystring)['properties']);
  const target = (path.fill(membersOf(params)) ?? path.template).slice(1);
  const query = new URLSearchParams(url.replace(/^[^?]*/, ''));
  for (const name of new Set(query.keys())) if (!Object.hasOwn(known, name)) query.delete(name);
  const at = (cursor: unknown): LinkObject => {
    const changed = new URLSearchParams(query);
    changed.delete('cursor');
    if (typeof cursor === 'string') changed.append('cursor', cursor);
    return { href: `${path.root}${target}${changed.size === 0 ? '' : `?${changed.toString()}`}` };
  };
  return {
    self: at(query.get('cursor')),
    ...(Object.hasOwn(known, 'cursor') && { first: at(undefined) }),
    ...(typeof prev === 'string' && { prev: at(prev) }),
    ...(typeof next === 'string' && { next: at(next) }),
  };
}

/**
 * @param value anything
 * @returns its members; none when it is no object
 */
export function membersOf(value: unknown): Body {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
