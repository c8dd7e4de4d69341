import { AsyncLocalStorage } from 'node:async_hooks';
import { cancelled, deadlineExceeded, type ServiceError } from '../errors/index.ts';
import { formatTraceparent, newSpanId, newTraceId, noTrace, type Trace } from './trace.ts';

export { formatTraceparent, newSpanId, newTraceId, noTrace, parseTrace, type Trace } from './trace.ts';

/**
 * @param what ran out of time, for the log
 * @returns the error of work whose deadline has passed; the caller gets 504
 */
export function outOfTime(what: string): ServiceError {
  const cause = new Error(`${what}: no time left`);
  return deadlineExceeded('The time allowed for this request is over.', { cause });
}

/**
 * @param why for the log
 * @returns the error of work whose caller does not wait any more; its status, 499, appears in logs only
 */
export function givenUp(why: string): ServiceError {
  return cancelled('The request was given up.', { cause: new Error(why) });
}

/** The reason when work has ended as usual. Creating an error is expensive, so all contexts share one. */
const usualEnd = givenUp('the request has ended: run work that must outlive it with `detach`');

/** The key of a value in a context, with the value's type. */
export interface ContextKey<Value> {
  readonly description: string;
  /** Carries the type; never set. */
  readonly type?: Value;
}

/**
 * @param description for people
 * @returns a key that equals no other key
 */
export function contextKey<Value>(description: string): ContextKey<Value> {
  return { description };
}

export interface ContextOptions {
  /** For example the id of the request. Every log line shows it. */
  readonly id: string;
  /** By default a new trace that is not sampled. */
  readonly trace?: Trace;
  /** By `performance.now()`, which does not follow the clock; by default none. */
  readonly deadline?: number;
  /** The context whose values, deadline and cancellation also apply here. */
  readonly parent?: Context | undefined;
}

/** The longest time that a timer of Node waits, in milliseconds (about 24 days). A longer timer fires at once. */
export const longestTimer = 2 ** 31 - 1;

/** What a piece of work carries into all that it calls: id, trace, deadline, cancellation, values. */
export class Context {
  readonly id: string;
  /** The position of the work in its trace. Code that begins a span for the whole work replaces it. */
  trace: Trace;
  /** By `performance.now()`; Infinity without a deadline. */
  readonly deadline: number;
  readonly #parent: Context | undefined;
  #values: Map<ContextKey<unknown>, unknown> | undefined;
  #controller: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Set when the work has been cancelled. */
  #reason: Error | undefined;

  constructor({ id, trace, deadline = Infinity, parent }: ContextOptions) {
    this.id = id;
    this.trace = trace ?? { traceId: newTraceId(), spanId: newSpanId(), sampled: false };
    this.deadline = parent === undefined ? deadline : Math.min(deadline, parent.deadline);
    this.#parent = parent;
  }

  /** @returns milliseconds until the deadline: Infinity without one, 0 when it has passed */
  remainingMs(): number {
    return Math.max(this.deadline - performance.now(), 0);
  }

  /** Aborts at the deadline or on `cancel`. Signal and timer are created on first use, because most requests need neither. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      const reason = this.ended();
      if (reason === undefined) this.watch();
      else this.#controller.abort(reason);
    }
    return this.#controller.signal;
  }

  /** @returns why the work has ended; undefined while it goes on */
  ended(): Error | undefined {
    if (this.#reason !== undefined) return this.#reason;
    return performance.now() >= this.deadline ? outOfTime(this.id) : this.#parent?.ended();
  }

  /** @throws the reason, when the deadline has passed or the work was cancelled */
  throwIfEnded(): void {
    const reason = this.ended();
    if (reason !== undefined) throw reason;
  }

  /**
   * @param key made by `contextKey`
   * @returns the value set here or in a parent, if any
   */
  get<Value>(key: ContextKey<Value>): Value | undefined {
    const values = this.#values;
    // `set` stores only values of the key's type.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    if (values?.has(key)) return values.get(key) as Value;
    return this.#parent?.get(key);
  }

  /** Sets a value for this work and all that it calls. */
  set<Value>(key: ContextKey<Value>, value: Value): void {
    this.#values ??= new Map();
    this.#values.set(key, value);
  }

  /**
   * @param timeoutMs milliseconds that the part may take, at most the time that is left here
   * @returns a context for a part of the work. Cancel it when the part is done
   */
  child(timeoutMs = Infinity): Context {
    // The background never ends, so nothing would remove the listeners of its children.
    const parent = this === background ? undefined : this;
    return new Context({ id: this.id, trace: this.trace, deadline: performance.now() + timeoutMs, parent });
  }

  /**
   * Ends the work and aborts its signal and those of its children. Only the first call counts.
   * @param reason of the abort; by default that the work has ended
   */
  cancel(reason: Error = usualEnd): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    clearTimeout(this.#timer);
    this.#controller?.abort(reason);
  }

  /** Called when the signal is created. A subclass that has another reason to end starts to watch for it here. */
  protected watch(): void {
    const leftMs = this.remainingMs();
    if (leftMs <= longestTimer) this.#timer = setTimeout(() => this.cancel(outOfTime(this.id)), leftMs).unref();
    const parent = this.#parent;
    const follow = (): void => this.cancel(parent?.ended());
    parent?.signal.addEventListener('abort', follow, { once: true, signal: this.signal });
  }
}

/** The context outside of any other, for example while the service starts. It has no trace and never ends. */
export const background: Context = Object.assign(new Context({ id: '', trace: noTrace }), { cancel() {} });

const storage = new AsyncLocalStorage<Context>({ defaultValue: background });

/** @returns the context of the calling work, or `background` */
export function current(): Context {
  return storage.getStore() ?? background;
}

/**
 * Runs work in a context.
 * @param context of the work
 * @param work to run
 * @param args passed to `work`, which saves a closure
 * @returns what `work` returns
 */
export function runWith<Args extends unknown[], Value>(
  context: Context,
  work: (...args: Args) => Value,
  ...args: Args
): Value {
  // Node copies all that follows the work into a new Map when it enters a context.
  return storage.getStore() === context ? work(...args) : storage.run(context, work, ...args);
}

/**
 * Runs a part of the current work under a time limit. When the part ends, everything that it started and did not await is aborted.
 * @param timeoutMs milliseconds, at most the time that the current work has left
 * @param work to run
 * @returns what `work` returns
 */
export async function withTimeout<Value>(timeoutMs: number, work: () => Promise<Value>): Promise<Value> {
  const context = current().child(timeoutMs);
  try {
    return await runWith(context, work);
  } finally {
    context.cancel();
  }
}

/** What tracing adds to work that is recorded. */
export interface Recorder {
  /** `fetch` with a span for each call. */
  readonly fetch: typeof fetch;
  /** @returns a context for detached work, with a span that links to the current one; undefined when that is not recorded */
  readonly detached: (name: string) => Context | undefined;
}

/** Only contexts that are recorded hold it. `pkg` does not know who records. */
export const recorder = contextKey<Recorder>('recorder');

/** The detached work of this process. */
const ongoing = new Set<{ readonly name: string; readonly context: Context; readonly result: Promise<unknown> }>();

/**
 * Runs work that outlives the current request. It keeps the id of the request. It has no deadline, and a trace of its own.
 * A service that stops waits for it as long as for requests, then aborts its signal.
 * @param name the kind of work, without ids, for its span and the log
 * @param work to run
 * @returns what `work` returns. The caller must handle its errors
 */
export async function detach<Value>(name: string, work: () => Promise<Value>): Promise<Value> {
  const request = current();
  const context = request.get(recorder)?.detached(name) ?? new Context({ id: request.id });
  const result = runWith(context, async () => work());
  const detached = { name, context, result };
  ongoing.add(detached);
  try {
    return await result;
  } finally {
    ongoing.delete(detached);
    context.cancel();
  }
}

/** Waits until no detached work is left, including work that begins meanwhile. */
export async function finishDetachedWork(): Promise<void> {
  while (ongoing.size > 0) await Promise.allSettled(Array.from(ongoing, ({ result }) => result));
}

/**
 * Aborts the signal of all detached work.
 * @returns the number of pieces of work by name
 */
export function giveUpDetachedWork(): Record<string, number> {
  const pieces: Record<string, number> = {};
  for (const { name, context } of ongoing) {
    pieces[name] = (pieces[name] ?? 0) + 1;
    context.cancel(givenUp('the service stops'));
  }
  return pieces;
}

/** The headers that carry a context. */
export const headerNames = {
  id: 'x-request-id',
  /** Whole milliseconds that the callee may take, at least 1. */
  timeout: 'x-request-timeout',
  traceparent: 'traceparent',
  tracestate: 'tracestate',
} as const;

/** Milliseconds of the time left that a callee does not get: for the network and for what follows the call. */
const overheadMs = 10;

/**
 * @param context of the calling work
 * @returns the headers that carry the context to the callee
 * @throws {ServiceError} 504 when no time is left
 */
export function outgoingHeaders(context: Context): Record<string, string> {
  context.throwIfEnded();
  const headers: Record<string, string> = {};
  const { id, trace } = context;
  if (id !== '') headers[headerNames.id] = id;
  if (trace.traceId !== noTrace.traceId) {
    headers[headerNames.traceparent] = formatTraceparent(trace);
    if (trace.state !== undefined) headers[headerNames.tracestate] = trace.state;
  }
  const leftMs = Math.floor(context.remainingMs() - overheadMs);
  if (leftMs < 1) throw outOfTime(`call from ${id}`);
  if (leftMs !== Infinity) headers[headerNames.timeout] = String(leftMs);
  return headers;
}

/**
 * Reads `X-Request-Timeout`: whole milliseconds that the caller waits, decimal, at least 1.
 * @param value of the header
 * @param maxMs upper limit of the result
 * @returns milliseconds; undefined when the header is missing or malformed
 */
export function parseTimeout(value: string | undefined, maxMs: number): number | undefined {
  return value !== undefined && /^0*[1-9]\d*$/.test(value) ? Math.min(Number(value), maxMs) : undefined;
}

/**
 * `fetch` that passes the context on: the callee gets the request's id, its trace and the time left, and the call ends with the
 * request. In a recorded trace the call is a span, which ends when the head of the reply arrives or the call fails.
 * @param input a URL or a request
 * @param options of `fetch`; its own signal ends the call too
 * @returns the reply
 * @throws {ServiceError} 504 when no time is left, before or during the call; otherwise what `fetch` throws
 */
export async function contextFetch(input: string | URL | Request, options?: RequestInit): Promise<Response> {
  const context = current();
  const request = new Request(input, options);
  for (const [name, value] of Object.entries(outgoingHeaders(context))) {
    // The client of a service has a deadline of its own, which may come first.
    const ownMs = name === headerNames.timeout && parseTimeout(request.headers.get(name) ?? undefined, Number(value));
    request.headers.set(name, ownMs ? String(ownMs) : value);
  }
  const send = context.get(recorder)?.fetch ?? fetch;
  return send(request, { signal: AbortSignal.any([context.signal, request.signal]) });
}
