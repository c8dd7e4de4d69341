import { type RequestListener, type Server, createServer } from 'node:http';
import type { Static } from 'typebox';
import type { ErrorCounts } from '../../metrics/module.ts';
import type { config } from '../config.ts';
import { mostHeaders } from '../requests/requestHead.ts';
import { takesRequest } from './connection.ts';
import type { PeerConnections } from './peerConnections.ts';

export interface NodeServerOptions {
  /** Limits of time, size and number. */
  readonly settings: Static<typeof config>;
  readonly peers: PeerConnections;
  /** Counts who is cut off without an answer. */
  readonly errors: ErrorCounts;
}

/**
 * @param options limits
 * @param handler gets every request within them, also one that asks first whether to send its body
 * @returns Node's server within these limits; what it would answer by itself, and without a problem, is left to the handler
 */
export function createNodeServer({ settings, peers, errors }: NodeServerOptions, handler: RequestListener): Server {
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
  const turnedAway = (): void => errors.count('too_many_connections');
  server.prependListener('connection', (socket) => {
    if (peers.admit(socket)) return;
    turnedAway();
    socket.destroy();
  });
  return server
    .on('request', listener)
    .on('checkContinue', listener)
    .on('checkExpectation', listener)
    .on('drop', turnedAway);
}
