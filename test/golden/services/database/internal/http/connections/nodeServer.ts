import { type RequestListener, type Server, createServer } from 'node:http';
import type { Static } from 'typebox';
import type { ErrorCounts } from '../../metrics/errors.ts';
import type { config } from '../config.ts';
import { mostHeaders } from '../requests/requestHead.ts';
import { takesRequest } from './connection.ts';

/**
 * @param settings limits of time, size and number
 * @param errors counts who is cut off without an answer
 * @param handler gets every other request, also one that asks first whether to send its body
 * @returns Node's server within these limits; what it would answer by itself, and without a problem, is left to the handler
 */
export function createNodeServer(
  settings: Static<typeof config>,
  errors: ErrorCounts,
  handler: RequestListener,
): Server {
  const listener: RequestListener = (request, response) => {
    if (takesRequest(request.socket, response)) handler(request, response);
    else errors.count('too_many_unanswered');
  };
  const server = createServer({
    requestTimeout: settings.HTTP_REQUEST_TIMEOUT_MS,
    keepAliveTimeout: settings.HTTP_KEEP_ALIVE_TIMEOUT_MS,
    maxHeaderSize: settings.HTTP_HEADER_LIMIT_BYTES,
    headersTimeout: settings.HTTP_REQUEST_TIMEOUT_MS,
    requireHostHeader: false,
    // How often Node looks for requests that are overdue, in milliseconds.
    connectionsCheckingInterval: 1000,
  });
  server.maxConnections = settings.HTTP_CONNECTIONS_MAX;
  // One more than is allowed tells that there are too many; Node drops the rest.
  server.maxHeadersCount = mostHeaders + 1;
  return server
    .on('request', listener)
    .on('checkContinue', listener)
    .on('checkExpectation', listener)
    .on('drop', () => errors.count('too_many_connections'));
}
