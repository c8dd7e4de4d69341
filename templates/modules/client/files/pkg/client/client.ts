import createFetchClient, {
  type FetchOptions,
  type HeadersOptions,
  type MaybeOptionalInit,
  type Middleware,
  defaultPathSerializer,
  mergeHeaders,
} from 'openapi-fetch';
import { ServiceError, deadlineExceeded, invalidArgument, unavailable } from '../errors/index.ts';

/** How to call a service. */
export interface ClientOptions<Media extends string = string> {
  /** Where the service is: `http://orders:8080`. */
  readonly baseUrl: string | URL;
  /** The media type to ask for, where operations have it: `application/hal+json`. The default is JSON. */
  readonly accept?: Media;
  /** Milliseconds for a call with all its attempts; the default is 10 seconds. */
  readonly timeoutMs?: number;
  /** Max number of attempts of a call that is safe to repeat; the default is 3. */
  readonly attempts?: number;
  /** Gives the bearer token of each call. */
  readonly token?: () => string | Promise<string>;
  /** In place of the global one: `contextFetch` of pkg/context in a service, so that calls belong to the request that it handles. */
  readonly fetch?: (request: Request) => Promise<Response>;
}

/** Options of one call, beside those of openapi-fetch. */
export interface CallOptions {
  /** Milliseconds for the call with all its attempts. */
  readonly timeoutMs?: number;
  /** A link to follow, in place of path and query. It has to lead to the same service. */
  readonly at?: string | URL;
}

type Verb = 'get' | 'put' | 'post' | 'patch' | 'delete' | 'head' | 'options';

type Init<Operation> = Omit<FetchOptions<Operation>, 'fetch'> & CallOptions;

/** The part of an `Init` that does not depend on the operation. */
type AnyInit = CallOptions & Pick<RequestInit, 'signal'> & { headers?: HeadersOptions };

/** With a link, a call needs no parameters. */
type InitWithLink<Operation> = Omit<Init<Operation>, 'params' | 'at'> & { readonly at: string | URL };

/** The body in the media type of the client, else in JSON, else in any that there is. */
type Content<Response, Media extends string> = Response extends { content: infer Types }
  ? Media extends keyof Types
    ? Types[Media]
    : 'application/json' extends keyof Types
      ? Types['application/json']
      : Types[keyof Types]
  : undefined;

type Data<Operation, Media extends string> = Operation extends { responses: infer Responses }
  ? {
      [Status in keyof Responses]: `${Status & (string | number)}` extends `2${string}`
        ? Content<Responses[Status], Media>
        : never;
    }[keyof Responses]
  : never;

type PathsWith<Paths, Of extends Verb> = {
  [Path in keyof Paths]: Paths[Path] extends Record<Of, unknown> ? Path : never;
}[keyof Paths];

type Method<Paths extends {}, Of extends Verb, Media extends string> = <
  Path extends PathsWith<Paths, Of>,
  Operation extends Paths[Path][Of & keyof Paths[Path]],
>(
  path: Path,
  ...init: undefined extends MaybeOptionalInit<Paths[Path], Of & keyof Paths[Path]>
    ? [init?: Init<Operation> | InitWithLink<Operation>]
    : [init: Init<Operation> | InitWithLink<Operation>]
) => Promise<{
  readonly data: Data<Operation, Media>;
  readonly response: Response;
}>;

/** The client of openapi-fetch, except that a call throws a `ServiceError` in place of returning `error`. */
export type Client<Paths extends {}, Media extends string = 'application/json'> = {
  readonly [Of in Verb as Uppercase<Of>]: Method<Paths, Of, Media>;
};

/** The cause of a `ServiceError` that came as a reply. */
export class ProblemReply extends Error {
  override readonly name = 'ProblemReply';
  readonly status: number;
  /** The problem details (RFC 9457); empty when the reply has none, for example because a proxy has written it. */
  readonly problem: Readonly<Record<string, unknown>>;

  constructor(status: number, problem: Readonly<Record<string, unknown>>) {
    super(`the service has answered ${status}`);
    this.status = status;
    this.problem = problem;
  }
}

const usual = 'application/json, application/problem+json, */*;q=0.1';
/** RFC 9110, 9.2.2: safe methods are idempotent too. */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
/** The max delay of a timer, in milliseconds. */
const longestTimer = 2 ** 31 - 1;
/** Max milliseconds before the second attempt. */
const firstWaitMs = 100;

/**
 * Makes a client of an API. A call throws a `ServiceError`: with code and status of the problem in the reply, `unavailable` when the
 * service was not reached, `deadline_exceeded` when the time is up, `malformed_reply` when the reply cannot be parsed. It repeats
 * requests that are idempotent or have an Idempotency-Key, after a failed connection, on 429, 502, 503, 504 and on any error with
 * Retry-After, and never beyond the deadline.
 * @param options where the service is, and how to call it
 * @returns the client
 */
export function clientOf<Paths extends {}, Media extends string = 'application/json'>(
  options: ClientOptions<Media>,
): Client<Paths, Media> {
  const { baseUrl, accept, timeoutMs: usualTimeoutMs = 10_000, attempts = 3, token, fetch: send = fetch } = options;
  const api = createFetchClient<Record<string, Record<Verb, {}>>>({
    baseUrl: String(baseUrl),
    headers: { accept: accept === undefined ? usual : `${accept}, application/json;q=0.9, */*;q=0.1` },
    pathSerializer: serializePath,
  });
  api.use(throwProblems);

  const method =
    (verb: Verb) =>
    async (path: string, { timeoutMs = usualTimeoutMs, at, signal: given, headers, ...init }: AnyInit = {}) => {
      const link = at === undefined ? undefined : linkWithin(baseUrl, at);
      const ms = Math.min(timeoutMs, longestTimer);
      const deadline = performance.now() + ms;
      const timeout = new AbortController();
      const giveUp = (): void => timeout.abort(deadlineExceeded('The service has not answered in time.'));
      const timer = setTimeout(giveUp, ms);
      const signal = AbortSignal.any([timeout.signal, ...(given ? [given] : [])]);
      let isRepeatable = false;
      const attempt = (authorization: string | undefined) =>
        api.request(verb, path, {
          ...init,
          headers: mergeHeaders({ authorization }, headers),
          signal,
          fetch(made) {
            const request = link === undefined ? made : new Request(link, made);
            isRepeatable = idempotent.has(request.method) || request.headers.has('idempotency-key');
            request.headers.set('x-request-timeout', String(Math.max(Math.floor(deadline - performance.now()), 1)));
            return send(request);
          },
        });
      try {
        const authorization = token && `Bearer ${await orAborted(token, signal)}`;
        for (let count = 1; ; count += 1) {
          try {
            return await attempt(authorization);
          } catch (error) {
            signal.throwIfAborted();
            const fault = faultOf(error, `${verb.toUpperCase()} ${path}`);
            const waitMs = waitAfter(fault, count);
            if (waitMs === undefined || !isRepeatable || count >= attempts) throw fault;
            if (performance.now() + waitMs >= deadline) throw fault;
            await wait(waitMs, signal);
          }
        }
      } finally {
        clearTimeout(timer);
      }
    };

  const client = {
    GET: method('get'),
    PUT: method('put'),
    POST: method('post'),
    PATCH: method('patch'),
    DELETE: method('delete'),
    HEAD: method('head'),
    OPTIONS: method('options'),
  };
  // An error is always thrown, so the replies that are left have `data`.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return client as unknown as Client<Paths, Media>;
}

/** Statuses with which a service, or a proxy before it, says that it could not try. */
const transient = new Set([429, 502, 503, 504]);

/** Throws a `ServiceError` for each reply that is an error. */
const throwProblems: Middleware = {
  async onResponse({ request, schemaPath, response }) {
    if (response.ok) return;
    const { status, headers } = response;
    const problem = objectIn(await response.text());
    const textOf = (name: string): string | undefined => {
      const { [name]: value } = problem;
      return typeof value === 'string' ? value : undefined;
    };
    const { details } = problem;
    const waitMs = retryAfterMs(headers.get('retry-after'));
    // The log of the other service has this id.
    const calledRequestId = textOf('requestId') ?? headers.get('x-request-id');
    throw new ServiceError({
      code: textOf('code') ?? `http_${status}`,
      // A reply that is neither success nor error is not in the contract.
      status: status < 400 ? 502 : status,
      publicMessage: textOf('detail') ?? textOf('title') ?? `The service has answered ${status}.`,
      ...(isObject(details) && { details }),
      retryable: transient.has(status) || waitMs !== undefined,
      ...(waitMs !== undefined && { retryAfterMs: waitMs }),
      tags: { operation: `${request.method} ${schemaPath}`, ...(calledRequestId !== null && { calledRequestId }) },
      cause: new ProblemReply(status, problem),
    });
  },
};

/** Reads Retry-After (RFC 9110, 10.2.3): seconds, or a date. */
function retryAfterMs(value: string | null): number | undefined {
  if (value === null) return undefined;
  const waitMs = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(waitMs) ? undefined : Math.max(waitMs, 0);
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @returns milliseconds to wait after a failed attempt, as the service says or longer; undefined when another one is of no use */
function waitAfter(fault: unknown, attempt: number): number | undefined {
  if (!(fault instanceof ServiceError) || !fault.retryable) return undefined;
  // Full jitter: clients that failed together do not come back together.
  return Math.max(Math.random() * firstWaitMs * 2 ** (attempt - 1), fault.retryAfterMs ?? 0);
}

/** What `fetch` throws when the network fails, before the reply or in the middle of it, is a TypeError. */
function faultOf(error: unknown, operation: string): unknown {
  const more = { tags: { operation }, cause: error };
  if (error instanceof TypeError) return unavailable('The service cannot be reached.', more);
  if (!(error instanceof SyntaxError)) return error;
  const publicMessage = 'The reply cannot be understood.';
  return new ServiceError({ code: 'malformed_reply', status: 502, publicMessage, ...more });
}

/** A dot is a step in a path even when it is encoded: such a value would call another operation. */
function serializePath(path: string, values: Record<string, unknown>): string {
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === '' || value === '.' || value === '..')
      throw invalidArgument(`The parameter "${name}" cannot be "${value ?? ''}".`);
  }
  return defaultPathSerializer(path, values);
}

/** A link in a reply may lead anywhere. The token must not go there, nor to another service behind the same gateway. */
function linkWithin(baseUrl: string | URL, at: string | URL): string {
  const base = `${String(baseUrl).replace(/\/+$/, '')}/`;
  const url = URL.parse(String(at), base)?.href;
  const { href } = new URL(base);
  if (url?.startsWith(href) !== true) throw invalidArgument(`"${String(at)}" is not at ${href}.`);
  return url;
}

/** Waits, at most until the signal aborts. */
function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Waits for work that does not know the signal. */
async function orAborted<Value>(work: () => Value | Promise<Value>, signal: AbortSignal): Promise<Value> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(signal.reason));
  return Promise.race([work(), aborted]);
}
