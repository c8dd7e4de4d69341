import { longestTimer } from '../../../pkg/context/index.ts';
import { conflict, invalidArgument, notFound } from '../../../pkg/errors/index.ts';
import type { Chain, Handle, Middleware, Next } from '../http/types.ts';
import type { Logger } from '../log/logger.ts';
import { type Step, Tally, measured } from './metrics.ts';

/** The part of a middleware that can change while the service runs. */
interface State {
  readonly isOn: boolean;
  /** Such as `GET /items/:id`; undefined: all. */
  readonly routes?: readonly string[] | undefined;
  /** When the change ends. */
  readonly until?: Date | undefined;
}

/** A middleware of the running service. */
export interface Entry {
  readonly name: string;
  /** The step of the chain in which it runs. */
  readonly place: Middleware;
  /** Whether it is part of the service: it can be switched off, but not removed. */
  readonly isDeclared: boolean;
  /** Whether it cannot be changed. */
  readonly isFixed: boolean;
  /** What an operator added. */
  readonly origin: Added['origin'];
  readonly tally: Tally;
  readonly step: Step;
  state: State;
}

/** A middleware that is added to the running service. */
export interface Added {
  readonly name: string;
  readonly handle: Handle;
  readonly origin?: { readonly kind: string; readonly settings: unknown } | undefined;
}

/** Where, and for how long, a change applies. */
export interface Change {
  /** Such as `GET /items/:id`; undefined: all. */
  readonly routes?: readonly string[] | undefined;
  /** Milliseconds after which the change is undone, 24 days at most; undefined: never. */
  readonly forMs?: number | undefined;
}

/** The neighbour of an added middleware; without one it is the last. */
export interface Where {
  readonly before?: string | undefined;
  readonly after?: string | undefined;
}

export interface RunningChainOptions {
  /** Of the API's server. */
  readonly chain: Chain;
  /** Maximum of added middleware: each costs time in every request. */
  readonly maxAdded: number;
  /** Gets a line for every change. */
  readonly log: Logger;
}

const asDeclared: State = { isOn: true };

/** The chain of middleware, which can be changed while requests pass it. A change applies to requests that reach its place later. */
export class RunningChain {
  readonly #options: RunningChainOptions;
  readonly #places = new Map<Middleware, Entry[]>();
  readonly #timers = new Map<Entry, NodeJS.Timeout>();
  /** For middleware without a neighbour: the caller is known there. */
  readonly #last: Middleware;

  /** @param options chain, limit and log */
  constructor(options: RunningChainOptions) {
    this.#options = options;
    this.#last = options.chain.add({ name: 'added', at: 'preParsing', handle: pass });
  }

  /** All middleware, also those that are off, in the order in which requests pass them. */
  get entries(): readonly Entry[] {
    return this.#options.chain.steps.flatMap((place) => this.#entriesAt(place));
  }

  /**
   * Adds a middleware, or replaces an added one of the same name.
   * @param given name and function
   * @param where its neighbour
   * @param change where, and for how long, it applies
   * @throws {ServiceError} 409 when the service has one of that name, or too many are added; 404 for an unknown neighbour
   */
  add(given: Added, where: Where = {}, change: Change = {}): void {
    const { name, origin } = given;
    const { maxAdded } = this.#options;
    const former = this.#find(name);
    if (former?.isDeclared) throw conflict(`The service has a middleware "${name}" of its own.`);
    if (former === undefined && this.entries.filter(({ isDeclared }) => !isDeclared).length >= maxAdded)
      throw conflict(`There are ${maxAdded} added middleware already.`, { code: 'middleware_full' });
    const { place, index } = this.#spot(where);
    const entry = entryOf(place, given, false);
    this.#places.set(place, this.#entriesAt(place).toSpliced(index, 0, entry));
    if (former !== undefined) this.#takeOut(former);
    this.#change(entry, 'added', change, { ...where, ...origin });
  }

  /**
   * Switches a middleware of the service on, for all routes or some.
   * @param name of the middleware
   * @param change where, and for how long, it applies
   * @throws {ServiceError} 404 when there is none, 409 when it is fixed
   */
  switchOn(name: string, change: Change = {}): void {
    this.#change(this.#changeable(name), 'on', change);
  }

  /**
   * Removes a middleware that was added, or switches one of the service off.
   * @param name of the middleware
   * @param change for how long it is off
   * @throws {ServiceError} 404 when there is none, 409 when it is fixed
   */
  remove(name: string, { forMs }: Pick<Change, 'forMs'> = {}): void {
    const entry = this.#changeable(name);
    if (entry.isDeclared) this.#change(entry, 'off', { forMs });
    else this.#undo(entry);
  }

  /** Undoes all changes. */
  reset(): void {
    for (const entry of this.entries) if (!entry.isDeclared || entry.state !== asDeclared) this.#undo(entry);
  }

  /** Stops the timers. */
  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  #find(name: string): Entry | undefined {
    return this.entries.find((entry) => entry.name === name);
  }

  #changeable(name: string): Entry {
    const entry = this.#find(name);
    if (entry === undefined) throw notFound('middleware', name);
    if (entry.isFixed) throw conflict(`"${name}" is fixed and cannot be changed.`, { code: 'middleware_fixed' });
    return entry;
  }

  #entriesAt(place: Middleware): Entry[] {
    let entries = this.#places.get(place);
    if (entries === undefined) {
      entries = place === this.#last ? [] : [entryOf(place, place, true)];
      this.#places.set(place, entries);
      this.#apply(place);
    }
    return entries;
  }

  #spot({ before, after }: Where): { place: Middleware; index: number } {
    if (before !== undefined && after !== undefined) throw invalidArgument('Use either "before" or "after".');
    const name = before ?? after;
    if (name === undefined) return { place: this.#last, index: this.#entriesAt(this.#last).length };
    const neighbour = this.#find(name);
    if (neighbour === undefined) throw notFound('middleware', name);
    const { place } = neighbour;
    return { place, index: this.#entriesAt(place).indexOf(neighbour) + (before === undefined ? 1 : 0) };
  }

  #change(entry: Entry, change: 'added' | 'on' | 'off', { routes, forMs }: Change, more: object = {}): void {
    this.#stopTimer(entry);
    const ms = forMs === undefined ? undefined : Math.min(forMs, longestTimer);
    const until = ms === undefined ? undefined : new Date(Date.now() + ms);
    const isAsDeclared = change !== 'off' && routes === undefined && until === undefined;
    entry.state = isAsDeclared ? asDeclared : { isOn: change !== 'off', routes, until };
    if (ms !== undefined) this.#timers.set(entry, setTimeout(() => this.#undo(entry), ms).unref());
    this.#apply(entry.place);
    this.#report(entry.name, change, { routes, until, ...more });
  }

  /** Restores the state that the code declares: on, or removed. */
  #undo(entry: Entry): void {
    if (entry.isDeclared) return this.#change(entry, 'on', {});
    this.#takeOut(entry);
    this.#report(entry.name, 'removed');
  }

  #takeOut(entry: Entry): void {
    const { place } = entry;
    this.#stopTimer(entry);
    const others = this.#entriesAt(place).filter((each) => each !== entry);
    this.#places.set(place, others);
    this.#apply(place);
  }

  #stopTimer(entry: Entry): void {
    clearTimeout(this.#timers.get(entry));
    this.#timers.delete(entry);
  }

  #apply(place: Middleware): void {
    const on = this.#entriesAt(place).filter(({ state }) => state.isOn);
    place.handle = inTurn(on.map(({ step, state }) => ({ step, routes: state.routes && new Set(state.routes) })));
  }

  #report(middleware: string, change: string, more: object = {}): void {
    this.#options.log.warn({ middleware, change, ...more }, 'middleware changed');
  }
}

function entryOf(place: Middleware, given: Added & { readonly fixed?: boolean }, isDeclared: boolean): Entry {
  const { name, handle, origin, fixed: isFixed = false } = given;
  const tally = new Tally();
  return { name, place, isDeclared, isFixed, origin, tally, step: measured(handle, tally), state: asDeclared };
}

const pass: Step = (_request, _reply, next) => next();

/** A step, and the routes to which it applies; undefined: all. */
interface Routed {
  readonly step: Step;
  readonly routes: ReadonlySet<string> | undefined;
}

/** Runs one step after another, without those that do not apply to the route of the request. */
function inTurn(steps: readonly Routed[]): Step {
  const [first, ...others] = steps;
  if (first === undefined) return pass;
  const rest = inTurn(others);
  return (request, reply, next) => {
    const goOn: Next = (error) => (error ? next(error) : rest(request, reply, next));
    // HEAD is GET without a body.
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const applies = first.routes === undefined || first.routes.has(`${method} ${request.routeOptions.url}`);
    if (applies) first.step(request, reply, others.length === 0 ? next : goOn);
    else goOn();
  };
}
