import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { current } from '../../../../pkg/context/index.ts';
import { tagsOf } from '../../../../pkg/errors/index.ts';
import type { ErrorCounts } from '../../metrics/module.ts';
import { overloadedCode } from './overloaded.ts';
import { problemOf, retryAfterOf } from './problem.ts';
import { sendProblem } from './sendProblem.ts';

const invalidHeader = /^ERR_INVALID_(?:CHAR|HTTP_TOKEN)$|^ERR_HTTP_INVALID_HEADER_VALUE$/;

/**
 * Each error is answered, counted and logged here and nowhere else; those of callers, and who is turned away, at debug only.
 * @param errors counts them by code
 * @returns Fastify's error handler
 */
export function errorHandler(errors: ErrorCounts) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const reason = reasonOf(error);
    const answer = problemOf(reason);
    errors.count(answer.code);
    const isFault = answer.status >= 500 && answer.code !== overloadedCode;
    request.log[isFault ? 'error' : 'debug']({ ...tagsOf(error), err: error }, 'request failed');
    const retryAfter = retryAfterOf(reason);
    if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
    if (isOfHeader(error)) dropInvalidHeaders(reply);
    sendProblem(request, reply, answer);
  };
}

/** So Node says that a header cannot be sent: it would not be beside a problem either. */
function isOfHeader(error: unknown): boolean {
  return error instanceof Error && 'code' in error && invalidHeader.test(String(error.code));
}

function dropInvalidHeaders(reply: FastifyReply): void {
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    try {
      validateHeaderName(name);
      for (const each of [value].flat()) validateHeaderValue(name, String(each));
    } catch {
      reply.removeHeader(name);
    }
  }
}

/** Who heeds a signal throws an error of its own: why the signal was aborted, the context knows. */
function reasonOf(error: unknown): unknown {
  return error instanceof Error && error.name === 'AbortError' ? (current().ended() ?? error) : error;
}
