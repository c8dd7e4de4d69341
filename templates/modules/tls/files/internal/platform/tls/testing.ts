import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders, connect } from 'node:http2';
import os from 'node:os';
import path from 'node:path';
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
export type TestService = Awaited<ReturnType<typeof testService>>;

/**
 * @param files of its certificate
 * @param addRoutes to its API
 * @param env settings
 * @returns the service, ready; connections that `open` and `tls` make are closed with it
 */
export async function testService(
  files: Pick<TestFiles, 'cert' | 'key'>,
  addRoutes: (server: Http) => void | Promise<void> = () => undefined,
  env: Readonly<Record<string, string>> = {},
) {
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
  const closing: (() => void)[] = [];
  const secure = { host: '127.0.0.1', port, rejectUnauthorized: false };
  return {
    port,
    url,
    service,
    metrics: await promise,
    log,
    async open(options?: ConnectionOptions): Promise<ClientHttp2Session> {
      const session = connect(url, { ...secure, ...options });
      session.on('error', () => undefined);
      closing.push(() => session.destroy());
      await once(session, 'remoteSettings');
      return session;
    },
    async tls(options?: ConnectionOptions): Promise<TLSSocket> {
      const socket = connectTls({ ...secure, ALPNProtocols: ['h2', 'http/1.1'], ...options });
      socket.on('error', () => undefined);
      closing.push(() => socket.destroy());
      await once(socket, 'secureConnect');
      return socket;
    },
    async stop(): Promise<boolean> {
      for (const close of closing) close();
      return service.stop(0, 5000);
    },
  };
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
) {
  const stream = session.request({ ':method': body === undefined ? 'GET' : 'POST', ...headers });
  stream.end(body);
  return answerOf(stream);
}

/**
 * @param stream of a request
 * @returns all that comes back; `reset` tells why HTTP/2 reset the request, and is 0 when it did not
 */
export async function answerOf(stream: ClientHttp2Stream) {
  const chunks: Buffer[] = [];
  let head: IncomingHttpHeaders = {};
  stream.on('response', (received) => (head = received)).on('data', (chunk: Buffer) => chunks.push(chunk));
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
