import type { Server as HttpServer } from 'node:http';
import type { Socket } from 'node:net';
import { type SecureVersion, type Server, type TLSSocket, createServer } from 'node:tls';
import type { PeerConnections } from '../http/connections.ts';
import type { Credentials } from './credentials.ts';
import type { Http2Metrics } from './metrics.ts';

/** Seconds for which a session can be resumed. Forward secrecy is no better than the keys that tickets are made with. */
const sessionSeconds = 3600;
/** Milliseconds after which the system asks a client that is silent whether it is still there. */
const keepAliveMs = 30_000;
/** Milliseconds that a handshake may still take when the service stops. */
const lastHandshakesMs = 500;

/** Why a handshake failed, by what Node's or OpenSSL's codes say: few enough to be a label. */
const reasons: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/HANDSHAKE_TIMEOUT/, 'timeout'],
  [/ECONNRESET|EPIPE/, 'connection_lost'],
  [/HTTP_REQUEST/, 'plain_http'],
  [/UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW/, 'version'],
  [/NO_SHARED_CIPHER/, 'cipher'],
  [/NO_APPLICATION_PROTOCOL/, 'protocol'],
  // What a client says of our certificate.
  [/ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE)/, 'certificate_refused'],
];

export interface DoorOptions {
  readonly credentials: Credentials;
  readonly minVersion: SecureVersion;
  readonly handshakeMs: number;
  readonly peers: PeerConnections;
  /** Gets the connections on which HTTP/2 is spoken. */
  readonly http2: (socket: TLSSocket) => unknown;
  readonly metrics: Pick<Http2Metrics, 'handshakes' | 'handshakeErrors' | 'refused'>;
}

/**
 * Stands before the API's server, which listens and counts connections as ever: each passes the handshake first, and goes on to HTTP/2 or,
 * where its client speaks none (ALPN, RFC 7301), to that server as if it had just come.
 */
export class Door {
  readonly #options: DoorOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /**
   * @param http the API's server; it has not listened yet
   * @param options credentials and limits
   */
  constructor(http: HttpServer, options: DoorOptions) {
    this.#options = options;
    const { credentials, minVersion, handshakeMs: handshakeTimeout, metrics } = options;
    this.#server = createServer({
      ...credentials,
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout,
      minVersion,
      sessionTimeout: sessionSeconds,
    });
    // Node's parser of HTTP/1.1.
    const plain = http.listeners('connection');
    http.removeAllListeners('connection');
    http.on('connection', (socket: Socket) => this.#admit(socket));
    this.#server.on('secureConnection', (socket) => {
      const isHttp2 = socket.alpnProtocol === 'h2';
      const protocol = isHttp2 ? 'h2' : 'http/1.1';
      metrics.handshakes.inc({
        version: socket.getProtocol() ?? '',
        protocol,
        resumed: String(socket.isSessionReused()),
      });
      if (isHttp2) options.http2(socket);
      else for (const accept of plain) Reflect.apply(accept, http, [socket]);
    });
    this.#server.on('tlsClientError', (error, socket) => {
      metrics.handshakeErrors.inc({ reason: reasonOf(error) });
      socket.destroy();
    });
  }

  /** @param credentials for connections from now on; those that are open keep theirs */
  renew(credentials: Credentials): void {
    this.#server.setSecureContext({
      ...credentials,
      minVersion: this.#options.minVersion,
      sessionTimeout: sessionSeconds,
    });
  }

  /**
   * Does not wait for clients that have connected and say nothing.
   * @param signal aborts at the deadline: what is left is then cut off
   */
  drain(signal: AbortSignal): void {
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) if (socket.bytesWritten === 0) socket.destroy();
    }, lastHandshakesMs).unref();
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      for (const socket of this.#sockets) socket.destroy();
    });
  }

  #admit(socket: Socket): void {
    if (!this.#options.peers.admit(socket)) {
      this.#options.metrics.refused.inc({ limit: 'peer' });
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // Who ends its side ends the connection, also when it does so before there is anybody to hear of it.
    socket.allowHalfOpen = false;
    // A client that is gone without a word holds its connection no longer.
    socket.setKeepAlive(true, keepAliveMs);
    this.#server.emit('connection', socket);
  }
}

/** A word for the error of a handshake; `malformed` for whatever is no TLS. */
function reasonOf(error: Error & { readonly code?: string }): string {
  const code = error.code ?? '';
  return reasons.find(([pattern]) => pattern.test(code))?.[1] ?? 'malformed';
}
