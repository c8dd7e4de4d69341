import { STATUS_CODES, validateHeaderName, validateHeaderValue } from 'node:http';
import type { Socket } from 'node:net';
import { errorCodes, type FastifyError, type FastifyReply, type FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { current, headerNames } from '../../../pkg/context/index.ts';
import { as, ServiceError, tagsOf, unavailable } from '../../../pkg/errors/index.ts';
import type { ErrorCounts } from '../metrics/module.ts';
import { cutOffLater, isAnswerable } from './connections.ts';

/** The media type of RFC 9457. */
export const problemType = 'application/problem+json';

/** An error as callers see it (RFC 9457). */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'URI of the kind of problem; about:blank says no more than the status does' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.Optional(Type.String({ description: 'What went wrong this time' })),
    code: Type.Optional(Type.String({ description: 'Stable, for programs to branch on' })),
    details: Type.Optional(Type.Object({}, { additionalProperties: true, description: 'What the detail is about' })),
    requestId: Type.Optional(Type.String({ description: 'Stands in every log line about this request' })),
    traceId: Type.Optional(Type.String({ description: 'Of the distributed trace that the request is part of' })),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          in: Type.String({ description: 'The part of the request: body, querystring, params or headers' }),
          pointer: Type.String({ description: 'JSON Pointer (RFC 6901) to the faulty value in that part' }),
          detail: Type.String(),
        }),
      ),
    ),
  },
  {
    $id: 'Problem',
    description: 'What went wrong (RFC 9457)',
    examples: [
      {
        type: 'about:blank',
        title: 'Bad Request',
        status: 400,
        detail: 'The request is not valid.',
        code: 'validation_failed',
        requestId: 'q7Zx1rTm-2f',
        traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
        errors: [{ in: 'body', pointer: '/quantity', detail: 'must be >= 0' }],
      },
    ],
  },
);
export type Problem = Static<typeof Problem>;

/**
 * @param status HTTP status code
 * @param more fields beyond type, title and status
 * @returns a problem that says what its status means
 */
export function problem(status: number, more: Partial<Problem> = {}): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, ...more };
}

/** In place of messages of Fastify that say no more than the status does. */
const clearer: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'The body has to be JSON: application/json, or a type that ends in +json.',
};

/**
 * Decides what a caller learns of an error: what the nearest ServiceError among it and its causes says.
 * @param error anything that was thrown
 * @returns a problem; nothing of the inside is in it
 */
export function problemOf(error: unknown): Problem {
  const known = as(error, ServiceError);
  if (known !== undefined) {
    const { status, code, publicMessage, details } = known;
    return problem(status, { code, detail: publicMessage, ...(details && { details }) });
  }
  if (!isFastifyError(error)) return problem(500);
  const { validation, validationContext = 'body', statusCode = 500 } = error;
  if (validation !== undefined) {
    const errors = validation.map(({ instancePath, params, message = 'is not valid' }) => ({
      in: validationContext,
      pointer: instancePath + pointerTo(params['missingProperty'] ?? params['additionalProperty']),
      detail: message,
    }));
    return problem(statusCode, { code: 'validation_failed', detail: 'The request is not valid.', errors });
  }
  // Whatever else a library calls a status is none of an error that its caller has made.
  if (!(statusCode >= 400 && statusCode < 500)) return problem(500);
  // Fastify's own messages are made for callers; of other errors only the status is known to be meant for them.
  if (!Object.hasOwn(errorCodes, error.code)) return problem(statusCode);
  return problem(statusCode, {
    code: error.code.replace(/^FST_ERR_(CTP_)?/, '').toLowerCase(),
    detail: clearer[error.code] ?? error.message,
  });
}

/**
 * @param error anything that was thrown
 * @returns the value of Retry-After in whole seconds (RFC 9110, 10.2.3), when the error says when to come again
 */
export function retryAfterOf(error: unknown): string | undefined {
  const ms = as(error, ServiceError)?.retryAfterMs;
  return ms === undefined ? undefined : String(Math.ceil(ms / 1000));
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && 'statusCode' in error;
}

/** A fault about a property that is missing, or one too many, is reported at its object: the pointer goes on to it. */
function pointerTo(property: unknown): string {
  return typeof property === 'string' ? `/${property.replaceAll('~', '~0').replaceAll('/', '~1')}` : '';
}

/**
 * Sends a problem, in place of what was begun. As a string: no route's response schema then leaves out a field.
 * @param request its id and that of its trace go along
 * @param reply headers that belong to the problem, such as Allow, are set on it before
 * @param answer what the caller learns
 */
export function sendProblem({ id }: FastifyRequest, reply: FastifyReply, answer: Problem): void {
  reply
    .removeHeader('content-encoding')
    .code(answer.status)
    .headers({ 'content-type': problemType, [headerNames.id]: id })
    .send(JSON.stringify({ ...answer, requestId: id, traceId: current().trace.traceId }));
}

/** The code of requests that are turned away for want of time or memory: on purpose, and so no fault to be looked into. */
export const overloadedCode = 'overloaded';

/** Seconds after which to come again. */
export const retrySeconds = 1;

/** @returns what a request fails with for which there is no memory */
export function overloaded(): ServiceError {
  return unavailable('The service is busy. Try again.', { code: overloadedCode, retryAfterMs: retrySeconds * 1000 });
}

/**
 * Answers in place of a handler, before the body is read.
 * @param request that is refused
 * @param reply headers that belong to the problem, such as Retry-After, are set on it before
 * @param answer what the caller learns
 */
export type Refuse = (request: FastifyRequest, reply: FastifyReply, answer: Problem) => void;

/**
 * @param errors counts each refusal, like any error
 * @returns refuses requests; what is refused is logged by the access log alone: that it costs little is the point
 */
export function refusing(errors: ErrorCounts): Refuse {
  return (request, reply, answer) => {
    errors.count(answer.code);
    sendProblem(request, reply, answer);
  };
}

const statuses: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431,
};

/**
 * Answers what is not even HTTP, before there is a request; then closes the connection. While a reply to an earlier request is due,
 * or on its way, it is just closed: the answer would be taken for that reply, or for a part of it.
 * @param error of Node's parser
 * @param socket to the client
 */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || !isAnswerable(socket)) {
    socket.destroy();
    return;
  }
  const status = statuses[error.code ?? ''] ?? 400;
  const body = JSON.stringify(problem(status));
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
      `Content-Type: ${problemType}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
  cutOffLater(socket);
}

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
