import { type GrpcStatus, grpcStatusOf } from './grpcStatus.ts';

/** What helps to find an error among others: becomes fields of its log line and attributes of its span, never of a reply. */
export type Tags = Readonly<Record<string, string | number | boolean>>;

/** What a `ServiceError` says about itself. */
export interface ServiceErrorOptions {
  /** Stable and machine-readable, such as `item_not_found`: clients branch on it, metrics count by it. */
  readonly code: string;
  /** HTTP status code, 400 to 599; anything else counts as 500. */
  readonly status: number;
  /** By default the one that means the same as `status`. */
  readonly grpcStatus?: GrpcStatus;
  /** Anyone may read this; what only we may read belongs into `cause`. */
  readonly publicMessage: string;
  /** What the message is about, as JSON has it: a bigint becomes text. Anyone may read it. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Whether the same call may succeed later; by default that of 429 and 503. */
  readonly retryable?: boolean;
  /** Milliseconds after which to call again; an error that says so is retryable. */
  readonly retryAfterMs?: number;
  readonly tags?: Tags;
  readonly cause?: unknown;
}

/** An error that knows what to tell the caller. Every other error is an internal one, of which a caller learns nothing. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: string;
  readonly status: number;
  readonly grpcStatus: GrpcStatus;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly tags: Tags | undefined;

  /** @param options what it says about itself */
  constructor(options: ServiceErrorOptions) {
    const { code, publicMessage, cause, details } = options;
    super(publicMessage, cause === undefined ? undefined : { cause });
    const status = statusOf(options.status);
    this.code = code;
    this.status = status;
    this.grpcStatus = options.grpcStatus ?? grpcStatusOf(status);
    this.details = details && asJson(details);
    this.retryAfterMs = isWait(options.retryAfterMs) ? options.retryAfterMs : undefined;
    this.retryable = options.retryable ?? (this.retryAfterMs !== undefined || status === 429 || status === 503);
    this.tags = options.tags;
  }

  get publicMessage(): string {
    return this.message;
  }
}

/** An error is told by several protocols, none of which is to fail over it: what JSON cannot say at all is left out. */
function asJson(details: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | undefined {
  try {
    const text = JSON.stringify(details, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
    const said: unknown = JSON.parse(text);
    return typeof said === 'object' && said !== null ? { ...said } : undefined;
  } catch {
    return undefined;
  }
}

/** What was taken over from another service's reply may be no error at all. */
function statusOf(status: number): number {
  return Number.isInteger(status) && status >= 400 && status <= 599 ? status : 500;
}

/** What was worked out from clocks may be anything. */
function isWait(ms: number | undefined): boolean {
  return ms !== undefined && ms >= 0 && ms < Infinity;
}
