import type { Middleware } from 'openapi-fetch';
import { ServiceError } from '../errors/index.ts';

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

/** Statuses with which a service, or a proxy before it, says that it could not try. */
const transient = new Set([429, 502, 503, 504]);

/** Throws a `ServiceError` for each reply that is an error. */
export const throwProblems: Middleware = {
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
