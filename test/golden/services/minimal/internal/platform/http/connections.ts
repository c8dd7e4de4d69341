import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { BlockList, isIP, type Server as NetServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { FastifyReply } from 'fastify';
import type { Static } from 'typebox';
import type { ErrorCounts } from '../metrics/module.ts';
import type { config } from './config.ts';

/** Headers of a request at most; without a limit of their own, thousands of short ones fit into a head. */
export const mostHeaders = 100;

/** How many each has: an address, of connections. Who has none takes no memory. */
export class Counts {
  readonly #counts = new Map<string, number>();

  /**
   * @param key whose
   * @returns how many it has
   */
  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  /** @param key has one more */
  add(key: string): void {
    this.#counts.set(key, this.of(key) + 1);
  }

  /** @param key has one less */
  remove(key: string): void {
    const left = this.of(key) - 1;
    if (left > 0) this.#counts.set(key, left);
    else this.#counts.delete(key);
  }
}

/**
 * @param name whose value the list is, for the error
 * @param list addresses and networks, with commas between: `127.0.0.1,10.0.0.0/8,fd00::/8`
 * @returns whether an address is among them
 * @throws {Error} naming what is neither
 */
export function networks(name: string, list: string): (address: string) => boolean {
  const known = new BlockList();
  for (const entry of list.split(',').filter((each) => each !== '')) {
    const [address = '', bits] = entry.split('/');
    const version = isIP(address);
    const most = version === 4 ? 32 : 128;
    const length = Number(bits ?? most);
    if (version === 0 || !Number.isInteger(length) || length < 0 || length > most || bits === '') {
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
  /** Connections of one address at the same time. */
  readonly most: number;
  /** Whether an address may have as many as it likes: that of a proxy of ours, behind which are many clients. */
  readonly isExempt: (address: string) => boolean;
}

/** One that counts. */
interface Counted {
  readonly socket: Socket;
  readonly address: string;
}

/** Lets each address have so many connections: nobody may have all of them. */
export class PeerConnections {
  readonly #options: PeerConnectionsOptions;
  readonly #counts = new Counts();
  /** By both ends, which are those of what TLS makes of a connection, too. */
  readonly #counted = new Map<string, Counted>();

  /** @param options how many, and of whom */
  constructor(options: PeerConnectionsOptions) {
    this.#options = options;
  }

  /**
   * @param socket of a connection that has just come; when it is let in it counts until it closes, or is released
   * @returns whether there is room for it
   */
  admit(socket: Socket): boolean {
    const { remoteAddress: address = '' } = socket;
    // By TLS it was let in before the handshake.
    if (socket instanceof TLSSocket || this.#options.isExempt(address)) return true;
    const ends = endsOf(socket);
    // A client that was reset may come again from the same port before Node has told of the end.
    this.#remove(ends);
    if (this.#counts.of(address) >= this.#options.most) return false;
    this.#counted.set(ends, { socket, address });
    this.#counts.add(address);
    socket.once('close', () => {
      if (this.#counted.get(ends)?.socket === socket) this.#remove(ends);
    });
    return true;
  }

  /** @param socket of a connection that is counted elsewhere from now on, as a WebSocket is */
  release(socket: Socket): void {
    this.#remove(endsOf(socket));
  }

  #remove(ends: string): void {
    const counted = this.#counted.get(ends);
    if (counted === undefined) return;
    this.#counted.delete(ends);
    this.#counts.remove(counted.address);
  }
}

/** The server listens on one address and one port. */
function endsOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}|${remotePort}`;
}

/** Milliseconds that a client may take to end its side of the connection, too. */
const lingerMs = 2000;

/**
 * Has a connection that was ended on this side come to an end: a client that is gone, or does not want to, never ends its own.
 * @param connection on which nothing more is said
 */
export function cutOffLater(connection: Duplex): void {
  const timer = setTimeout(() => connection.destroy(), lingerMs).unref();
  connection.once('close', () => clearTimeout(timer));
}

/** Requests that may come on one connection before an earlier one is answered (pipelining). Node itself knows no limit. */
const mostWaiting = 16;

const latest = Symbol('latest reply');
const waiting = Symbol('replies that wait');
/** What is known of a connection, kept on its socket: a look-up elsewhere would cost each request more. */
interface Connection extends Socket {
  [latest]?: ServerResponse;
  [waiting]?: number;
}

/**
 * Takes note of a request. A client that sends on and on without waiting for replies is cut off: each request of it would cost
 * memory, and time that others are waiting for.
 * @param connection on which it came
 * @param response the reply to it
 * @returns whether it is to be answered
 */
export function takesRequest(connection: Connection, response: ServerResponse): boolean {
  connection[latest] = response;
  // Node gives the socket to one reply at a time.
  if (response.socket !== null) return true;
  const count = (connection[waiting] ?? 0) + 1;
  connection[waiting] = count;
  if (count > mostWaiting) {
    connection.destroy();
    return false;
  }
  response.once('finish', () => {
    connection[waiting] = (connection[waiting] ?? 1) - 1;
  });
  return true;
}

/**
 * @param connection on which something came that is no request
 * @returns whether its client would take an answer for one to that: no reply has begun, and none to an earlier request is due
 */
export function isAnswerable(connection: Connection): boolean {
  const response = connection[latest];
  if (response === undefined || response.writableFinished) return true;
  return response.socket !== null && !response.headersSent && !response.req.complete;
}

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

/** Milliseconds. */
const sweepEvery = 50;

/**
 * Begins to accept connections.
 * @param server of node:http, or of another protocol
 * @param host address
 * @param port 0 takes any free one
 * @param setting that the port is from; that of the host is called alike
 * @returns the port it listens on
 * @throws {Error} when the port is taken, say: it names the settings
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

/**
 * Stops accepting connections and lets the requests in flight finish. Node closes idle connections only once, and Fastify
 * leaves it at that: a connection whose reply comes later would stay open for as long as its client likes
 * (https://github.com/fastify/fastify/issues/7044). Here they are swept until none is left.
 * @param server of node:http; one that does not listen is left alone
 * @param signal aborts at the deadline: what is left is then cut off
 */
export async function drain(server: Server, signal: AbortSignal): Promise<void> {
  if (!server.listening) return;
  const sweep = setInterval(() => server.closeIdleConnections(), sweepEvery);
  const cutOff = (): void => server.closeAllConnections();
  signal.addEventListener('abort', cutOff);
  const closed = once(server, 'close');
  server.close();
  try {
    await closed;
  } finally {
    clearInterval(sweep);
    signal.removeEventListener('abort', cutOff);
  }
}

/**
 * Asks the client not to use its connection any more. In HTTP/2 it is shared, and only the request is over.
 * @param reply that says so
 */
export function askToLeave(reply: FastifyReply): void {
  if (reply.request.raw.httpVersionMajor === 1) reply.header('connection', 'close');
}
