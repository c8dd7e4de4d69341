import { once } from 'node:events';
import { type ClientHttp2Session, type ClientSessionOptions, type IncomingHttpHeaders, connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { create, createFileRegistry, toBinary } from '@bufbuild/protobuf';
import type { GenService } from '@bufbuild/protobuf/codegenv2';
import {
  FileDescriptorProtoSchema,
  MethodOptions_IdempotencyLevel as Idempotency,
  StringValueSchema,
  file_google_protobuf_wrappers,
} from '@bufbuild/protobuf/wkt';
import { Client, type ClientReadableStream, credentials } from '@grpc/grpc-js';
import { service as healthContract } from 'grpc-health-check';
import { pino } from 'pino';
import { Type } from 'typebox';
import { type Channel, type ChannelOptions, openChannel } from '../../../pkg/client/grpc/index.ts';
import { Service } from '../app/lifecycle.ts';
import { type Module, defineModule } from '../app/module.ts';
import { readConfig } from '../config/config.ts';
import { contextFields } from '../log/logger.ts';
import { identity } from '../identity/module.ts';
import { type Metrics, metrics } from '../metrics/module.ts';
import { tracing } from '../app/tracing.ts';
import { grpc } from './module.ts';
import type { Implementation } from './method.ts';
import type { Grpc } from './server.ts';

/** A method that takes and gives texts. */
interface Texts<Kind> {
  methodKind: Kind;
  input: typeof StringValueSchema;
  output: typeof StringValueSchema;
}

/** A service with a method of each kind. */
export type Echo = GenService<{
  one: Texts<'unary'>;
  again: Texts<'unary'>;
  gather: Texts<'client_streaming'>;
  spread: Texts<'server_streaming'>;
  talk: Texts<'bidi_streaming'>;
}>;

/** Its contract; `Again` may be called twice. */
export const Echo: Echo = echo();

function echo(): Echo {
  const type = `.${StringValueSchema.typeName}`;
  const method = (name: string, clientStreaming = false, serverStreaming = false) => ({
    name,
    inputType: type,
    outputType: type,
    clientStreaming,
    serverStreaming,
    ...(name === 'Again' && { options: { idempotencyLevel: Idempotency.IDEMPOTENT } }),
  });
  const file = create(FileDescriptorProtoSchema, {
    name: 'test/echo.proto',
    package: 'test',
    syntax: 'proto3',
    dependency: [file_google_protobuf_wrappers.proto.name],
    service: [
      {
        name: 'Echo',
        method: [
          method('One'),
          method('Again'),
          method('Gather', true),
          method('Spread', false, true),
          method('Talk', true, true),
        ],
      },
    ],
  });
  const registry = createFileRegistry(file, () => file_google_protobuf_wrappers);
  // What was described just now, in types.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return registry.getService('test.Echo') as Echo;
}

/**
 * @param value text
 * @returns the message that holds it, serialised
 */
export function text(value: string): Uint8Array {
  return toBinary(StringValueSchema, create(StringValueSchema, { value }));
}

/**
 * @param message serialised
 * @returns the message as gRPC puts it into a stream
 */
export function frame(message: Uint8Array): Buffer {
  const bytes = Buffer.alloc(5 + message.length);
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, 5);
  return bytes;
}

/** Answers with what it is asked; each handler may be replaced. */
export const echoes: Implementation<Echo> = {
  one: (request) => request,
  again: (request) => request,
  async gather(requests) {
    let value = '';
    for await (const request of requests) value += request.value;
    return { value };
  },
  async *spread({ value }) {
    for (const character of value) yield { value: character };
  },
  async *talk(requests) {
    yield* requests;
  },
};

/** What `grpc.health.v1.Health` answers. */
interface Told {
  readonly status: string;
}

/** Asks for the health of a service, by the client of grpc-js. */
export interface HealthClient {
  /** @returns the status; rejects with what the server answers in place of one */
  readonly check: (service?: string) => Promise<string>;
  readonly watch: (service?: string) => ClientReadableStream<Told>;
}

function healthClient(client: Client): HealthClient {
  const { Check, Watch } = healthContract;
  if (Check === undefined || Watch === undefined) throw new Error('the contract of health is another one');
  return {
    check(service = '') {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      client.makeUnaryRequest<object, Told>(
        Check.path,
        Check.requestSerialize,
        (bytes) => told(Check.responseDeserialize(bytes)),
        { service },
        (error, answer) => (answer === undefined ? reject(error) : resolve(answer.status)),
      );
      return promise;
    },
    watch: (service = '') =>
      client.makeServerStreamRequest<object, Told>(
        Watch.path,
        Watch.requestSerialize,
        (bytes) => told(Watch.responseDeserialize(bytes)),
        { service },
      ),
  };
}

function told(message: object): Told {
  if (!('status' in message)) throw new Error('an answer without a status');
  return { status: String(message.status) };
}

/** How a connection of plain HTTP/2 is opened. */
export interface RawOptions extends ClientSessionOptions {
  /** Address that it comes from; on Linux, any that begins with 127. */
  readonly localAddress?: string;
}

/** A service that speaks gRPC. */
export interface TestService {
  /** Base URL of gRPC. */
  readonly url: string;
  readonly port: number;
  readonly service: Service;
  readonly metrics: Metrics;
  /** Its log, as text. */
  readonly log: { text: string };
  readonly grpc: Grpc;
  /** Opens a connection; closed with the service. */
  readonly open: (options?: ChannelOptions) => Channel;
  /** Opens a connection that asks for health; closed with the service. */
  readonly health: () => HealthClient;
  /** Opens a connection of plain HTTP/2, for what no client of gRPC would send; closed with the service. */
  readonly raw: (options?: RawOptions) => Promise<ClientHttp2Session>;
  readonly stop: (timeoutMs?: number) => Promise<boolean>;
}

/**
 * @param add adds services to the server
 * @param env settings
 * @param others modules beside it
 * @returns the service, ready
 */
export async function testService(
  add: (server: Grpc) => void,
  env: Readonly<Record<string, string>> = {},
  others: readonly Module[] = [],
): Promise<TestService> {
  const log = { text: '' };
  const { promise, resolve } = Promise.withResolvers<Pick<TestService, 'grpc' | 'metrics'>>();
  const slice = defineModule({
    name: 'slice',
    config: Type.Object({}),
    requires: [grpc, metrics],
    start({ use }) {
      add(use(grpc));
      resolve({ grpc: use(grpc), metrics: use(metrics) });
      return { value: undefined };
    },
  });
  const settings = { GRPC_HOST: '127.0.0.1', GRPC_PORT: '0', HOST: '127.0.0.1', PORT: '0', ...env };
  const service = new Service([identity, metrics, tracing, grpc, ...others, slice], {
    log: pino({ base: null, level: 'debug', mixin: contextFields }, { write: (line) => (log.text += line) }),
    configOf: (module) => readConfig(module.config, settings),
    startTimeoutMs: 10_000,
  });
  await service.start();
  const started = await promise;
  const port = Number(/"module":"grpc","port":(\d+)/.exec(log.text)?.[1]);
  const url = `http://127.0.0.1:${port}`;
  const closing: (() => void)[] = [];
  return {
    ...started,
    url,
    port,
    service,
    log,
    open(options) {
      const channel = openChannel(url, options);
      closing.push(channel.close);
      return channel;
    },
    health() {
      const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
        'grpc.use_local_subchannel_pool': 1,
      });
      closing.push(() => client.close());
      return healthClient(client);
    },
    async raw({ localAddress = '127.0.0.1', ...options } = {}) {
      const session = connect(url, {
        ...options,
        createConnection: () => connectSocket({ host: '127.0.0.1', port, localAddress }),
      });
      session.on('error', () => undefined);
      closing.push(() => session.destroy());
      await once(session, 'remoteSettings');
      return session;
    },
    async stop(timeoutMs = 5000) {
      for (const close of closing) close();
      // What has left already is not asked to leave.
      await until(() => started.grpc.connections === 0, 1000).catch(() => undefined);
      return service.stop(0, timeoutMs);
    },
  };
}

/** What came back for one call. */
export interface Answer {
  /** Of HTTP. */
  readonly status: number;
  /** The header grpc-status, wherever it stood. */
  readonly grpcStatus: string | undefined;
  readonly message: string;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Why HTTP/2 reset the call; 0 when it did not. */
  readonly reset: number;
}

/**
 * Makes a call of bytes and headers as they are given.
 * @param session of plain HTTP/2
 * @param path of the method
 * @param body frames; or one message, which is framed
 * @param headers beyond, or in place of, those of a good call
 * @returns all that came back
 */
export async function callRaw(
  session: ClientHttp2Session,
  path: string,
  body: Buffer | { readonly message: Uint8Array },
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  const chunks: Buffer[] = [];
  let head: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  stream.on('response', (received) => (head = received));
  stream.on('trailers', (received: IncomingHttpHeaders) => (trailers = received));
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  // A reset: 'close' follows.
  stream.on('error', () => undefined);
  stream.end(Buffer.isBuffer(body) ? body : frame(body.message));
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  stream.once('close', resolve);
  await closed;
  const all = { ...head, ...trailers };
  return {
    status: Number(head[':status'] ?? 0),
    grpcStatus: single(all['grpc-status']),
    message: decodeURIComponent(single(all['grpc-message']) ?? ''),
    trailers: all,
    body: Buffer.concat(chunks),
    reset: stream.rstCode ?? 0,
  };
}

function single(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
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
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
