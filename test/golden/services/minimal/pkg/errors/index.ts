/** What a `ServiceError` says about itself. */
export interface ServiceErrorOptions {
  /** Stable and machine-readable, such as `item_not_found`: clients branch on it. */
  readonly code: string;
  /** HTTP status code, 400 to 599. */
  readonly status: number;
  /** Anyone may read this; what only we may read belongs into `cause`. */
  readonly publicMessage: string;
  readonly cause?: unknown;
}

/** An error that knows what to tell the caller. Every other error is an internal one, of which a caller learns nothing. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: string;
  readonly status: number;

  /** @param options code, status, public message and cause */
  constructor({ code, status, publicMessage, cause }: ServiceErrorOptions) {
    super(publicMessage, cause === undefined ? undefined : { cause });
    this.code = code;
    this.status = status;
  }

  get publicMessage(): string {
    return this.message;
  }
}

/**
 * @param what the kind of thing, such as `item`
 * @param id of the one that is missing
 * @returns a 404 with the code `<what>_not_found`
 */
export function notFound(what: string, id: string): ServiceError {
  return new ServiceError({ code: `${what}_not_found`, status: 404, publicMessage: `There is no ${what} "${id}".` });
}
