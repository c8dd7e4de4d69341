import { ServiceError } from '../errors/index.ts';
import { isJson } from './mediaType.ts';
import type { Reply } from './operation.ts';
import { ProblemReply, problemIn } from './problem.ts';
import { retryAfterMs } from './retry.ts';

/** A reply, with its headers, and where it came from: what links in it are relative to. */
export type Answer<Of extends Reply> = Of & { readonly headers: Headers; readonly url: string };

/**
 * @param response to a request; its body has not been read
 * @param operation its `operationId`
 * @returns the reply
 * @throws {ServiceError} what the reply says when it is an error, 502 when it cannot be understood; what `fetch` throws when the
 * connection breaks
 */
export async function readReply(response: Response, operation: string): Promise<Answer<Reply>> {
  const { status, headers, url } = response;
  const mediaType = headers.get('content-type') ?? '';
  if (!response.ok) throw refusal(response, await response.text(), operation);
  if (!isJson(mediaType)) {
    const body = mediaType.startsWith('text/') ? await response.text() : await response.blob();
    return { status, body: isEmpty(body) ? undefined : body, headers, url };
  }
  const text = await response.text();
  try {
    return { status, body: text === '' ? undefined : JSON.parse(text), headers, url };
  } catch (cause) {
    throw new ServiceError({
      code: 'malformed_reply',
      status: 502,
      publicMessage: 'The reply cannot be understood.',
      tags: { operation },
      cause,
    });
  }
}

function isEmpty(body: string | Blob): boolean {
  return (typeof body === 'string' ? body.length : body.size) === 0;
}

/** Statuses with which a service, or what stands before it, says that it could not try. */
const transient = new Set([429, 502, 503, 504]);

function refusal({ status, headers }: Response, text: string, operation: string): ServiceError {
  const problem = problemIn(headers.get('content-type') ?? '', text);
  const waitMs = retryAfterMs(headers.get('retry-after'));
  const requestId = problem.requestId ?? headers.get('x-request-id');
  return new ServiceError({
    code: problem.code ?? `http_${status}`,
    // What is neither success nor error was not to come.
    status: status < 400 ? 502 : status,
    publicMessage: problem.detail ?? problem.title ?? `The service has answered ${status}.`,
    ...(problem.details && { details: problem.details }),
    retryable: transient.has(status) || waitMs !== undefined,
    ...(waitMs !== undefined && { retryAfterMs: waitMs }),
    // By this id the log of the other service finds the request.
    tags: { operation, ...(typeof requestId === 'string' && { calledRequestId: requestId }) },
    cause: new ProblemReply(status, problem),
  });
}
