import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Duplex, Writable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { type WebSocket, WebSocketServer } from 'ws';
import { subprotocol } from '../../../../pkg/client/websocket/envelope.ts';
import { ServiceError } from '../../../../pkg/errors/index.ts';
import { cutOffLater } from '../../http/connections.ts';
import type { Http } from '../../http/server.ts';
import { checkHandshake, handshakeVersion, takeToken } from './handshake.ts';
import { isAllowedOrigin } from './origins.ts';

export interface UpgradeOptions {
  readonly path: string;
  /** As WEBSOCKET_ORIGINS has it. */
  readonly origins: string | undefined;
  readonly messageLimitBytes: number;
  /** Throws a ServiceError when there is no room for one of this address; called, as `connected`, in the context of the request. */
  readonly admit: (address: string) => void;
  readonly refused: (reason: string) => void;
  readonly connected: (socket: WebSocket, stream: Duplex, address: string) => void;
}

const connection = Symbol('connection');
/** A request that asks to be upgraded, and what it came on. */
interface Upgrading extends IncomingMessage {
  [connection]?: { readonly stream: Duplex; readonly head: Buffer } | undefined;
}

/** A message in tiny pieces costs a hundred times its size: ws allows 16,384 of them. */
const fragments = { maxFragments: 64, maxBufferedChunks: 1024 };

/**
 * Serves WebSocket (RFC 6455) at one path of the API. The request goes through the server's own hooks and to a route, like any
 * other: guards, limits, log and metrics are those of the service, and what they refuse is answered as problem details.
 * @param http the API's server
 * @param options path, limits, and who gets the connections
 */
export function serveUpgrades(http: Http, options: UpgradeOptions): void {
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: options.messageLimitBytes,
    ...fragments,
    handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
  });
  // Java's client, say, offers h2c with its first request: whoever asks for anything but WebSocket is answered in HTTP/1.1.
  Object.assign(http.server, { shouldUpgradeCallback: asksForWebSocket });
  http.server.on('upgrade', (request: Upgrading, stream: Duplex, head: Buffer) => {
    stream.on('error', () => stream.destroy());
    request[connection] = { stream, head };
    takeToken(request);
    if (!route(http, request, stream)) options.refused('pipelined');
  });
  http.get(options.path, { schema: { hide: true } }, (request, reply) => {
    const asked: Upgrading = request.raw;
    // As HTTP_TRUSTED_PROXIES has it; asked for once, since a connection that is lost has none.
    const address = request.ip;
    const found = asked[connection];
    if (found === undefined) throw upgradeRequired(reply);
    try {
      checkHandshake(asked);
      if (!isAllowedOrigin(request.headers, options.origins)) throw originNotAllowed();
      options.admit(address);
    } catch (error) {
      options.refused(error instanceof ServiceError ? error.code : 'unknown');
      // RFC 6455, 4.4: what it may ask for instead.
      if (error instanceof ServiceError && error.status === 426)
        reply.header('sec-websocket-version', handshakeVersion);
      throw error;
    }
    const { stream, head } = found;
    asked[connection] = undefined;
    reply.hijack();
    release(reply.raw, stream);
    sockets.handleUpgrade(asked, stream, head, (socket) => options.connected(socket, stream, address));
    return reply;
  });
}

function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * As Node does with a request that is no upgrade: Fastify writes its answer to the connection, which then ends.
 * @returns whether it could be: not while the reply to an earlier request is on its way
 */
function route(http: Http, request: Upgrading, stream: Duplex): boolean {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  try {
    response.assignSocket(asSocket(stream));
  } catch {
    stream.destroy();
    return false;
  }
  response.on('finish', () => {
    // Unless it was upgraded. Node no longer looks after the connection.
    if (request[connection] === undefined) return;
    stream.end();
    cutOffLater(stream);
  });
  http.routing(request, response);
  return true;
}

/** Fastify's part is over: its log, metrics and traces see a request that was answered with 101. ws writes that answer itself. */
function release(response: ServerResponse, stream: Duplex): void {
  response.detachSocket(asSocket(stream));
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  response.assignSocket(asSocket(nowhere));
  response.once('finish', () => nowhere.destroy());
  response.writeHead(101).end();
}

/** A response writes to any stream; its types ask for a socket, which most connections are. */
function asSocket(stream: Writable): Socket {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return stream as Socket;
}

function upgradeRequired(reply: FastifyReply): ServiceError {
  reply.header('upgrade', 'websocket').header('connection', 'upgrade');
  return new ServiceError({ code: 'upgrade_required', status: 426, publicMessage: 'This path speaks WebSocket.' });
}

function originNotAllowed(): ServiceError {
  return new ServiceError({
    code: 'origin_not_allowed',
    status: 403,
    publicMessage: 'Pages of this origin may not connect.',
  });
}
