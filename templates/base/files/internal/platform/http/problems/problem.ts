import { STATUS_CODES } from 'node:http';
import { type FastifyError, errorCodes } from 'fastify';
import { type Static, Type } from 'typebox';
import { ServiceError, as } from '../../../../pkg/errors/index.ts';

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
