import type { RouteOptions } from 'fastify';
import type { Link } from './linksOf.ts';

/** Parameters in a path of find-my-way, or an escaped colon. */
const parameter = /(::|:\w+(?:\([^)]*\))?)/;

/** The path of a route. Links are relative to it (RFC 3986, 4.2), so that they work behind a proxy that adds a prefix. */
export interface Path {
  /** Leads from a reply of the route to the root of the API: `../`. */
  readonly root: string;
  /** As OpenAPI and RFC 6570 write it: `/items/{id}`. */
  readonly template: string;
  /** Returns undefined for a value that cannot be a step of a path: missing, empty, `.` or `..`, which proxies decode and resolve. */
  readonly fill: (values: Readonly<Record<string, unknown>>) => string | undefined;
}

/**
 * @param url of a route as it was registered: `/items/:id`
 * @returns its path
 * @throws {TypeError} on a wildcard or an optional parameter
 */
export function pathOf(url: string): Path {
  if (/[*?]/.test(url.replaceAll(/\([^)]*\)/g, ''))) throw new TypeError(`links cannot lead to ${url}`);
  const parts = url.split(parameter).map((text, index) => {
    if (text === '::') return ':';
    return index % 2 === 0 ? text : { name: /\w+/.exec(text)?.[0] ?? '' };
  });
  const template = parts.map((part) => (typeof part === 'string' ? part : `{${part.name}}`)).join('');
  return {
    // './' at least: a reference that begins with `a:` would have a scheme.
    root: '../'.repeat(template.split('/').length - 2) || './',
    template,
    fill(values) {
      let path = '';
      for (const part of parts) {
        const text = typeof part === 'string' ? part : textOf(values[part.name]);
        if (typeof part !== 'string' && /^\.{0,2}$/.test(text)) return undefined;
        path += typeof part === 'string' ? text : encodeURIComponent(text);
      }
      return path;
    },
  };
}

/** An unpaired surrogate cannot be encoded, and is replaced. */
function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return (typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed();
}

/** An operation of the API. */
export interface Operation {
  readonly method: string;
  readonly path: Path;
  readonly route: RouteOptions;
}

/** The operations of the API by `operationId`. An operation has several routes when versions of the API have one each. */
export class Operations {
  readonly #routes = new Map<string, RouteOptions[]>();
  /** Found operations, by the route that has the link; undefined stands for no route. */
  readonly #found = new Map<RouteOptions | undefined, Map<string, Operation>>();

  /**
   * @param id an `operationId`
   * @param route of the operation
   */
  add(id: string, route: RouteOptions): void {
    this.#routes.set(id, [...(this.#routes.get(id) ?? []), route]);
  }

  /**
   * @param id an `operationId`
   * @returns whether a route has it
   */
  has(id: string): boolean {
    return this.#routes.has(id);
  }

  /**
   * @param id an `operationId`, the target of a link
   * @param from the route whose reply has the link
   * @returns the operation; of several routes, the one of the same version as `from`
   * @throws {TypeError} when no route has the id, or its path cannot be linked
   */
  get(id: string, from?: RouteOptions): Operation {
    const found = this.#found.get(from) ?? new Map<string, Operation>();
    this.#found.set(from, found);
    const known = found.get(id);
    if (known !== undefined) return known;
    const route = nearest(this.#routes.get(id) ?? [], from);
    if (route === undefined) throw new TypeError(`a link leads to ${id}, but no route has this operationId`);
    const operation = { method: String(route.method), path: pathOf(route.url), route };
    found.set(id, operation);
    return operation;
  }

  /**
   * @param link that is declared
   * @param body of the resource that has it
   * @param from the route that returned the body
   * @returns path and query, or their template; null when the resource does not have the link now; undefined when a value cannot be in a path
   */
  locate<Body>(link: Link<Body>, body: Body, from: RouteOptions): string | null | undefined {
    const address = link.address(body);
    if (!address) return null;
    const { path } = this.get(link.to, from);
    if (link.open !== undefined) return path.template + (link.open.length === 0 ? '' : `{?${link.open.join(',')}}`);
    const filled = path.fill(address.path ?? {});
    return filled && filled + queryOf(address.query);
  }
}

/**
 * Versions of a route differ in the beginning of the path (`/v2`), or in constraints. The link leads to the version of the reply, or to the
 * shortest path, which is that of the default version.
 */
function nearest(routes: readonly RouteOptions[], from: RouteOptions | undefined): RouteOptions | undefined {
  const constraints = JSON.stringify(from?.constraints);
  const isAlike = (route: RouteOptions): number => Number(JSON.stringify(route.constraints) === constraints);
  return routes.toSorted(
    (a, b) =>
      sharedSteps(b.url, from?.url) - sharedSteps(a.url, from?.url) ||
      isAlike(b) - isAlike(a) ||
      a.url.length - b.url.length,
  )[0];
}

/** Number of equal steps at the beginning of two paths. */
function sharedSteps(url: string, other = ''): number {
  const [steps, others] = [url.split('/'), other.split('/')];
  const parted = steps.findIndex((step, index) => step !== others[index]);
  return parted === -1 ? steps.length : parted;
}

/** A list becomes one pair for each of its values. */
function queryOf(values: Readonly<Record<string, unknown>> = {}): string {
  const pairs = Object.entries(values).flatMap(([name, value]) =>
    [value].flat().flatMap((each): [string, string][] => (each === undefined ? [] : [[name, textOf(each)]])),
  );
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`;
}
