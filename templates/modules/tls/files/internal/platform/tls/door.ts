import type { Server as HttpServer } from 'node:http';
import type { Socket } from 'node:net';
import { type Server, type TLSSocket, createServer } from 'node:tls';
import type { Credentials } from './certificate.ts';

/** Seconds for which a session can be resumed: the keys of the tickets limit its forward secrecy. */
const sessionSeconds = 3600;
/** Milliseconds that a handshake may take. */
const handshakeMs = 10_000;
/** Milliseconds that unfinished handshakes get when the service stops. */
const lastHandshakesMs = 500;
/** Milliseconds of silence after which the system checks with TCP keep-alive that the client still exists. */
const keepAliveMs = 30_000;
/** First byte of a TLS handshake (RFC 8446, 5.1). No method of HTTP begins with it. */
const handshake = 22;

export interface DoorOptions {
  readonly credentials: Credentials;
  /** Keys with which session tickets are encrypted: 48 bytes. */
  readonly ticketKeys: Buffer;
  /** Whether connections without TLS are refused. */
  readonly tlsOnly: boolean;
  /** Takes the connections whose client has chosen HTTP/2. */
  readonly http2: (socket: TLSSocket) => void;
  /** Counts each connection by its protocol: `h2`, `http/1.1`, `plain`, or `failed`. */
  readonly count: (protocol: string) => void;
}

/**
 * Does the TLS handshake before the API's server, which listens and counts connections as without TLS. By ALPN (RFC 7301) each connection goes
 * on to HTTP/2, or to that server as if it were new (decision 070).
 */
export class Door {
  readonly #options: DoorOptions;
  readonly #tls: Server;
  /** Gives a connection to Node's parser of HTTP/1.1. */
  readonly #serve: (socket: Socket) => void;
  /** Connections that may still be silent. */
  readonly #sockets = new Set<Socket>();

  /**
   * @param http the API's server, before it listens
   * @param options credentials, and where connections go
   */
  constructor(http: HttpServer, options: DoorOptions) {
    this.#options = options;
    const { credentials, http2, count } = options;
    const listeners = http.listeners('connection');
    this.#serve = (socket) => {
      for (const listener of listeners) Reflect.apply(listener, http, [socket]);
    };
    http.removeAllListeners('connection').on('connection', (socket: Socket) => this.#admit(socket));
    this.#tls = createServer({
      ...this.#contextOf(credentials),
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout: handshakeMs,
    });
    this.#tls.on('secureConnection', (socket) => {
      const isHttp2 = socket.alpnProtocol === 'h2';
      count(isHttp2 ? 'h2' : 'http/1.1');
      if (isHttp2) http2(socket);
      else this.#serve(socket);
    });
    this.#tls.on('tlsClientError', (_error, socket) => {
      count('failed');
      socket.destroy();
    });
  }

  /** @param credentials of new connections; open connections keep theirs */
  renew(credentials: Credentials): void {
    this.#tls.setSecureContext(this.#contextOf(credentials));
  }

  /**
   * Ends connections that have not begun a handshake.
   * @param signal aborts at the deadline; all connections are then destroyed
   */
  drain(signal: AbortSignal): void {
    setTimeout(() => {
      for (const socket of this.#sockets) if (socket.bytesWritten === 0) socket.destroy();
    }, lastHandshakesMs).unref();
    signal.addEventListener('abort', () => {
      for (const socket of this.#sockets) socket.destroy();
    });
  }

  /** The ticket keys are passed on each time: Node would make new ones, and no session could be resumed. */
  #contextOf(credentials: Credentials) {
    return { ...credentials, ticketKeys: this.#options.ticketKeys, sessionTimeout: sessionSeconds };
  }

  #admit(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // A client that ends its side ends the connection, also before HTTP/2 or HTTP/1.1 listens on it.
    socket.allowHalfOpen = false;
    socket.setKeepAlive(true, keepAliveMs);
    if (this.#options.tlsOnly) this.#tls.emit('connection', socket);
    else this.#sort(socket);
  }

  /** Waits for the first byte, which tells TLS from plain HTTP. */
  #sort(socket: Socket): void {
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
        this.#tls.emit('connection', socket);
        return;
      }
      this.#options.count('plain');
      this.#sockets.delete(socket);
      this.#serve(socket);
    });
  }
}
