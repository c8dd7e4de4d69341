import { AsyncLocalStorage } from 'node:async_hooks';
import { cancelled, deadlineExceeded, type ServiceError } from '../errors/index.ts';
import { newSpanId, newTraceId, noTrace, type Trace } from './trace.ts';

/**
 * @param what ran out of time, for the log
 * @returns the error of work whose deadline has passed: 504 for whoever asked
 */
export function outOfTime(what: string): ServiceError {
  const cause = new Error(`${what}: no time left`);
  return deadlineExceeded('The time allowed for this request is over.', { cause });
}

/**
 * @param why for the log
 * @returns the error of work that nobody waits for any more; its status, 499, is seen in logs alone
 */
export function givenUp(why: string): ServiceError {
  return cancelled('The request was given up.', { cause: new Error(why) });
}

/** Names a value of one type in a context; made by `contextKey`. */
export interface ContextKey<Value> {
  readonly description: string;
  /** Ties the type to the key; never there. */
  readonly type?: Value;
}

/**
 * @param description for people
 * @returns a key that equals no other
 */
export function contextKey<Value>(description: string): ContextKey<Value> {
  return { description };
}

export interface ContextOptions {
  /** Of the request, say: stands in every log line. */
  readonly id: string;
  /** A new trace, not sampled, unless told. */
  readonly trace?: Trace;
  /** The trace of what this work was started from, when that is another one. */
  readonly link?: Trace;
  /** The end of its time by `performance.now()`, which no change of the clock moves; none unless told. */
  readonly deadline?: number;
  /** Whose values, deadline and cancellation it shares. */
  readonly parent?: Context | undefined;
}

/** Longest time a timer of Node can wait, in milliseconds, some 24 days: one that is to wait longer goes off at once. */
export const longestTimer = 2 ** 31 - 1;

/** What a piece of work carries with it, however deep it calls: id, trace, deadline, cancellation, values. */
export class Context {
  readonly id: string;
  /** The trace of what this work was started from, when that is another one. */
  readonly link: Trace | undefined;
  /** Where the work stands in its trace; set anew by who begins a span for all of it. */
  trace: Trace;
  readonly #parent: Context | undefined;
  readonly #deadline: number;
  #values: Map<ContextKey<unknown>, unknown> | undefined;
  #controller: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  #reason: Error | undefined;
  #releases: (() => void)[] | undefined;

  /** @param options id and what else there is */
  constructor({ id, trace, link, deadline = Infinity, parent }: ContextOptions) {
    this.id = id;
    this.link = link;
    this.trace = trace ?? { traceId: newTraceId(), spanId: newSpanId(), sampled: false };
    this.#parent = parent;
    this.#deadline = parent === undefined ? deadline : Math.min(deadline, parent.deadline);
  }

  /** By `performance.now()`; Infinity when there is none. */
  get deadline(): number {
    return this.#deadline;
  }

  /** @returns milliseconds until the deadline: Infinity when there is none, 0 when it has passed */
  remainingMs(): number {
    return Math.max(this.deadline - performance.now(), 0);
  }

  /**
   * Aborts at the deadline, or when nobody waits for the work any more. It is made, and its timer with it, when it is first
   * asked for: most requests do without.
   */
  get signal(): AbortSignal {
    return (this.#controller ?? this.#open()).signal;
  }

  /** @throws the reason, when the deadline has passed or nobody waits any more */
  throwIfEnded(): void {
    const reason = this.ended();
    if (reason !== undefined) throw reason;
  }

  /**
   * @param key made by `contextKey`
   * @returns the value set here or further out, if there is one
   */
  get<Value>(key: ContextKey<Value>): Value | undefined {
    const values = this.#values;
    // Whatever stands under a key was set by it, and is of its type.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    if (values?.has(key)) return values.get(key) as Value;
    return this.#parent?.get(key);
  }

  /**
   * Sets a value for this work and all that it calls.
   * @param key made by `contextKey`
   * @param value of the key's type
   */
  set<Value>(key: ContextKey<Value>, value: Value): void {
    this.#values ??= new Map();
    this.#values.set(key, value);
  }

  /**
   * @param timeoutMs milliseconds that it may take; what this one has left is the most
   * @returns a context for a part of the work, which whoever does it cancels when it is done
   */
  child(timeoutMs = Infinity): Context {
    return new Context({ id: this.id, trace: this.trace, deadline: performance.now() + timeoutMs, parent: this });
  }

  /**
   * Ends the work: its signal aborts, and so do those of its children. Only the first time counts.
   * @param reason what the signal says; unless told, that the work is over
   */
  cancel(reason?: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#reason = reason;
    if (this.#controller !== undefined) {
      clearTimeout(this.#timer);
      this.#controller.abort(this.ended());
    }
    for (const release of this.#releases ?? []) release();
    this.#releases = undefined;
  }

  /**
   * @param release gives back what the work has taken; called once, when the work is over or given up
   */
  whenOver(release: () => void): void {
    if (this.#isOver) release();
    else (this.#releases ??= []).push(release);
  }

  /**
   * @param name what the work is called
   * @returns a context for work that outlives this one: without its deadline and cancellation, in a trace of its own
   */
  detached(name: string): Context {
    if (this.#parent !== undefined) return this.#parent.detached(name);
    return new Context({ id: this.id, link: this.trace });
  }

  /** @returns why the work has ended, if it has */
  ended(): Error | undefined {
    // Errors are dear: most contexts end without anybody asking why.
    if (this.#isOver) return (this.#reason ??= givenUp('the work is over: what shall outlive it has to be detached'));
    if (performance.now() >= this.deadline) return outOfTime(this.id);
    return this.#parent?.ended();
  }

  /** Called when the signal is made: a kind of context that ends in other ways begins to listen. */
  protected opened(): void {
    const parent = this.#parent;
    if (parent === undefined || parent === background) return;
    const { signal } = parent;
    const follow = (): void => this.cancel(signal.reason instanceof Error ? signal.reason : undefined);
    signal.addEventListener('abort', follow, { once: true, signal: this.signal });
  }

  #open(): AbortController {
    const controller = new AbortController();
    this.#controller = controller;
    const reason = this.ended();
    if (reason !== undefined) {
      controller.abort(reason);
      return controller;
    }
    // The parent's deadline is heard of from the parent.
    const isOwn = this.deadline < (this.#parent?.deadline ?? Infinity);
    if (isOwn && this.remainingMs() <= longestTimer) {
      this.#timer = setTimeout(() => this.cancel(outOfTime(this.id)), this.remainingMs()).unref();
    }
    this.opened();
    return controller;
  }
}

class Background extends Context {
  override cancel(): void {
    // Everything else is part of it.
  }
}

/** Where no other context is: while the service starts, say. It has no trace and never ends. */
export const background: Context = new Background({ id: '', trace: noTrace });

/** The one of the process. */
const storage = new AsyncLocalStorage<Context>({ defaultValue: background });

/** @returns the context of the work that this is called from; `background` when it is in none */
export function current(): Context {
  return storage.getStore() ?? background;
}

/**
 * Runs work in a context.
 * @param context of the work
 * @param work what to run
 * @param args what it is given: with them, no closure is needed
 * @returns what the work gives
 */
export function runWith<Args extends unknown[], Value>(
  context: Context,
  work: (...args: Args) => Value,
  ...args: Args
): Value {
  return storage.run(context, work, ...args);
}

/**
 * Runs work that may take no longer than so much, nor longer than what it is part of. It ends with its work: what it has
 * started and not waited for is aborted.
 * @param timeoutMs milliseconds
 * @param work what to run
 * @returns what the work gives
 */
export async function withTimeout<Value>(timeoutMs: number, work: () => Promise<Value>): Promise<Value> {
  const context = current().child(timeoutMs);
  try {
    return await runWith(context, work);
  } finally {
    context.cancel();
  }
}

/** Work that goes on after what it was started from. */
interface Detached {
  readonly name: string;
  readonly context: Context;
  /** When it is over, however that came; never rejects. */
  readonly over: Promise<void>;
}

/** All of it in this process. */
const ongoing = new Set<Detached>();

/**
 * Runs work that outlives what it was started from: it leaves the deadline and the cancellation of that, and keeps the trace of
 * it as a link. A service that stops waits for it as long as it waits for requests, and then aborts its signal.
 * @param name of the work, for its span and for the log; one for all work of its kind, without ids
 * @param work what to run
 * @returns what the work gives; what it throws is for the caller of this function to log
 */
export async function detach<Value>(name: string, work: () => Promise<Value>): Promise<Value> {
  const context = current().detached(name);
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const detached = { name, context, over };
  ongoing.add(detached);
  try {
    return await runWith(context, work);
  } finally {
    ongoing.delete(detached);
    context.cancel();
    resolve();
  }
}

/** Waits until no detached work goes on any more, that which begins meanwhile included. */
export async function finishDetachedWork(): Promise<void> {
  while (ongoing.size > 0) await Promise.all(Array.from(ongoing, ({ over }) => over));
}

/**
 * Aborts the signal of all detached work that goes on.
 * @returns how many pieces of it there are, by name
 */
export function giveUpDetachedWork(): Map<string, number> {
  const pieces = new Map<string, number>();
  for (const { name, context } of ongoing) {
    pieces.set(name, (pieces.get(name) ?? 0) + 1);
    context.cancel(givenUp('the service stops'));
  }
  return pieces;
}
