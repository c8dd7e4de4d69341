import createFetchClient, {
  type FetchOptions,
  type MaybeOptionalInit,
  type ParseAs,
  type ParseAsResponse,
  defaultPathSerializer,
} from 'openapi-fetch';
import { ServiceError, invalidArgument, unavailable } from '../errors/index.ts';
import { type BeginCall, type RetryPolicy, defaultRetry, directCalls, orAborted, withRetries } from './call.ts';
import { throwProblems } from './problem.ts';

/** How to call a service. */
export interface ClientOptions<Media extends string = string> {
  /** Where the service is: `http://orders:8080`. */
  readonly baseUrl: string | URL;
  /** The media type to ask for, where operations have it: `application/hal+json`. The default is JSON. */
  readonly accept?: Media;
  /** Milliseconds for a call with all its attempts; the default is 10 seconds. */
  readonly timeoutMs?: number;
  /** For calls that are safe to repeat; the default is three attempts, with up to 100 ms and 200 ms between them. */
  readonly retry?: Partial<RetryPolicy>;
  /** Gives the bearer token of each attempt. */
  readonly token?: () => string | Promise<string>;
  /** What calls are part of: `beginCall` of pkg/context in a service. The default is nothing. */
  readonly beginCall?: BeginCall;
}

/** What the types of an operation do not tell at run time. */
export interface OperationHint {
  /** Whether each call gets an Idempotency-Key. */
  readonly takesIdempotencyKey?: boolean;
  /** The media type of the body, when it is not `application/json`. */
  readonly sends?: string;
  /** How to read the reply, when it is not JSON. */
  readonly gets?: 'text' | 'blob';
}

/** Options of one call, beside those of openapi-fetch. */
export interface CallOptions {
  /** Milliseconds for the call with all its attempts. */
  readonly timeoutMs?: number;
  /** A link to follow, in place of path and query. It has to lead to the same service. */
  readonly at?: string | URL;
}

type Verb = 'get' | 'put' | 'post' | 'patch' | 'delete' | 'head' | 'options';

/** A stream would outlive its call, which has a deadline. */
type Parse = Exclude<ParseAs, 'stream'>;

type Init<Operation, As> = Omit<FetchOptions<Operation>, 'fetch' | 'parseAs'> & CallOptions & { parseAs?: As };

/** The part of an `Init` that does not depend on the operation. */
type AnyInit = CallOptions & Pick<RequestInit, 'signal'>;

/** With a link, a call needs no parameters. */
type InitWithLink<Operation, As> = Omit<Init<Operation, As>, 'params' | 'at'> & { readonly at: string | URL };

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
  As extends Parse = 'json',
>(
  path: Path,
  ...init: undefined extends MaybeOptionalInit<Paths[Path], Of & keyof Paths[Path]>
    ? [init?: Init<Operation, As> | InitWithLink<Operation, As>]
    : [init: Init<Operation, As> | InitWithLink<Operation, As>]
) => Promise<{
  readonly data: ParseAsResponse<Data<Operation, Media>, { parseAs: As }>;
  readonly response: Response;
}>;

/** The client of openapi-fetch, except that a call throws a `ServiceError` in place of returning `error`. */
export type Client<Paths extends {}, Media extends string = 'application/json'> = {
  readonly [Of in Verb as Uppercase<Of>]: Method<Paths, Of, Media>;
};

const usual = 'application/json, application/problem+json, */*;q=0.1';
/** RFC 9110, 9.2.2: safe methods are idempotent too. */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
const idempotencyKey = 'idempotency-key';
const isJson = /\bjson\b/i;
const asIs = (body: unknown): unknown => body;

/**
 * Makes a client of an API. A call throws a `ServiceError`: with code and status of the problem in the reply, `unavailable` when the
 * service was not reached, `deadline_exceeded` when the time is up, `malformed_reply` when the reply cannot be parsed. It repeats
 * requests that are safe to repeat, after a failed connection, on 429, 502, 503, 504 and on any error with Retry-After, and never
 * beyond the deadline.
 * @param options where the service is, and how to call it
 * @param hints what is special about operations, by method and path: `POST /items`
 * @returns the client
 */
export function clientOf<Paths extends {}, Media extends string = 'application/json'>(
  options: ClientOptions<Media>,
  hints: Readonly<Record<string, OperationHint>> = {},
): Client<Paths, Media> {
  const { baseUrl, accept, timeoutMs: usualTimeoutMs = 10_000, token, beginCall = directCalls() } = options;
  const policy = { ...defaultRetry, ...options.retry };
  const fetchClient = createFetchClient<Record<string, Record<Verb, {}>>>({
    baseUrl: String(baseUrl),
    headers: { accept: accept === undefined ? usual : `${accept}, application/json;q=0.9, */*;q=0.1` },
    pathSerializer: serializePath,
  });
  fetchClient.use(throwProblems);

  const method =
    (verb: Verb) =>
    async (path: string, { timeoutMs = usualTimeoutMs, at, signal: given, ...init }: AnyInit = {}) => {
      const operation = `${verb.toUpperCase()} ${path}`;
      const link = at === undefined ? undefined : linkWithin(baseUrl, at);
      const { takesIdempotencyKey = false, sends, gets = 'json' } = hints[operation] ?? {};
      const key = takesIdempotencyKey ? crypto.randomUUID() : undefined;
      const bodySerializer = sends === undefined || isJson.test(sends) ? undefined : asIs;
      const call = beginCall(timeoutMs);
      const signal = given ? AbortSignal.any([call.signal, given]) : call.signal;
      let isSent = false;
      let isRepeatable = false;

      const send = async (made: Request): Promise<Response> => {
        const request = link === undefined ? made : new Request(link, made);
        const { headers } = request;
        // The boundary of a multipart body is in the media type that `Request` has set.
        if (sends !== undefined && !sends.startsWith('multipart/') && request.body !== null)
          headers.set('content-type', sends);
        if (key !== undefined && !headers.has(idempotencyKey)) headers.set(idempotencyKey, key);
        isRepeatable = idempotent.has(request.method) || headers.has(idempotencyKey);
        if (token !== undefined) headers.set('authorization', `Bearer ${await orAborted(token, signal)}`);
        signal.throwIfAborted();
        isSent = true;
        return call.fetch(request);
      };
      const attempt = async () => {
        isSent = false;
        try {
          return await fetchClient.request(verb, path, {
            parseAs: gets,
            ...(bodySerializer && { bodySerializer }),
            ...init,
            signal,
            fetch: send,
          });
        } catch (error) {
          signal.throwIfAborted();
          throw isSent ? faultOf(error, operation) : error;
        }
      };
      try {
        return await withRetries(attempt, () => isRepeatable, policy, call, signal);
      } finally {
        call.end();
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
function linkWithin(baseUrl: string | URL, at: string | URL): URL {
  const base = new URL(`${String(baseUrl).replace(/\/+$/, '')}/`);
  const url = URL.parse(String(at), base.href);
  if (url === null || url.origin !== base.origin || !`${url.pathname}/`.startsWith(base.pathname)) {
    throw invalidArgument(`"${String(at)}" is not at ${base.origin}${base.pathname}.`);
  }
  return url;
}
