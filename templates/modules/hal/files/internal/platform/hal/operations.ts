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

/** Where the operations of the API are, from their routes: an operation has several when versions of the API have one each. */
export class Operations {
  readonly #routes = new Map<string, RouteOptions[]>();
  /** By the route from which a link leads; undefined stands for anywhere. */
  readonly #linked = new Map<RouteOptions | undefined, Map<string, Operation>>();
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
   * @param id an `operationId` to which a link leads
   * @param from the route whose reply has the link; left out where it does not matter
   * @returns the operation: of several routes, the one nearest to where the link stands
   * @throws {TypeError} when no route has it, or links cannot lead to that
   */
  get(id: string, from?: RouteOptions): Operation {
    const linked = this.#linked.get(from) ?? new Map<string, Operation>();
    this.#linked.set(from, linked);
    const known = linked.get(id);
    if (known !== undefined) return known;
    const route = nearest(this.#routes.get(id) ?? [], from);
    if (route === undefined) throw new TypeError(`a link leads to ${id}, which no route is`);
    const operation = { method: String(route.method), path: new Path(route.url), route };
    linked.set(id, operation);
    return operation;
  }

  /**
   * @param link that is declared
   * @param body from which it leads
   * @param from the route that gave it
   * @returns path and query, or a template of them; undefined when the resource does not have the link now
   */
  locate<Body>(link: Link<Body>, body: Body, from: RouteOptions): string | undefined {
    const address = link.address(body);
    if (!address) return undefined;
    const { path } = this.get(link.to, from);
    if (link.open !== undefined) return path.template + (link.open.length === 0 ? '' : `{?${link.open.join(',')}}`);
    const filled = path.fill(address.path ?? {});
    if (filled === undefined) this.#unaddressable(link.to);
    return filled && filled + queryOf(address.query);
  }
}

/**
 * Routes of one operation differ in where they begin (`/v2`), or in constraints: a link stays where it stands. One that stands beside
 * them all leads to the shortest, which is that of whoever names no version.
 */
function nearest(routes: readonly RouteOptions[], from: RouteOptions | undefined): RouteOptions | undefined {
  const isAlike = ({ constraints }: RouteOptions): boolean =>
    JSON.stringify(constraints) === JSON.stringify(from?.constraints);
  const [best] = routes.toSorted(
    (a, b) =>
      sharedSteps(b.url, from?.url) - sharedSteps(a.url, from?.url) ||
      Number(isAlike(b)) - Number(isAlike(a)) ||
      a.url.length - b.url.length,
  );
  return best;
}

/** How many steps two paths have in common before they part. */
function sharedSteps(url: string, other = ''): number {
  const [steps, others] = [url.split('/'), other.split('/')];
  const parted = steps.findIndex((step, index) => step !== others[index]);
  return parted === -1 ? steps.length : parted;
}

/** A list is one pair for each of its values, as the client sends it. */
function queryOf(values: Readonly<Record<string, unknown>> = {}): string {
  const pairs = Object.entries(values).flatMap(([name, value]) =>
    [value].flat().flatMap((each): [string, string][] => (each === undefined ? [] : [[name, textOf(each)]])),
  );
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`;
}
