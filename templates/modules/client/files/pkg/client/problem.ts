import type { Middleware } from 'openapi-fetch';
import { ServiceError } from '../errors/index.ts';
import { retryAfterMs } from './call.ts';

/** The problem details of an error (RFC 9457). */
export interface ProblemDetails {
  readonly type?: string;
  readonly title?: string;
  readonly detail?: string;
  /** Stable: programs branch on it. */
  readonly code?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly requestId?: string;
  /** Further members. */
  readonly [member: string]: unknown;
}

/** The cause of a `ServiceError` that came as a reply. */
export class ProblemReply extends Error {
  override readonly name = 'ProblemReply';
  readonly status: number;
  readonly problem: ProblemDetails;

  /**
   * @param status of the reply
   * @param problem its body; empty when the body is no problem
   */
  constructor(status: number, problem: ProblemDetails) {
    super(`${status} ${problem.title ?? ''}`.trimEnd());
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
    const problem = problemIn(await response.text());
    const waitMs = retryAfterMs(headers.get('retry-after'));
    const requestId = problem.requestId ?? headers.get('x-request-id');
    throw new ServiceError({
      code: problem.code ?? `http_${status}`,
      // A reply that is neither success nor error is not in the contract.
      status: status < 400 ? 502 : status,
      publicMessage: problem.detail ?? problem.title ?? `The service has answered ${status}.`,
      ...(problem.details && { details: problem.details }),
      retryable: transient.has(status) || waitMs !== undefined,
      ...(waitMs !== undefined && { retryAfterMs: waitMs }),
      // The log of the other service has this id.
      tags: { operation: `${request.method} ${schemaPath}`, ...(requestId !== null && { calledRequestId: requestId }) },
      cause: new ProblemReply(status, problem),
    });
  },
};

const texts = new Set(['type', 'title', 'detail', 'code', 'requestId']);

/** A proxy may have written the body: members of another type than RFC 9457 says are left out. */
function problemIn(text: string): ProblemDetails {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return {};
  }
  if (!isObject(value)) return {};
  const members = Object.entries(value).filter(([name, member]) =>
    name === 'details' ? isObject(member) : !texts.has(name) || typeof member === 'string',
  );
  return Object.fromEntries(members);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
