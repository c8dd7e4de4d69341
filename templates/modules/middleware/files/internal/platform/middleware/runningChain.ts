import { longestTimer } from '../../../pkg/context/index.ts';
import { conflict, invalidArgument, notFound } from '../../../pkg/errors/index.ts';
import type { Chain, Middleware } from '../http/server.ts';
import type { Logger } from '../log/logger.ts';
import { type Added, type Entry, added, asDeclared, declared } from './entry.ts';
import { inTurn, pass } from './inTurn.ts';

/** How something is changed: where it applies, and for how long. */
export interface Change {
  /** Such as `GET /items/:id`; all without it. */
  readonly routes?: readonly string[] | undefined;
  /** Milliseconds after which it is again as the code has it; 24 days at most. Without it the change stays while the process lives. */
  readonly forMs?: number | undefined;
}

/** Beside whom something is added; behind all others without it. */
export interface Where {
  readonly before?: string | undefined;
  readonly after?: string | undefined;
}

export interface RunningChainOptions {
  /** Of the API's server. */
  readonly chain: Chain;
  /** How many may be added. */
  readonly most: number;
  /** Hears of every change. */
  readonly log: Logger;
}

/**
 * What requests pass, changed while they do. A request goes on through the middleware of a place as they were when it came there;
 * what is changed holds for the next.
 */
export class RunningChain {
  readonly #options: RunningChainOptions;
  readonly #places = new Map<Middleware, Entry[]>();
  readonly #timers = new Map<Entry, NodeJS.Timeout>();
  /** Of what is added beside nobody: by then it is known who asks. */
  readonly #last: Middleware;

  /** @param options what it runs on, and who hears of it */
  constructor(options: RunningChainOptions) {
    this.#options = options;
    this.#last = options.chain.add({ name: 'added', at: 'preParsing', handle: pass });
  }

  /** All there are, those that are off among them, in the order in which requests pass them. */
  get entries(): readonly Entry[] {
    return this.#options.chain.steps.flatMap((place) => this.#entriesAt(place));
  }

  /** Takes up what modules have added at start; what comes later is taken up when it is asked for. */
  takeUp(): void {
    for (const place of this.#options.chain.steps) this.#entriesAt(place);
  }

  /**
   * Adds a middleware, or one in place of another that was added by that name.
   * @param given its name and what it does
   * @param where it stands
   * @param change where it applies, and for how long
   * @throws {ServiceError} 409 when the service has one of that name, or when there are too many; 404 when there is nobody to stand beside
   */
  add(given: Added, where: Where = {}, change: Change = {}): void {
    const { name } = given;
    const former = this.#find(name);
    if (former?.isDeclared) throw conflict(`The service has a middleware "${name}" of its own.`);
    if (former === undefined && this.#added.length >= this.#options.most)
      throw conflict(`There are ${this.#options.most} already: MIDDLEWARE_ADDED_MAX.`, { code: 'middleware_full' });
    const { place, index } = this.#spot(where);
    const entry = added(place, given);
    this.#places.set(place, this.#entriesAt(place).toSpliced(index, 0, entry));
    if (former !== undefined) this.#takeOut(former);
    this.#change(entry, 'added', change, { ...where, ...given.origin });
  }

  /**
   * Has one that is part of the service applied again, everywhere or on some routes.
   * @param name of it
   * @param change where it applies, and for how long
   * @throws {ServiceError} 404 when there is none, 409 when it is not to be changed
   */
  switchOn(name: string, change: Change = {}): void {
    this.#change(this.#changeable(name), 'on', change);
  }

  /**
   * Removes one that was added; one that is part of the service is switched off.
   * @param name of it
   * @param change for how long it is off
   * @throws {ServiceError} 404 when there is none, 409 when it is not to be changed
   */
  remove(name: string, { forMs }: Pick<Change, 'forMs'> = {}): void {
    const entry = this.#changeable(name);
    if (entry.isDeclared) this.#change(entry, 'off', { forMs });
    else this.#goBack(entry);
  }

  /** Has all as the code has it. */
  reset(): void {
    for (const entry of this.entries) if (!entry.isDeclared || entry.state !== asDeclared) this.#goBack(entry);
  }

  /** Ends the clocks that are still to change something. */
  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  get #added(): Entry[] {
    return this.entries.filter(({ isDeclared }) => !isDeclared);
  }

  #find(name: string): Entry | undefined {
    return this.entries.find((entry) => entry.name === name);
  }

  #changeable(name: string): Entry {
    const entry = this.#find(name);
    if (entry === undefined) throw notFound('middleware', name);
    if (entry.isFixed) throw conflict(`"${name}" stays as it is.`, { code: 'middleware_fixed' });
    return entry;
  }

  #entriesAt(place: Middleware): Entry[] {
    let entries = this.#places.get(place);
    if (entries === undefined) {
      entries = place === this.#last ? [] : [declared(place)];
      this.#places.set(place, entries);
      this.#apply(place);
    }
    return entries;
  }

  #spot({ before, after }: Where): { place: Middleware; index: number } {
    if (before !== undefined && after !== undefined) throw invalidArgument('It stands before one, or after one.');
    const name = before ?? after;
    if (name === undefined) return { place: this.#last, index: this.#entriesAt(this.#last).length };
    const neighbour = this.#find(name);
    if (neighbour === undefined) throw notFound('middleware', name);
    const { place } = neighbour;
    return { place, index: this.#entriesAt(place).indexOf(neighbour) + (before === undefined ? 1 : 0) };
  }

  #change(entry: Entry, change: 'added' | 'on' | 'off', { routes, forMs }: Change, more: object = {}): void {
    this.#forget(entry);
    const ms = forMs === undefined ? undefined : Math.min(forMs, longestTimer);
    const until = ms === undefined ? undefined : new Date(Date.now() + ms);
    const isAsDeclared = change !== 'off' && routes === undefined && until === undefined;
    entry.state = isAsDeclared ? asDeclared : { isOn: change !== 'off', routes, until };
    if (ms !== undefined) this.#timers.set(entry, setTimeout(() => this.#goBack(entry), ms).unref());
    this.#apply(entry.place);
    this.#tell(entry.name, change, { routes, until, ...more });
  }

  /** To what the code says: on, or gone. */
  #goBack(entry: Entry): void {
    if (entry.isDeclared) return this.#change(entry, 'on', {});
    this.#takeOut(entry);
    this.#tell(entry.name, 'removed');
  }

  #takeOut(entry: Entry): void {
    const { place } = entry;
    this.#forget(entry);
    this.#places.set(
      place,
      this.#entriesAt(place).filter((each) => each !== entry),
    );
    this.#apply(place);
  }

  #forget(entry: Entry): void {
    clearTimeout(this.#timers.get(entry));
    this.#timers.delete(entry);
  }

  #apply(place: Middleware): void {
    const all = this.#entriesAt(place).filter(({ state }) => state.isOn);
    place.handle = inTurn(all.map(({ step, state }) => ({ step, routes: state.routes && new Set(state.routes) })));
  }

  #tell(middleware: string, change: string, more: object = {}): void {
    this.#options.log.warn({ middleware, change, ...more }, 'middleware changed');
  }
}
