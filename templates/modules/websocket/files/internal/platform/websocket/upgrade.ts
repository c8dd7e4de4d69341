import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Duplex, Writable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { type WebSocket, WebSocketServer } from 'ws';
import { subprotocol, tokenPrefix } from '../../../pkg/client/websocket/envelope.ts';
import { ServiceError } from '../../../pkg/errors/index.ts';
import { cutOffLater, nodeHttp } from '../http/connections.ts';
import type { Http } from '../http/server.ts';
import { isRepeated } from '../identity/module.ts';

export interface UpgradeOptions {
  readonly path: string;
  /** WEBSOCKET_ORIGINS. */
  readonly origins: string | undefined;
  readonly messageLimitBytes: number;
  /** Throws a ServiceError when there is no room. It is called, like `connected`, in the context of the request. */
  readonly admit: (address: string) => void;
  readonly refused: (reason: string) => void;
  readonly connected: (socket: WebSocket, stream: Duplex, address: string) => void;
}

/** The only version (RFC 6455, 4.1). ws also accepts that of a draft. */
const handshakeVersion = '13';
/** 16 bytes in base64. */
const keyPattern = /^[+/\dA-Za-z]{22}==$/;
/** RFC 9110, 5.6.1. */
const listSeparator = /[ \t]*,[ \t]*/;
/** RFC 9110, 5.6.2. */
const tokenPattern = /^[!#$%&'*+.^_`|~\w-]+$/;
/** A message in tiny fragments costs a hundred times its size. The defaults of ws are higher. */
const fragments = { maxFragments: 64, maxBufferedChunks: 1024 };

/** The connection of a request that asks to be upgraded. */
interface Upgrade {
  readonly stream: Duplex;
  readonly head: Buffer;
}

/**
 * Serves WebSocket (RFC 6455) at one path of the API. The request passes the server's own hooks and a route: guards, limits, log
 * and metrics apply, and a refusal is answered as problem details.
 * @param http the API's server
 * @param options path, limits, and what to do with a connection
 */
export function serveUpgrades(http: Http, options: UpgradeOptions): void {
  const upgrades = new WeakMap<IncomingMessage, Upgrade>();
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: options.messageLimitBytes,
    ...fragments,
    handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
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
      options.refused('pipelined');
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
  http.get(options.path, { schema: { hide: true } }, (request, reply) => {
    // HTTP_TRUSTED_PROXIES applies. A connection that is lost has no address later.
    const address = request.ip;
    const upgrade = upgrades.get(request.raw);
    if (upgrade === undefined) throw upgradeRequired(reply);
    try {
      checkHandshake(request.raw);
      checkOrigin(request.headers, options.origins);
      options.admit(address);
    } catch (error) {
      options.refused(error instanceof ServiceError ? error.code : 'unknown');
      // RFC 6455, 4.4.
      if (error instanceof ServiceError && error.status === 426)
        reply.header('sec-websocket-version', handshakeVersion);
      throw error;
    }
    upgrades.delete(request.raw);
    reply.hijack();
    release(reply.raw, upgrade.stream);
    sockets.handleUpgrade(request.raw, upgrade.stream, upgrade.head, (socket) =>
      options.connected(socket, upgrade.stream, address),
    );
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

/** Throws 400 or 426 for a handshake that is not valid (RFC 6455, 4.2.1). */
function checkHandshake({ method, httpVersion, headers, rawHeaders }: IncomingMessage): void {
  if (method !== 'GET' || httpVersion !== '1.1') throw invalid('A WebSocket needs GET by HTTP/1.1.');
  if (headers['sec-websocket-version'] !== handshakeVersion) {
    throw invalid(`The version of WebSocket is ${handshakeVersion}.`, 426);
  }
  if (!keyPattern.test(headers['sec-websocket-key'] ?? '')) {
    throw invalid('The header Sec-WebSocket-Key must be 16 bytes in base64.');
  }
  if (isRepeated(rawHeaders, 'authorization')) throw invalid('There is more than one token.');
  const protocols = headers['sec-websocket-protocol'];
  if (protocols === undefined) return;
  // A browser closes a connection when the answer has none of the offered subprotocols. A token is never in the answer.
  if (protocols === '') throw invalid(`Offer the subprotocol "${subprotocol}" besides the token.`);
  const names = protocols.split(listSeparator);
  if (!names.every((name) => tokenPattern.test(name)) || new Set(names).size < names.length) {
    throw invalid('The header Sec-WebSocket-Protocol must list different tokens, separated by commas.');
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

function upgradeRequired(reply: FastifyReply): ServiceError {
  reply.header('upgrade', 'websocket').header('connection', 'upgrade');
  return new ServiceError({ code: 'upgrade_required', status: 426, publicMessage: 'This path serves WebSocket.' });
}

function invalid(publicMessage: string, status = 400): ServiceError {
  return new ServiceError({ code: 'invalid_handshake', status, publicMessage });
}
