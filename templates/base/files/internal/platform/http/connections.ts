import { once } from 'node:events';
import type { RequestListener, Server, ServerResponse } from 'node:http';
import type { Server as NetServer, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { Static } from 'typebox';
import type { ErrorCounts } from '../metrics/module.ts';
import type { config } from './config.ts';

/**
 * Node's HTTP. It is not imported, because an import of `node:http` evaluates each of its exports, and one of them, `WebSocket`, loads
 * Node's fetch (undici): 5 % of the time to start.
 */
export const nodeHttp = process.getBuiltinModule('node:http');

/** Largest number of headers in a request. Without this limit, a head can hold thousands of short ones. */
export const maxHeaders = 100;

/** Largest number of pipelined requests on one connection that wait for earlier replies. Node has no limit. */
const maxWaiting = 16;

/** Milliseconds that a client has to close its side of a connection that was ended on this side. */
const lingerMs = 2000;

/** @param connection that was ended on this side; it is destroyed if the client does not close its side soon */
export function cutOffLater(connection: Duplex): void {
  const timer = setTimeout(() => connection.destroy(), lingerMs).unref();
  connection.once('close', () => clearTimeout(timer));
}

/** The replies on one connection. */
interface Pipeline {
  /** The reply to the last request that arrived. */
  last: ServerResponse;
  /** How many replies wait for an earlier one to finish. */
  waiting: number;
}

const pipelines = new WeakMap<Socket, Pipeline>();

/** @returns whether the connection has room for a request */
function enterPipeline(socket: Socket, response: ServerResponse): boolean {
  let pipeline = pipelines.get(socket);
  if (pipeline === undefined) pipelines.set(socket, (pipeline = { last: response, waiting: 0 }));
  pipeline.last = response;
  // Node assigns the socket to one reply at a time.
  if (response.socket !== null) return true;
  pipeline.waiting += 1;
  response.once('finish', () => (pipeline.waiting -= 1));
  return pipeline.waiting <= maxWaiting;
}

/**
 * @param socket of a connection that received bytes which are not a request
 * @returns whether an answer can be written: no reply has begun, and no earlier request waits for one
 */
export function isAnswerable(socket: Socket): boolean {
  const reply = pipelines.get(socket)?.last;
  if (reply === undefined || reply.writableFinished) return true;
  return reply.socket !== null && !reply.headersSent && !reply.req.complete;
}

/**
 * @param settings limits
 * @param errors counts clients whose connection is closed without an answer
 * @param handler gets every request within the limits
 * @returns a server of `node:http` that enforces the limits of connections
 */
export function createNodeServer(
  settings: Static<typeof config>,
  errors: ErrorCounts,
  handler: RequestListener,
): Server {
  const listener: RequestListener = (request, response) => {
    if (enterPipeline(request.socket, response)) return handler(request, response);
    errors.count('too_many_unanswered');
    request.socket.destroy(new Error('too many requests wait for their replies'));
  };
  const server = nodeHttp.createServer(
    {
      requestTimeout: settings.HTTP_REQUEST_TIMEOUT_MS,
      headersTimeout: settings.HTTP_REQUEST_TIMEOUT_MS,
      keepAliveTimeout: settings.HTTP_KEEP_ALIVE_TIMEOUT_MS,
      // Admission answers a missing Host header with a problem.
      requireHostHeader: false,
      // Milliseconds between two checks for late requests.
      connectionsCheckingInterval: 1000,
    },
    listener,
  );
  server.maxConnections = settings.HTTP_CONNECTIONS_MAX;
  // Node drops the headers beyond this number. One more than allowed is enough to detect that there are too many.
  server.maxHeadersCount = maxHeaders + 1;
  // An unknown expectation is ignored (RFC 9110, 10.1.1). Node would answer it without a line in the log.
  server.on('checkExpectation', listener);
  server.on('drop', () => errors.count('too_many_connections'));
  return server.setTimeout(settings.HTTP_STALL_TIMEOUT_MS, (socket: Socket) => {
    if (socket.writableLength > 0) {
      errors.count('reader_stalled');
      socket.destroy(new Error('the client does not read its reply'));
    } else if (pipelines.get(socket)?.last.writableFinished === true) {
      // Its time to be idle is over.
      socket.destroy();
    }
  });
}

/**
 * Starts to accept connections.
 * @param server of any protocol
 * @param host address
 * @param port 0 takes any free one
 * @param setting name of the setting of the port, for the error message
 * @returns the port
 * @throws {Error} when the server cannot listen there, for example because the port is in use
 */
export async function listen(server: NetServer, host: string, port: number, setting = 'PORT'): Promise<number> {
  server.listen({ host, port });
  try {
    await once(server, 'listening');
  } catch (cause) {
    const remedy = `set ${setting} to a port that is free, or ${setting.replace('PORT', 'HOST')} to an address of this machine`;
    throw new Error(`cannot listen on ${host}, port ${port}: ${remedy}`, { cause });
  }
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

/** Milliseconds between two closings of idle connections while a server drains. */
const sweepMs = 50;

/**
 * Stops accepting connections and waits for the requests in progress. Node closes idle connections only once, so a connection that
 * becomes idle later would stay open (https://github.com/fastify/fastify/issues/7044). This function closes them repeatedly.
 * @param server of `node:http`; nothing happens if it does not listen
 * @param signal aborts at the deadline; the remaining connections are then closed at once, before the server logs their requests
 */
export async function drain(server: Server, signal: AbortSignal): Promise<void> {
  if (!server.listening) return;
  const sweeper = setInterval(() => server.closeIdleConnections(), sweepMs);
  signal.addEventListener('abort', () => server.closeAllConnections(), { once: true });
  try {
    await once(server.close(), 'close');
  } finally {
    clearInterval(sweeper);
  }
}

/**
 * Closes the connection after this reply. Does nothing for HTTP/2, where other requests share the connection.
 * @param reply that is the last one
 */
export function closeAfter(reply: FastifyReply): void {
  if (reply.request.raw.httpVersionMajor === 1) reply.header('connection', 'close');
}
