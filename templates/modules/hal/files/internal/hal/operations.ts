import type { RouteOptions } from 'fastify';
import type { Link } from './declaration.ts';
import { Path, textOf } from './path.ts';

/** An operation of the API. */
export interface Operation {
  readonly method: string;
  readonly path: Path;
  /** As it was registered: tells who may call it. */
  readonly route: Pick<RouteOptions, 'url' | 'config' | 'schema'>;
}

/** Where the operations of the API are, from their routes. */
export class Operations {
  readonly #routes = new Map<string, RouteOptions>();
  readonly #linked = new Map<string, Operation>();
  readonly #unaddressable: (operation: string) => void;

  /** @param unaddressable hears of each link that could not be given, since no path leads there */
  constructor(unaddressable: (operation: string) => void) {
    this.#unaddressable = unaddressable;
  }

  /**
   * @param id an `operationId`
   * @param route that has it; links need not lead there
   */
  add(id: string, route: RouteOptions): void {
    this.#routes.set(id, route);
  }

  /**
   * @param id an `operationId`
   * @returns whether a route has it
   */
  has(id: string): boolean {
    return this.#routes.has(id);
  }

  /**
   * @param id an `operationId` to which a link leads
   * @returns the operation
   * @throws {TypeError} when no route has it, or links cannot lead to that
   */
  get(id: string): Operation {
    const known = this.#linked.get(id);
    if (known !== undefined) return known;
    const route = this.#routes.get(id);
    if (route === undefined) throw new TypeError(`a link leads to ${id}, which no route is`);
    const operation = { method: String(route.method), path: new Path(route.url), route };
    this.#linked.set(id, operation);
    return operation;
  }

  /**
   * @param link that is declared
   * @param body from which it leads
   * @returns path and query, or a template of them; undefined when the resource does not have the link now
   */
  locate<Body>(link: Link<Body>, body: Body): string | undefined {
    const address = link.address(body);
    if (!address) return undefined;
    const { path } = this.get(link.to);
    if (link.open !== undefined) return path.template + (link.open.length === 0 ? '' : `{?${link.open.join(',')}}`);
    const filled = path.fill(address.path ?? {});
    if (filled === undefined) this.#unaddressable(link.to);
    return filled && filled + queryOf(address.query);
  }
}

/** A list is one pair for each of its values, as the client sends it. */
function queryOf(values: Readonly<Record<string, unknown>> = {}): string {
  const pairs = Object.entries(values).flatMap(([name, value]) =>
    [value].flat().flatMap((each): [string, string][] => (each === undefined ? [] : [[name, textOf(each)]])),
  );
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`;
}
