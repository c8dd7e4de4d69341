import type { Socket } from 'node:net';
import { errorCodes, type FastifyError, type FastifyReply, type FastifyRequest } from 'fastify';
import { type Static, type TSchema, type TUnsafe, Type } from 'typebox';
import { current, headerNames } from '../../../pkg/context/index.ts';
import { as, ServiceError, tagsOf, unavailable } from '../../../pkg/errors/index.ts';
import { faultOf, matches } from '../../../pkg/validation/index.ts';
import type { ErrorCounts } from '../metrics/module.ts';
import { cutOffLater, isAnswerable, nodeHttp } from './connections.ts';

/** The media type of RFC 9457. */
export const problemType = 'application/problem+json';

/** An error as callers see it (RFC 9457). */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'URI of the kind of problem; about:blank means that the status says it all' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.Optional(Type.String({ description: 'What went wrong this time' })),
    code: Type.Optional(Type.String({ description: 'A stable name of the problem, for programs' })),
    details: Type.Optional(Type.Object({}, { additionalProperties: true, description: 'The data behind the detail' })),
    requestId: Type.Optional(Type.String({ description: 'The id of this request in the log' })),
    traceId: Type.Optional(Type.String({ description: 'The id of the distributed trace of this request' })),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          in: Type.String({ description: 'The part of the request: body, querystring, params or headers' }),
          pointer: Type.String({ description: 'JSON Pointer (RFC 6901) to the faulty value in that part' }),
          rule: Type.Optional(Type.String({ description: 'The keyword of JSON Schema that the value breaks' })),
          detail: Type.String(),
        }),
      ),
    ),
  },
  {
    $id: 'Problem',
    description: 'What went wrong (RFC 9457)',
  },
);
export type Problem = Static<typeof Problem>;

/** The details of an error that names faulty fields. */
const DomainFaults = Type.Object({
  errors: Type.Array(Type.Object({ pointer: Type.String(), rule: Type.String(), detail: Type.String() })),
});

/**
 * Refers to a named schema, so that the contract does not repeat it.
 * @param schema with an `$id` that was given to `addSchema`
 * @returns a reference of the same type
 */
export function ref<Schema extends TSchema & { readonly $id?: string }>(schema: Schema): TUnsafe<Static<Schema>> {
  return Type.Unsafe<Static<Schema>>({ $ref: `${schema.$id}#` });
}

/** For the `response` of every route: all other replies are problems. */
export const problems = {
  default: { description: 'Problem', content: { [problemType]: { schema: ref(Problem) } } },
};

/** For the `response` of a route that ends with `reply.code(204).send()`. */
export const noContent = {
  204: Type.Unsafe<undefined>({ type: 'null', description: 'Done; the reply has no content' }),
};

/**
 * @param status HTTP status code
 * @param more fields beyond type, title and status
 * @returns a problem
 */
export function problem(status: number, more: Partial<Problem> = {}): Problem {
  return { type: 'about:blank', title: nodeHttp.STATUS_CODES[status] ?? 'Error', status, ...more };
}

/**
 * Decides what the caller gets to know: the public part of the first ServiceError in the error and its causes.
 * @param error anything that was thrown
 * @returns a problem without internal details
 */
export function problemOf(error: unknown): Problem {
  const known = as(error, ServiceError);
  if (known !== undefined) {
    const { status, code, publicMessage, details } = known;
    const said = { code, detail: publicMessage };
    // Faults that the domain finds are where those of the schema are.
    if (matches(DomainFaults, details))
      return problem(status, { ...said, errors: details.errors.map((fault) => ({ in: 'body', ...fault })) });
    return problem(status, { ...said, ...(details && { details }) });
  }
  if (!isFastifyError(error)) return problem(500);
  const { validation, validationContext = 'body', statusCode = 500 } = error;
  if (validation !== undefined) {
    const errors = validation.map((each) => ({ in: validationContext, ...faultOf(each) }));
    return problem(statusCode, { code: 'validation_failed', detail: 'The request is not valid.', errors });
  }
  if (!(statusCode >= 400 && statusCode < 500)) return problem(500);
  // Only Fastify's own messages are written for callers. Those of other libraries may hold internal details.
  if (!Object.hasOwn(errorCodes, error.code)) return problem(statusCode);
  return problem(statusCode, {
    code: error.code.replace(/^FST_ERR_(CTP_)?/, '').toLowerCase(),
    detail: error.message,
  });
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && 'statusCode' in error;
}

/** The code of requests that the service refuses because it lacks time or memory. They are not faults to look into. */
const overloadedCode = 'overloaded';

/** Seconds in the Retry-After header of refused requests. */
export const retrySeconds = 1;

/** @returns the error of a request that the service has no time or memory for: 503 */
export function overloaded(): ServiceError {
  return unavailable('The service is busy. Try again.', { code: overloadedCode, retryAfterMs: retrySeconds * 1000 });
}

/** From OWASP's REST Security Cheat Sheet. A route that serves a page sets its own policy. @fastify/helmet is slower: decision 020. */
export const securityHeaders = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/** @returns the body of a reply, which names the current request */
export function bodyOf(answer: Problem): string {
  const { id, trace } = current();
  return JSON.stringify({ ...answer, requestId: id, traceId: trace.traceId });
}

/** Sent as a string, so that no response schema of the route drops a field. */
function sendProblem({ id }: FastifyRequest, reply: FastifyReply, answer: Problem): void {
  reply
    .removeHeader('content-encoding')
    .code(answer.status)
    .headers({ 'content-type': problemType, [headerNames.id]: id })
    .send(bodyOf(answer));
}

/** Sends a problem before the body is read. The reply has headers such as Retry-After already. */
export type Refuse = (request: FastifyRequest, reply: FastifyReply, answer: Problem) => void;

/**
 * @param errors counts refused requests
 * @returns refuses requests without a log line beside the access log, because that must be cheap
 */
export function refusing(errors: ErrorCounts): Refuse {
  return (request, reply, answer) => {
    errors.count(answer.code);
    sendProblem(request, reply, answer);
  };
}

/**
 * The only place where errors are answered, counted and logged. Errors of callers, and overload, are logged at debug level.
 * @param errors counts them by code
 * @returns the error handler for Fastify
 */
export function errorHandler(errors: ErrorCounts) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const { answer, retryAfterMs, tags } = readable(error);
    errors.count(answer.code);
    const isFault = answer.status >= 500 && answer.code !== overloadedCode;
    request.log[isFault ? 'error' : 'debug']({ ...tags, err: error }, 'request failed');
    if (answer.status === 500) {
      // They are meant for the other reply, and one that Node cannot send may be among them.
      for (const name of Object.keys(reply.getHeaders())) reply.removeHeader(name);
      reply.headers(securityHeaders);
    }
    // In whole seconds (RFC 9110, 10.2.3).
    if (retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(retryAfterMs / 1000));
    sendProblem(request, reply, answer);
  };
}

/** What the reply and the log need of an error. Any object can be thrown, also one that throws when it is read. */
function readable(error: unknown) {
  try {
    // A handler that observes the signal throws an AbortError. The context has the reason.
    const isAbort = error instanceof Error && error.name === 'AbortError';
    const reason = isAbort ? (current().ended() ?? error) : error;
    const retryAfterMs = as(reason, ServiceError)?.retryAfterMs;
    return { answer: problemOf(reason), retryAfterMs, tags: tagsOf(reason) };
  } catch {
    return { answer: problem(500), tags: {} };
  }
}

const parserStatuses: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431,
};

/**
 * Answers bytes that are not an HTTP request, then closes the connection. It sends nothing while an earlier request waits for its
 * reply, because the client would take the answer for that reply.
 * @param error of Node's parser
 * @param socket of the connection
 * @returns the answer; undefined when nothing was sent
 */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): Problem | undefined {
  if (error.code === 'ECONNRESET' || !socket.writable || !isAnswerable(socket)) {
    socket.destroy(new Error('the client sent bytes that are not HTTP', { cause: error }));
    return undefined;
  }
  const answer = problem(parserStatuses[error.code ?? ''] ?? 400);
  const body = JSON.stringify(answer);
  const headers = {
    ...securityHeaders,
    'content-type': problemType,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${answer.status} ${answer.title}\r\n${head.join('')}\r\n${body}`);
  cutOffLater(socket);
  return answer;
}
