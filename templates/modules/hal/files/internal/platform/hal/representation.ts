import type { RouteOptions } from 'fastify';
import type { Collection, Declaration, Links, Resource } from './declaration.ts';
import type { Operations } from './operations.ts';

/** A link as it stands in a reply (draft-kelly-json-hal-11, 5). */
export interface LinkObject {
  readonly href: string;
  readonly templated?: true;
  readonly name?: string;
}

/** What a list was asked for. */
export interface Asked {
  readonly path: string;
  /** Of the parameters that the operation knows, those that were given. */
  readonly query: URLSearchParams;
  /** Whether the list comes in pages. */
  readonly isPaged: boolean;
}

/** From where, and for whom, a representation is made. */
export interface View {
  /** Gives the reply. */
  readonly route: RouteOptions;
  /** What leads from this reply to where all paths begin. */
  readonly root: string;
  /** What was asked for. */
  readonly asked: () => Asked;
  /** Whether whoever asks may call an operation. */
  readonly permits: (operation: string) => boolean;
}

type Body = Readonly<Record<string, unknown>>;
type LinkObjects = Readonly<Record<string, LinkObject | readonly LinkObject[]>>;

/** Relations of the API's own begin with it. */
export const own = 'api:';

/**
 * @param declaration of a resource or a collection
 * @returns its relations; `curies` among them when it has some of the API's own, or its members do
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

/** Makes HAL of what routes give. */
export class Representation {
  readonly #operations: Operations;

  /** @param operations to which links lead */
  constructor(operations: Operations) {
    this.#operations = operations;
  }

  /**
   * @param declaration of what it is
   * @param body as the route gives it
   * @param view from where, and for whom
   * @returns the same in HAL
   */
  of(declaration: Declaration, body: Body, view: View): Body {
    const curies = relationsOf(declaration).includes('curies') ? curiesFrom(view.root) : {};
    return declaration.kind === 'resource'
      ? this.#resource(declaration, body, view, curies)
      : this.#collection(declaration, body, view, curies);
  }

  #resource({ links }: Resource, body: Body, view: View, curies: LinkObjects): Body {
    return { ...body, _links: { ...curies, ...this.#links(links, body, view) } };
  }

  #collection({ member, of, links }: Collection, body: Body, view: View, curies: LinkObjects): Body {
    const { [member]: members, next, prev, ...rest } = body;
    const item = Array.isArray(members) ? members.map((each: Body) => this.#resource(of, each, view, {})) : [];
    const pages = { ...pagesFrom(view.root, view.asked(), next, prev), ...this.#links(links, body, view) };
    return { ...rest, _links: { ...curies, ...pages }, _embedded: { item } };
  }

  /** Who a resource is does not depend on who asks; what is to be done with it does. */
  #links(links: Links<Body>, body: Body, { route, root, permits }: View): LinkObjects {
    const found: Record<string, LinkObject> = {};
    for (const [relation, link] of Object.entries(links)) {
      if (relation !== 'self' && !permits(link.to)) continue;
      const path = this.#operations.locate(link, body, route);
      if (path !== undefined)
        found[relation] = { href: root + path.slice(1), ...(link.open !== undefined && { templated: true }) };
    }
    return found;
  }
}

/** Where the relations of the API's own are explained (draft-kelly-json-hal-11, 8.2). */
function curiesFrom(root: string): LinkObjects {
  return { curies: [{ name: own.slice(0, -1), href: `${root}relations/{rel}`, templated: true }] };
}

/** A page keeps what it was asked for; of pages before and behind it is known what the body says. */
function pagesFrom(root: string, { path, query, isPaged }: Asked, next: unknown, prev: unknown): LinkObjects {
  const at = (cursor: unknown): LinkObject => {
    const changed = new URLSearchParams(query);
    changed.delete('cursor');
    if (typeof cursor === 'string') changed.append('cursor', cursor);
    return { href: `${root}${path.slice(1)}${changed.size === 0 ? '' : `?${changed.toString()}`}` };
  };
  return {
    self: at(query.get('cursor')),
    ...(isPaged && { first: at(undefined) }),
    ...(typeof prev === 'string' && { prev: at(prev) }),
    ...(typeof next === 'string' && { next: at(next) }),
  };
}
