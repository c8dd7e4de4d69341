import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders, connect } from 'node:http2';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, type TLSSocket, connect as connectTls } from 'node:tls';
import { pino } from 'pino';
import { generate } from 'selfsigned';
import { Type } from 'typebox';
import { testSettings } from '../http/config.ts';
import { Service } from '../app/lifecycle.ts';
import { defineModule } from '../app/module.ts';
import { readConfig } from '../config/config.ts';
import { http } from '../http/module.ts';
import type { Http } from '../http/server.ts';
import { contextFields } from '../log/logger.ts';
import { type Metrics, metrics } from '../metrics/module.ts';
import { tracing } from '../app/tracing.ts';
import { tls } from './module.ts';

/** A certificate and its key, as PEM. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * @param name its common name
 * @param notAfterDate when it ends; in a day unless told
 * @returns a self-signed certificate for this machine
 */
export async function testCertificate(
  name = 'first',
  notAfterDate = new Date(Date.now() + 86_400_000),
): Promise<TestCertificate> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(0),
    notAfterDate,
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  });
  return { cert, key };
}

/** A folder with `tls.crt` and `tls.key`, as Kubernetes mounts a Secret. */
export class TestFiles implements Disposable {
  readonly #folder = mkdtempSync(path.join(os.tmpdir(), 'tls-'));
  readonly cert = path.join(this.#folder, 'tls.crt');
  readonly key = path.join(this.#folder, 'tls.key');

  /** @param certificate to be written */
  write({ cert, key }: TestCertificate): void {
    writeFileSync(this.cert, cert);
    writeFileSync(this.key, key);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}

/** A service that speaks HTTP/2. */
export interface TestService {
  readonly port: number;
  /** Base URL of the API. */
  readonly url: string;
  readonly service: Service;
  readonly metrics: Metrics;
  /** Its log, as text. */
  readonly log: { text: string };
  /** Opens a connection by HTTP/2; closed with the service. */
  readonly open: (options?: ConnectionOptions) => Promise<ClientHttp2Session>;
  /** Opens a connection by TLS; closed with the service. */
  readonly tls: (options?: ConnectionOptions) => Promise<TLSSocket>;
  readonly stop: (timeoutMs?: number) => Promise<boolean>;
}

/**
 * @param files of its certificate
 * @param addRoutes to its API
 * @param env settings
 * @returns the service, ready
 */
export async function testService(
  files: Pick<TestFiles, 'cert' | 'key'>,
  addRoutes: (server: Http) => void | Promise<void> = () => undefined,
  env: Readonly<Record<string, string>> = {},
): Promise<TestService> {
  const log = { text: '' };
  const { promise, resolve } = Promise.withResolvers<Metrics>();
  const slice = defineModule({
    name: 'slice',
    config: Type.Object({}),
    requires: [http, metrics],
    async start({ use }) {
      await addRoutes(use(http));
      resolve(use(metrics));
      return { value: undefined };
    },
  });
  const settings = { ...testSettings, TLS_CERT_FILE: files.cert, TLS_KEY_FILE: files.key, ...env };
  const service = new Service([metrics, tracing, http, tls, slice], {
    log: pino({ base: null, level: 'debug', mixin: contextFields }, { write: (line) => (log.text += line) }),
    configOf: (module) => readConfig(module.config, settings),
    startTimeoutMs: 10_000,
  });
  await service.start();
  const port = Number(/"module":"http","port":(\d+)/.exec(log.text)?.[1]);
  const url = `https://127.0.0.1:${port}`;
  const measured = await promise;
  const closing: (() => void)[] = [];
  const secure = { host: '127.0.0.1', port, rejectUnauthorized: false };
  return {
    port,
    url,
    service,
    metrics: measured,
    log,
    async open(options) {
      const session = connect(url, { ...secure, ...options });
      session.on('error', () => undefined);
      closing.push(() => session.destroy());
      await once(session, 'remoteSettings');
      return session;
    },
    async tls(options) {
      const socket = connectTls({ ...secure, ALPNProtocols: ['h2', 'http/1.1'], ...options });
      socket.on('error', () => undefined);
      closing.push(() => socket.destroy());
      await once(socket, 'secureConnect');
      return socket;
    },
    async stop(timeoutMs = 5000) {
      for (const close of closing) close();
      // Who has left already is not asked to leave.
      await until(async () => !/^http2_sessions [1-9]/m.test(await measured.text()), 1000).catch(() => undefined);
      return service.stop(0, timeoutMs);
    },
  };
}

/** What came back for one request. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body as it came, compressed say. */
  readonly bytes: Buffer;
  /** Why HTTP/2 reset the request; 0 when it did not. */
  readonly reset: number;
}

/**
 * @param session of HTTP/2
 * @param headers with those of HTTP/2 itself; by default a GET
 * @param body of the request
 * @returns all that came back
 */
export async function ask(
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string | string[]>>,
  body?: string | Buffer,
): Promise<Answer> {
  const stream = session.request({ ':method': body === undefined ? 'GET' : 'POST', ...headers });
  stream.end(body);
  return answerOf(stream);
}

/**
 * @param stream of a request
 * @returns all that comes back
 */
export async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  const chunks: Buffer[] = [];
  let head: IncomingHttpHeaders = {};
  stream.on('response', (received) => (head = received));
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  // A reset: 'close' follows.
  stream.on('error', () => undefined);
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  stream.once('close', resolve);
  await closed;
  const bytes = Buffer.concat(chunks);
  return {
    status: Number(head[':status'] ?? 0),
    headers: head,
    body: bytes.toString(),
    bytes,
    reset: stream.rstCode ?? 0,
  };
}

/**
 * @param condition to become true
 * @param forMs milliseconds that it may take
 * @throws {Error} when it does not
 */
export async function until(condition: () => boolean | Promise<boolean>, forMs = 60_000): Promise<void> {
  const end = performance.now() + forMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('it did not come true');
    await sleep(5);
  }
}

/** What a client of HTTP/2 says first (RFC 9113, 3.4), before its SETTINGS. */
export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/**
 * @param type of the frame
 * @param flags that its type knows
 * @param stream 0 for the connection
 * @param payload none unless given
 * @returns one frame (RFC 9113, 4.1)
 */
export function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export const emptySettings = frame(4, 0, 0);

/** The largest window there is (RFC 9113, 6.9.1). */
export const largestWindow = 2 ** 31 - 1;

/**
 * @param bytes that may come unasked, of each stream and of the connection
 * @returns the frames that say so
 */
export function windowOf(bytes: number): Buffer {
  const setting = Buffer.alloc(6);
  setting.writeUInt16BE(4, 0);
  setting.writeUInt32BE(bytes, 2);
  const settings = frame(4, 0, 0, setting);
  // That of the connection begins with 65,535 bytes, and can only grow.
  if (bytes <= 65_535) return settings;
  const more = Buffer.alloc(4);
  more.writeUInt32BE(bytes - 65_535);
  return Buffer.concat([settings, frame(8, 0, 0, more)]);
}

/**
 * @param index of a header's name in HPACK's table (RFC 7541, appendix A), with the bits that tell how it is given
 * @param value of the header, short
 * @returns the header
 */
export function named(index: number, value: string): Buffer {
  return Buffer.concat([Buffer.of(index, value.length), Buffer.from(value)]);
}

/**
 * @param stream its number, odd
 * @param target that is asked for
 * @returns a GET, whole
 */
export function request(stream: number, target: string): Buffer {
  // :method, :scheme, :authority, :path.
  return frame(1, 5, stream, Buffer.concat([Buffer.of(0x82, 0x87), named(0x41, 'a'), named(0x44, target)]));
}
