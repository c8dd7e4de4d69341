import { conflict, notFound } from '../../../pkg/errors/index.ts';
import type { Chain, Handle, Middleware } from '../http/types.ts';
import type { Logger } from '../log/logger.ts';

/** A middleware of the running service. */
export interface Entry {
  readonly step: Middleware;
  isOn: boolean;
  /** When it is switched on again. */
  until?: Date | undefined;
  timer?: NodeJS.Timeout | undefined;
  /** Requests that have passed it or were answered by it, and the time that they spent in it. */
  requests: number;
  seconds: number;
}

/** The chain of middleware: measured, and switched off and on while requests pass it. */
export class RunningChain {
  readonly #chain: Chain;
  readonly #log: Logger;
  readonly #entries = new Map<Middleware, Entry>();

  /**
   * @param chain of the API's server
   * @param log gets a line for every change
   */
  constructor(chain: Chain, log: Logger) {
    this.#chain = chain;
    this.#log = log;
  }

  /** All middleware, also those that are off, in the order in which requests pass them. They are measured from the first call on. */
  get entries(): readonly Entry[] {
    return this.#chain.steps.map((step) => {
      const known = this.#entries.get(step);
      if (known !== undefined) return known;
      const entry: Entry = { step, isOn: true, requests: 0, seconds: 0 };
      step.handle = measured(step.handle, entry);
      this.#entries.set(step, entry);
      return entry;
    });
  }

  /**
   * @param name of the middleware
   * @param isOn whether requests pass it from now on
   * @param seconds after which it is switched on again; undefined: never
   * @throws {ServiceError} 404 when there is none, 409 when it is fixed
   */
  switch(name: string, isOn: boolean, seconds?: number): void {
    const entry = this.entries.find(({ step }) => step.name === name);
    if (entry === undefined) throw notFound('middleware', name);
    if (entry.step.fixed) throw conflict(`"${name}" is fixed and cannot be changed.`, { code: 'middleware_fixed' });
    this.#set(entry, isOn, seconds);
  }

  /** Switches all on. */
  reset(): void {
    for (const entry of this.entries) if (!entry.isOn) this.#set(entry, true);
  }

  #set(entry: Entry, isOn: boolean, seconds?: number): void {
    clearTimeout(entry.timer);
    entry.isOn = isOn;
    entry.until = seconds === undefined ? undefined : new Date(Date.now() + seconds * 1000);
    entry.timer = seconds === undefined ? undefined : setTimeout(() => this.#set(entry, true), seconds * 1000).unref();
    this.#log.warn({ middleware: entry.step.name, on: isOn, until: entry.until }, 'middleware changed');
  }
}

function measured(handle: Handle, entry: Entry): Handle {
  return (request, reply, next) => {
    if (!entry.isOn) return next();
    const begun = performance.now();
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      entry.requests += 1;
      entry.seconds += (performance.now() - begun) / 1000;
    };
    const result = handle(request, reply, (error) => {
      end();
      next(error);
    });
    if (result instanceof Promise) return result.finally(end);
    if (reply.sent) end();
    return result;
  };
}
