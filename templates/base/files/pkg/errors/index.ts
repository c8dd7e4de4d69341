export interface ServiceErrorOptions {
  /** Stable and machine-readable, such as `item_not_found`. Clients branch on it, metrics count by it. */
  readonly code: string;
  /** HTTP status code, 400 to 599; any other number counts as 500. */
  readonly status: number;
  /** gRPC's status, such as `ALREADY_EXISTS`, where `status` is not exact enough. */
  readonly grpcStatus?: string;
  /** The caller reads this. Put internal facts into `cause`. */
  readonly publicMessage: string;
  /** The caller reads this too. A bigint becomes text; a value that JSON cannot hold is left out. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Whether the same call may succeed later; by default true for 429, 503 and with `retryAfterMs`. */
  readonly retryable?: boolean;
  /** Milliseconds after which the caller may try again. */
  readonly retryAfterMs?: number;
  /** Facts that help to find the error. They appear in its log line, never in a reply. */
  readonly tags?: Readonly<Record<string, string | number | boolean>>;
  readonly cause?: unknown;
}

/** An error that says what the caller may know. The caller learns nothing of any other error. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: string;
  readonly status: number;
  readonly grpcStatus: string | undefined;
  readonly details: ServiceErrorOptions['details'];
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly tags: ServiceErrorOptions['tags'];

  constructor(options: ServiceErrorOptions) {
    const { code, publicMessage, cause, details, retryAfterMs: waitMs = -1 } = options;
    super(publicMessage, cause === undefined ? undefined : { cause });
    // A status may come from the reply of another service, and a time from clocks: neither is trusted.
    const isError = Number.isInteger(options.status) && options.status >= 400 && options.status <= 599;
    const status = isError ? options.status : 500;
    this.code = code;
    this.status = status;
    this.grpcStatus = options.grpcStatus;
    this.details = details && asJson(details);
    this.retryAfterMs = waitMs >= 0 && waitMs < Infinity ? waitMs : undefined;
    this.retryable = options.retryable ?? (this.retryAfterMs !== undefined || status === 429 || status === 503);
    this.tags = options.tags;
  }

  get publicMessage(): string {
    return this.message;
  }
}

/** No protocol may fail while it writes an error. */
function asJson(details: object): ServiceErrorOptions['details'] {
  try {
    const text = JSON.stringify(details, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
    const copy: unknown = JSON.parse(text);
    return typeof copy === 'object' && copy !== null ? { ...copy } : undefined;
  } catch {
    return undefined;
  }
}

/** What a caller of the functions below may add: a more exact code, cause, details, tags. */
type More = Partial<Omit<ServiceErrorOptions, 'publicMessage' | 'status' | 'grpcStatus'>>;

function kind(code: string, status: number) {
  return (publicMessage: string, more?: More) => new ServiceError({ code, ...more, status, publicMessage });
}

/**
 * 404, NOT_FOUND.
 * @param what the kind of thing, such as `item`
 * @param id of the missing one
 * @returns an error with the code `<what>_not_found`
 */
export function notFound(what: string, id: string): ServiceError {
  return new ServiceError({ code: `${what}_not_found`, status: 404, publicMessage: `There is no ${what} "${id}".` });
}

/** 400, INVALID_ARGUMENT: the request is wrong in any state of the service. */
export const invalidArgument = kind('invalid_argument', 400);
/** 401, UNAUTHENTICATED: the caller is unknown. Set WWW-Authenticate on the reply (RFC 9110, 11.6.1). */
export const unauthenticated = kind('unauthenticated', 401);
/** 403, PERMISSION_DENIED: the caller is known and lacks the permission. */
export const permissionDenied = kind('permission_denied', 403);
/** 409, ABORTED: the request does not fit the present state. */
export const conflict = kind('conflict', 409);
/** 429, RESOURCE_EXHAUSTED: too many requests. `retryAfterMs` says when to try again. */
export const resourceExhausted = kind('resource_exhausted', 429);
/** 499 as in nginx, CANCELLED: the caller has gone. */
export const cancelled = kind('cancelled', 499);
/** 503, UNAVAILABLE: try again later. `retryAfterMs` says when. */
export const unavailable = kind('unavailable', 503);
/** 504, DEADLINE_EXCEEDED: the time is up. The work may still take effect. */
export const deadlineExceeded = kind('deadline_exceeded', 504);

/**
 * Walks an error, its causes and the errors of an AggregateError, nearest first. Each comes once, even in a cycle.
 * @param error anything that was thrown
 * @yields the error itself, then its causes
 */
export function* chain(error: unknown): Generator<unknown, void> {
  // The loop also visits what is added to the set meanwhile.
  const found = new Set([error]);
  for (const each of found) {
    yield each;
    try {
      if (!(each instanceof Error)) continue;
      if (each.cause !== undefined) found.add(each.cause);
      if (each instanceof AggregateError) for (const inner of each.errors) found.add(inner);
    } catch {
      // It throws when it is read: the chain ends here.
    }
  }
}

/**
 * @param error anything that was thrown
 * @returns the tags of all errors in the chain; those of the nearer error win
 */
export function tagsOf(error: unknown): NonNullable<ServiceErrorOptions['tags']> {
  const tags: Record<string, string | number | boolean> = {};
  for (const each of [...chain(error)].toReversed()) if (each instanceof ServiceError) Object.assign(tags, each.tags);
  return tags;
}

/**
 * @param error anything that was thrown
 * @param Class to look for
 * @returns the nearest error of that class in the chain
 */
export function as<Instance extends Error>(
  error: unknown,
  Class: abstract new (...args: never[]) => Instance,
): Instance | undefined {
  for (const each of chain(error)) if (each instanceof Class) return each;
  return undefined;
}
