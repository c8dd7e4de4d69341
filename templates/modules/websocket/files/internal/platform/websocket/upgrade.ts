import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Duplex, Writable } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { subprotocol, tokenPrefix } from '../../../pkg/client/websocket/envelope.ts';
import { ServiceError, invalidArgument } from '../../../pkg/errors/index.ts';
import { cutOffLater, nodeHttp } from '../http/connections.ts';
import type { Http } from '../http/server.ts';

export interface UpgradeOptions {
  /** WEBSOCKET_ORIGINS. */
  readonly origins: string | undefined;
  readonly messageLimitBytes: number;
  /** Throws a ServiceError when there is no room. */
  readonly admit: () => void;
  /** Called in the context of the request. */
  readonly connected: (socket: WebSocket, stream: Duplex) => void;
}

/** RFC 9110, 5.6.1. */
const listSeparator = /[ \t]*,[ \t]*/;
/**
 * A message in tiny fragments costs a hundred times its size. A client that does not answer a close frame would delay the shutdown. The
 * defaults of ws are higher.
 */
const limits = { maxFragments: 64, maxBufferedChunks: 1024, closeTimeout: 5000 };

/** The connection of a request that asks to be upgraded. */
interface Upgrade {
  readonly stream: Duplex;
  readonly head: Buffer;
}

/**
 * Serves WebSocket (RFC 6455) at `/ws` of the API. The request passes the server's own hooks and a route: guards, limits, log
 * and metrics apply, and a refusal is answered as problem details.
 * @param http the API's server
 * @param options limits, and what to do with a connection
 */
export function serveUpgrades(http: Http, options: UpgradeOptions): void {
  const upgrades = new WeakMap<IncomingMessage, Upgrade>();
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: options.messageLimitBytes,
    ...limits,
    // A browser closes a connection when the answer has none of the offered subprotocols.
    handleProtocols(offered) {
      if (offered.has(subprotocol)) return subprotocol;
      throw invalid(`Offer the subprotocol "${subprotocol}".`);
    },
  });
  // ws would answer without problem details.
  sockets.on('wsClientError', ({ message }) => {
    throw invalid(message);
  });
  // Some HTTP clients offer h2c: a request for anything but WebSocket is answered by HTTP/1.1.
  Object.assign(http.server, {
    shouldUpgradeCallback: ({ headers }: IncomingMessage) => headers.upgrade?.toLowerCase() === 'websocket',
  });
  http.server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on('error', () => stream.destroy());
    upgrades.set(request, { stream, head });
    takeToken(request);
    const response = new nodeHttp.ServerResponse(request);
    response.shouldKeepAlive = false;
    try {
      response.assignSocket(asSocket(stream));
    } catch {
      // The reply to an earlier request is on its way.
      stream.destroy();
      return;
    }
    response.on('finish', () => {
      // Node does not end a connection that is not upgraded.
      if (!upgrades.has(request)) return;
      stream.end();
      cutOffLater(stream);
    });
    http.routing(request, response);
  });
  http.get('/ws', { schema: { hide: true } }, (request, reply) => {
    const upgrade = upgrades.get(request.raw);
    if (upgrade === undefined) {
      reply.header('upgrade', 'websocket').header('connection', 'upgrade');
      throw new ServiceError({ code: 'upgrade_required', status: 426, publicMessage: 'This path serves WebSocket.' });
    }
    const { stream, head } = upgrade;
    checkOrigin(request.headers, options.origins);
    options.admit();
    reply.header('sec-websocket-version', '13');
    sockets.handleUpgrade(request.raw, stream, head, (socket) => {
      upgrades.delete(request.raw);
      reply.hijack();
      release(reply.raw, stream);
      options.connected(socket, stream);
    });
    return reply;
  });
}

/**
 * Moves a token from the subprotocols to the Authorization header, where guards look: a page cannot set that header.
 * @param request that asks to be upgraded
 */
function takeToken({ headers, rawHeaders }: IncomingMessage): void {
  const offered = headers['sec-websocket-protocol']?.split(listSeparator) ?? [];
  const tokens = offered.filter((name) => name.startsWith(tokenPrefix));
  if (tokens.length === 0) return;
  headers['sec-websocket-protocol'] = offered.filter((name) => !tokens.includes(name)).join(', ');
  for (const token of tokens) {
    const authorization = `Bearer ${token.slice(tokenPrefix.length)}`;
    // Guards refuse a request with two tokens.
    rawHeaders.push('Authorization', authorization);
    headers.authorization ??= authorization;
  }
}

/** Browsers let any page open a WebSocket to any host (RFC 6455, 10.2). Other clients send no origin. */
function checkOrigin({ origin, host }: IncomingHttpHeaders, allowed: string | undefined): void {
  if (origin === undefined || allowed === '*') return;
  if (allowed?.split(/\s*,\s*/).includes(origin) === true) return;
  const page = URL.parse(origin);
  // Without `URL.parse`, `API.example.com:443` would be another host than `api.example.com`.
  if (allowed === undefined && page !== null && URL.parse(`${page.protocol}//${host}`)?.host === page.host) return;
  throw new ServiceError({
    code: 'origin_not_allowed',
    status: 403,
    publicMessage: 'Pages of this origin may not connect.',
  });
}

/** Ends the request for Fastify, so that log, metrics and traces see a reply with 101. ws writes the real reply. */
function release(response: ServerResponse, stream: Duplex): void {
  response.detachSocket(asSocket(stream));
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  response.assignSocket(asSocket(nowhere));
  response.once('finish', () => nowhere.destroy());
  response.writeHead(101).end();
}

/** A response can write to any stream; its types ask for a socket. */
function asSocket(stream: Writable): Socket {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return stream as Socket;
}

function invalid(message: string): ServiceError {
  return invalidArgument(message, { code: 'invalid_handshake' });
}
