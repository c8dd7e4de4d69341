import type { RouteOptions } from 'fastify';
import type { Address, Link } from './linksOf.ts';

/** An operation of the API, at one of its paths. */
interface Operation {
  readonly route: RouteOptions;
  /** As OpenAPI and RFC 6570 write it: `/items/{id}`. */
  readonly template: string;
}

/** The operations of the API by `operationId`. An operation has several paths when versions of the API have one each. */
export class Operations {
  readonly #found = new Map<string, Operation[]>();

  /**
   * @param id an `operationId`
   * @param route of the operation
   */
  add(id: string, route: RouteOptions): void {
    const operation = { route, template: route.url.replaceAll(/:(\w+)/g, '{$1}') };
    this.#found.set(id, [...(this.#found.get(id) ?? []), operation]);
  }

  /**
   * @param id an `operationId`
   * @returns whether a route has it
   */
  has(id: string): boolean {
    return this.#found.has(id);
  }

  /**
   * @param id an `operationId`, the target of a link
   * @param from the path of the route whose reply has the link
   * @returns the operation, in the version of that path
   * @throws {TypeError} when no route has the id, or its path has more than plain parameters
   */
  get(id: string, from = ''): Operation {
    const found = this.#found.get(id) ?? [];
    // The shortest path is that of the default version.
    const [shortest] = found.toSorted((a, b) => a.template.length - b.template.length);
    const operation = found.find(({ template }) => versionIn(template) === versionIn(from)) ?? shortest;
    if (operation === undefined) throw new TypeError(`a link leads to ${id}, but no route has this operationId`);
    if (/[*?:(]/.test(operation.template)) throw new TypeError(`links cannot lead to ${operation.template}`);
    return operation;
  }

  /**
   * @param link that is declared
   * @param body of the resource that has it
   * @param from the path of the route that returned the body
   * @returns path and query, or their template; undefined when the resource does not have the link now, or a value cannot be in a path
   */
  locate<Body>(link: Link<Body>, body: Body, from: string): string | undefined {
    const address = link.address(body);
    if (!address) return undefined;
    const { template } = this.get(link.to, from);
    if (link.open !== undefined) return template + (link.open.length === 0 ? '' : `{?${link.open.join(',')}}`);
    const path = fill(template, address.path ?? {});
    return path && path + queryOf(address.query);
  }
}

function versionIn(path: string): string | undefined {
  return /^\/v\d+(?=\/)/.exec(path)?.[0];
}

/**
 * @param template of a path: `/items/{id}`
 * @param values of its parameters
 * @returns the path; undefined for a value that cannot be a step of a path: missing, empty, `.` or `..`, which proxies decode and resolve
 */
export function fill(template: string, values: Readonly<Record<string, unknown>>): string | undefined {
  let isWhole = true;
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const text = textOf(values[name]);
    if (/^\.{0,2}$/.test(text)) isWhole = false;
    return encodeURIComponent(text);
  });
  return isWhole ? path : undefined;
}

/** A list becomes one pair for each of its values. */
function queryOf(values: Address['query'] = {}): string {
  const pairs = Object.entries(values).flatMap(([name, value]) =>
    [value].flat().flatMap((each): [string, string][] => (each === undefined ? [] : [[name, textOf(each)]])),
  );
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`;
}

/** An unpaired surrogate cannot be encoded, and is replaced. */
function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return (typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed();
}
