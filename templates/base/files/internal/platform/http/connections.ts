import { once } from 'node:events';
import type { RequestListener, Server, ServerResponse } from 'node:http';
import { BlockList, isIP, type Server as NetServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { FastifyReply } from 'fastify';
import type { Static } from 'typebox';
import type { ErrorCounts } from '../metrics/module.ts';
import type { config } from './config.ts';
import { nodeHttp } from './nodeHttp.ts';

/** Largest number of headers in a request. Without this limit, a head can hold thousands of short ones. */
export const maxHeaders = 100;

/** Counts per key, such as connections per address. A key with a count of zero takes no memory. */
export class Counts {
  readonly #counts = new Map<string, number>();

  /** @returns the count of a key */
  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  add(key: string): void {
    this.#counts.set(key, this.of(key) + 1);
  }

  remove(key: string): void {
    const left = this.of(key) - 1;
    if (left > 0) this.#counts.set(key, left);
    else this.#counts.delete(key);
  }
}

/**
 * @param name of the setting, for the error message
 * @param list addresses and networks, separated by commas: `127.0.0.1,10.0.0.0/8,fd00::/8`
 * @returns whether an address is in the list
 * @throws {Error} when an entry is not an address or a network
 */
export function networks(name: string, list: string): (address: string) => boolean {
  const known = new BlockList();
  for (const entry of list.split(',').filter((each) => each !== '')) {
    const [address = '', bits] = entry.split('/');
    const version = isIP(address);
    const max = version === 4 ? 32 : 128;
    const length = Number(bits ?? max);
    if (version === 0 || !Number.isInteger(length) || length < 0 || length > max || bits === '') {
      throw new Error(`${name}: "${entry}" is neither an address nor a network`);
    }
    known.addSubnet(address, length, version === 4 ? 'ipv4' : 'ipv6');
  }
  return (address) => {
    const version = isIP(address);
    return version !== 0 && known.check(address, version === 4 ? 'ipv4' : 'ipv6');
  };
}

export interface PeerConnectionsOptions {
  /** Largest number of open connections from one address. */
  readonly max: number;
  /** Whether an address has no limit, because it is a trusted proxy with many clients behind it. */
  readonly isExempt: (address: string) => boolean;
}

/** Limits the number of open connections per address, so that one client cannot take all of them. */
export class PeerConnections {
  readonly #options: PeerConnectionsOptions;
  readonly #counts = new Counts();
  /** By address and port of the client. A TLS socket has the same ones as the socket below it. */
  readonly #counted = new Map<string, { readonly socket: Socket; readonly address: string }>();

  constructor(options: PeerConnectionsOptions) {
    this.#options = options;
  }

  /**
   * Counts a new connection until it closes or is released.
   * @param socket of the connection
   * @returns false when its address has too many connections; the caller then closes it
   */
  admit(socket: Socket): boolean {
    const { remoteAddress: address = '' } = socket;
    // A TLS connection was counted before its handshake.
    if (socket instanceof TLSSocket || this.#options.isExempt(address)) return true;
    const client = clientOf(socket);
    // A client can reuse its port before Node reports the end of its former connection.
    this.#remove(client);
    if (this.#counts.of(address) >= this.#options.max) return false;
    this.#counted.set(client, { socket, address });
    this.#counts.add(address);
    socket.once('close', () => {
      if (this.#counted.get(client)?.socket === socket) this.#remove(client);
    });
    return true;
  }

  /** @param socket of a connection that has another limit from now on, such as a WebSocket */
  release(socket: Socket): void {
    this.#remove(clientOf(socket));
  }

  #remove(client: string): void {
    const counted = this.#counted.get(client);
    if (counted === undefined) return;
    this.#counted.delete(client);
    this.#counts.remove(counted.address);
  }
}

function clientOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}|${remotePort}`;
}

/** Milliseconds that a client has to close its side of a connection that was ended on this side. */
const lingerMs = 2000;

/** @param connection that was ended on this side; it is destroyed if the client does not close its side soon */
export function cutOffLater(connection: Duplex): void {
  const timer = setTimeout(() => connection.destroy(), lingerMs).unref();
  connection.once('close', () => clearTimeout(timer));
}

/** Why a connection was closed on this side, when its client is at fault. */
export class ClientFault extends Error {
  override readonly name = 'ClientFault';
}

/** Largest number of pipelined requests on one connection that wait for earlier replies. Node has no limit. */
const maxWaiting = 16;

/** The replies on one connection. */
interface Pipeline {
  /** The reply to the last request that arrived. */
  last: ServerResponse;
  /** How many replies wait for an earlier one to finish. */
  waiting: number;
}

const pipelines = new WeakMap<Socket, Pipeline>();

/**
 * Registers a request on its connection. Destroys the connection when the client sends too many requests without waiting for
 * replies: each one takes memory and processing time.
 * @param socket of the connection
 * @param response the reply to the request
 * @returns whether to handle the request
 */
function admitRequest(socket: Socket, response: ServerResponse): boolean {
  let pipeline = pipelines.get(socket);
  if (pipeline === undefined) pipelines.set(socket, (pipeline = { last: response, waiting: 0 }));
  else pipeline.last = response;
  // Node assigns the socket to one reply at a time.
  if (response.socket !== null) return true;
  pipeline.waiting += 1;
  if (pipeline.waiting > maxWaiting) {
    socket.destroy(new ClientFault('too many requests wait for their replies'));
    return false;
  }
  response.once('finish', () => (pipeline.waiting -= 1));
  return true;
}

/**
 * @param socket of a connection that received bytes which are not a request
 * @returns whether an answer can be written: no reply has begun, and no earlier request waits for one
 */
export function isAnswerable(socket: Socket): boolean {
  const response = pipelines.get(socket)?.last;
  if (response === undefined || response.writableFinished) return true;
  return response.socket !== null && !response.headersSent && !response.req.complete;
}

export interface NodeServerOptions {
  readonly settings: Static<typeof config>;
  readonly peers: PeerConnections;
  /** Counts clients whose connection is closed without an answer. */
  readonly errors: ErrorCounts;
}

/**
 * @param options limits
 * @param handler gets every request within the limits, including those with an Expect header
 * @returns a server of `node:http` that enforces the limits of connections
 */
export function createNodeServer({ settings, peers, errors }: NodeServerOptions, handler: RequestListener): Server {
  const listener: RequestListener = (request, response) => {
    if (admitRequest(request.socket, response)) handler(request, response);
    else errors.count('too_many_unanswered');
  };
  const countRefused = (): void => errors.count('too_many_connections');
  const server = nodeHttp.createServer({
    requestTimeout: settings.HTTP_REQUEST_TIMEOUT_MS,
    keepAliveTimeout: settings.HTTP_KEEP_ALIVE_TIMEOUT_MS,
    maxHeaderSize: settings.HTTP_HEADER_LIMIT_BYTES,
    headersTimeout: settings.HTTP_REQUEST_TIMEOUT_MS,
    // Admission answers a missing Host header with a problem.
    requireHostHeader: false,
    // Milliseconds between two checks for late requests.
    connectionsCheckingInterval: 1000,
  });
  server.maxConnections = settings.HTTP_CONNECTIONS_MAX;
  // Node drops the headers beyond this number. One more than allowed is enough to detect that there are too many.
  server.maxHeadersCount = maxHeaders + 1;
  server.prependListener('connection', (socket) => {
    if (peers.admit(socket)) return;
    countRefused();
    socket.destroy();
  });
  return server
    .on('request', listener)
    .on('checkContinue', listener)
    .on('checkExpectation', listener)
    .on('drop', countRefused);
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
 * @param signal aborts at the deadline: the remaining connections are then closed
 */
export async function drain(server: Server, signal: AbortSignal): Promise<void> {
  if (!server.listening) return;
  const sweeper = setInterval(() => server.closeIdleConnections(), sweepMs);
  const cutOff = (): void => server.closeAllConnections();
  signal.addEventListener('abort', cutOff);
  const closed = once(server, 'close');
  server.close();
  try {
    await closed;
  } finally {
    clearInterval(sweeper);
    signal.removeEventListener('abort', cutOff);
  }
}

/**
 * Closes the connection after this reply. Does nothing for HTTP/2, where other requests share the connection.
 * @param reply that is the last one
 */
export function closeAfter(reply: FastifyReply): void {
  if (reply.request.raw.httpVersionMajor === 1) reply.header('connection', 'close');
}
