import { ServiceError, unavailable } from '../errors/index.ts';
import { type BeginCall, type Call, directCalls } from './call.ts';
import type { Input, Operation, OperationType, OperationTypes, Reply } from './operation.ts';
import { type Answer, readReply } from './reply.ts';
import { type Prepared, prepare } from './request.ts';
import { type RetryPolicy, backoffMs, wait } from './retry.ts';

/** How a service is called. */
export interface ClientOptions<Media extends string = never> {
  /** Where it is: `http://orders:8080`. */
  readonly baseUrl: string | URL;
  /** Media type that is asked for, where operations have it: `application/hal+json`. By default the first in the contract. */
  readonly accept?: Media;
  /** Milliseconds that a call may take, all attempts included, unless it says otherwise; 10 seconds. */
  readonly timeoutMs?: number;
  /** Of calls that are safe to repeat; three attempts, with up to 100 ms and 200 ms between them. */
  readonly retry?: Partial<RetryPolicy>;
  /** Gives the bearer token for each attempt: a new one when the last has expired. */
  readonly token?: () => string | Promise<string>;
  /** What calls are part of: `beginCall` of pkg/context in a service. By default nothing. */
  readonly beginCall?: BeginCall;
}

/** What one call may say differently. */
export interface CallOptions {
  /** Milliseconds that it may take, all attempts included. */
  readonly timeoutMs?: number;
  /** Ends the call; what it was aborted with is thrown. */
  readonly signal?: AbortSignal;
}

/** The same where somebody has said: a link in a reply, say. It has to be at the service. */
type At<Sent extends Input> = Omit<Sent, 'path' | 'query'> & { readonly at: string | URL };

type Invoke<Sent extends Input, Replied extends Reply> =
  Partial<Sent> extends Sent
    ? (request?: Sent | At<Sent>, options?: CallOptions) => Promise<Answer<Replied>>
    : (request: Sent | At<Sent>, options?: CallOptions) => Promise<Answer<Replied>>;

type ReplyIn<Of extends OperationType, Media extends string> = Of extends {
  readonly alternatives: Readonly<Record<Media, infer Other extends Reply>>;
}
  ? Other
  : Of['reply'];

/** A function for each operation, called like its `operationId`. */
export type Client<Operations extends OperationTypes, Media extends string = never> = {
  readonly [Id in keyof Operations]: Invoke<
    Operations[Id]['request'],
    [Media] extends [never] ? Operations[Id]['reply'] : ReplyIn<Operations[Id], Media>
  >;
};

const defaults = { timeoutMs: 10_000, retry: { attempts: 3, baseMs: 100, maxMs: 2000 } };

/**
 * Makes a client of an API. Each of its functions gives the reply, and throws a `ServiceError` in its place: with code and status
 * of the problem that came as reply, `unavailable` when none came, `deadline_exceeded` when time was up. Requests that may be
 * repeated are (RFC 9110, 9.2.2: GET, HEAD, PUT, DELETE, and whatever carries an Idempotency-Key), after the connection failed
 * or on 429, 502, 503, 504 and wherever Retry-After says so; never beyond the deadline.
 * @param operations where the operations are found
 * @param options where the service is, and how it is called
 * @returns the client
 */
export function clientOf<Operations extends OperationTypes, Media extends string = never>(
  operations: Readonly<Record<keyof Operations & string, Operation>>,
  options: ClientOptions<Media>,
): Client<Operations, Media> {
  const calls = Object.entries<Operation>(operations).map(([id, operation]) => {
    const call = (input: Input = {}, how: CallOptions = {}) => carryOut(id, operation, input, { ...options, ...how });
    return [id, call] as const;
  });
  // The table and the types are printed from one contract.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return Object.fromEntries(calls) as Client<Operations, Media>;
}

async function carryOut(
  id: string,
  operation: Operation,
  input: Input,
  options: ClientOptions<string> & CallOptions,
): Promise<Answer<Reply>> {
  const { timeoutMs = defaults.timeoutMs, beginCall = directCalls() } = options;
  const request = prepare(options, operation, input);
  const call = beginCall(timeoutMs);
  const signal = options.signal === undefined ? call.signal : AbortSignal.any([call.signal, options.signal]);
  const policy = { ...defaults.retry, ...options.retry };
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await attemptOnce(id, request, call, signal, options.token);
      } catch (error) {
        const waitMs = pauseAfter(error, attempt, policy);
        const isLast = !request.isIdempotent || waitMs === undefined || waitMs >= call.remainingMs();
        if (isLast || signal.aborted) throw error;
        await wait(waitMs, signal);
      }
    }
  } finally {
    call.end();
  }
}

/** How long to wait before the next attempt; undefined when there is none. */
function pauseAfter(error: unknown, attempt: number, policy: RetryPolicy): number | undefined {
  if (!(error instanceof ServiceError) || !error.retryable || attempt >= policy.attempts) return undefined;
  return Math.max(backoffMs(attempt, policy), error.retryAfterMs ?? 0);
}

async function attemptOnce(
  id: string,
  { url, method, body, ...prepared }: Prepared,
  call: Call,
  signal: AbortSignal,
  token: ClientOptions['token'],
): Promise<Answer<Reply>> {
  signal.throwIfAborted();
  const headers = new Headers(prepared.headers);
  if (token !== undefined) headers.set('authorization', `Bearer ${await orAborted(token, signal)}`);
  const request = new Request(url, { method, headers, body, signal });
  signal.throwIfAborted();
  try {
    return await readReply(await call.fetch(request), id);
  } catch (error) {
    signal.throwIfAborted();
    // What `fetch` throws when the network fails, before the reply or in the middle of it.
    if (!(error instanceof TypeError)) throw error;
    throw unavailable('The service cannot be reached.', { tags: { operation: id }, cause: error });
  }
}

/** Waits for what does not know the signal. The race is on before the work begins: whatever fails too late has been heard. */
async function orAborted<Value>(begin: () => Value | Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason);
  signal.addEventListener('abort', stop);
  try {
    return await Promise.race([Promise.resolve().then(begin), promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
