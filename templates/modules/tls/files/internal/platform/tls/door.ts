import type { Server as HttpServer } from 'node:http';
import type { Socket } from 'node:net';
import { type SecureVersion, type Server, type TLSSocket, createServer } from 'node:tls';
import type { Credentials } from './certificate.ts';
import type { TlsMetrics } from './metrics.ts';

/** Seconds for which a session can be resumed: the keys of the tickets limit its forward secrecy. */
const sessionSeconds = 3600;
/** Milliseconds of silence after which the system checks with TCP keep-alive that the client still exists. */
const keepAliveMs = 30_000;
/** Milliseconds that unfinished handshakes get when the service stops. */
const lastHandshakesMs = 500;

/** First byte of a TLS handshake (RFC 8446, 5.1). No method of HTTP begins with it. */
const handshake = 22;

/** Reasons of failed handshakes by error code of Node or OpenSSL: few enough for a label. */
const reasons: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/HANDSHAKE_TIMEOUT/, 'timeout'],
  [/ECONNRESET|EPIPE/, 'connection_lost'],
  [/HTTP_REQUEST/, 'plain_http'],
  [/UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW/, 'version'],
  [/NO_SHARED_CIPHER/, 'cipher'],
  [/NO_APPLICATION_PROTOCOL/, 'protocol'],
  [/ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE)/, 'certificate_refused'],
];

export interface DoorOptions {
  readonly credentials: Credentials;
  /** Keys with which session tickets are encrypted: 48 bytes. */
  readonly ticketKeys: Buffer;
  readonly minVersion: SecureVersion;
  /** Whether connections without TLS are refused. */
  readonly tlsOnly: boolean;
  readonly handshakeMs: number;
  /** Takes the connections whose client has chosen HTTP/2. */
  readonly http2: (socket: TLSSocket) => void;
  readonly metrics: Pick<TlsMetrics, 'handshakes' | 'handshakeErrors' | 'plain' | 'refused'>;
}

/**
 * Does the TLS handshake before the API's server, which listens and counts connections as without TLS. By ALPN (RFC 7301) each connection goes
 * on to HTTP/2, or to that server as if it were new (decision 070).
 */
export class Door {
  readonly #options: DoorOptions;
  readonly #server: Server;
  /** Gives a connection to Node's parser of HTTP/1.1. */
  readonly #serve: (socket: Socket) => void;
  readonly #sockets = new Set<Socket>();

  /**
   * @param http the API's server, before it listens
   * @param options credentials, limits and metrics
   */
  constructor(http: HttpServer, options: DoorOptions) {
    this.#options = options;
    const { metrics } = options;
    this.#server = createServer({
      ...this.#contextOf(options.credentials),
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout: options.handshakeMs,
    });
    const plain = http.listeners('connection');
    this.#serve = (socket) => {
      for (const accept of plain) Reflect.apply(accept, http, [socket]);
    };
    http.removeAllListeners('connection');
    http.on('connection', (socket: Socket) => this.#admit(socket));
    this.#server.on('secureConnection', (socket) => {
      const isHttp2 = socket.alpnProtocol === 'h2';
      metrics.handshakes.inc({
        version: socket.getProtocol() ?? '',
        protocol: isHttp2 ? 'h2' : 'http/1.1',
        resumed: String(socket.isSessionReused()),
      });
      if (isHttp2) options.http2(socket);
      else this.#serve(socket);
    });
    this.#server.on('tlsClientError', (error, socket) => {
      metrics.handshakeErrors.inc({ reason: reasonOf(error) });
      socket.destroy();
    });
  }

  /** @param credentials of new connections; open connections keep theirs */
  renew(credentials: Credentials): void {
    this.#server.setSecureContext(this.#contextOf(credentials));
  }

  /**
   * Ends connections that have not begun a handshake.
   * @param signal aborts at the deadline; all connections are then destroyed
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

  /** The ticket keys are passed on each time: Node would make new ones, and no session could be resumed. */
  #contextOf(credentials: Credentials) {
    const { minVersion, ticketKeys } = this.#options;
    return { ...credentials, ticketKeys, minVersion, sessionTimeout: sessionSeconds };
  }

  #admit(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // A client that ends its side ends the connection, also before HTTP/2 or HTTP/1.1 listens on it.
    socket.allowHalfOpen = false;
    socket.setKeepAlive(true, keepAliveMs);
    if (this.#options.tlsOnly) this.#server.emit('connection', socket);
    else this.#sort(socket);
  }

  /** Waits for the first byte, which tells TLS from plain HTTP. */
  #sort(socket: Socket): void {
    const { handshakeMs, metrics } = this.#options;
    const timer = setTimeout(() => socket.destroy(), handshakeMs).unref();
    socket.on('error', () => {});
    socket.once('close', () => clearTimeout(timer));
    socket.once('readable', () => {
      clearTimeout(timer);
      const begin: unknown = socket.read();
      if (!Buffer.isBuffer(begin)) {
        socket.destroy();
        return;
      }
      socket.unshift(begin);
      if (begin[0] === handshake) {
        this.#server.emit('connection', socket);
        return;
      }
      metrics.plain.inc();
      this.#serve(socket);
    });
  }
}

/** `malformed` is anything that is not TLS. */
function reasonOf(error: Error & { readonly code?: string }): string {
  const code = error.code ?? '';
  return reasons.find(([pattern]) => pattern.test(code))?.[1] ?? 'malformed';
}
