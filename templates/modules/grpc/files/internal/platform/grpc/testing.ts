import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionOptions,
  type IncomingHttpHeaders,
  connect,
} from 'node:http2';
import { create, createFileRegistry, toBinary } from '@bufbuild/protobuf';
import type { GenService } from '@bufbuild/protobuf/codegenv2';
import {
  FileDescriptorProtoSchema,
  MethodOptions_IdempotencyLevel as Idempotency,
  StringValueSchema,
  file_google_protobuf_wrappers,
} from '@bufbuild/protobuf/wkt';
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

/** A service that speaks gRPC. */
export type TestService = Awaited<ReturnType<typeof testService>>;

/**
 * @param add adds services to the server
 * @param env settings
 * @param others modules beside it
 * @returns the service, ready; connections that `open` and `raw` make are closed with it
 */
export async function testService(
  add: (server: Grpc) => void,
  env: Readonly<Record<string, string>> = {},
  others: readonly Module[] = [],
) {
  const log = { text: '' };
  const { promise, resolve } = Promise.withResolvers<{ readonly grpc: Grpc; readonly metrics: Metrics }>();
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
    open(options?: ChannelOptions): Channel {
      const channel = openChannel(url, options);
      closing.push(channel.close);
      return channel;
    },
    /** Opens a connection of plain HTTP/2, for what no client of gRPC would send. */
    async raw(options: ClientSessionOptions = {}): Promise<ClientHttp2Session> {
      const session = connect(url, options);
      session.on('error', () => undefined);
      closing.push(() => session.destroy());
      await once(session, 'remoteSettings');
      return session;
    },
    async stop(timeoutMs = 5000): Promise<boolean> {
      for (const close of closing) close();
      // What has left already is not asked to leave.
      await until(() => started.grpc.connections === 0, 1000).catch(() => undefined);
      return service.stop(0, timeoutMs);
    },
  };
}

/**
 * Begins a call of bytes and headers as they are given.
 * @param session of plain HTTP/2
 * @param path of the method
 * @param headers beyond, or in place of, those of a good call
 * @returns its stream, which may fail
 */
export function beginRaw(
  session: ClientHttp2Session,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): ClientHttp2Stream {
  const usual = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
  // A reset: 'close' follows.
  return session.request({ ...usual, ...headers }).on('error', () => undefined);
}

/** What came back for one call. */
export type Answer = Awaited<ReturnType<typeof callRaw>>;

/**
 * Makes a call of bytes and headers as they are given.
 * @param session of plain HTTP/2
 * @param path of the method
 * @param body frames; or one message, which is framed
 * @param headers beyond, or in place of, those of a good call
 * @returns all that came back; `grpcStatus` wherever it stood, `reset` 0 when HTTP/2 did not reset the call
 */
export async function callRaw(
  session: ClientHttp2Session,
  path: string,
  body: Buffer | { readonly message: Uint8Array },
  headers: Readonly<Record<string, string>> = {},
) {
  const stream = beginRaw(session, path, headers);
  const chunks: Buffer[] = [];
  let head: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  stream.on('response', (received) => (head = received));
  stream.on('trailers', (received: IncomingHttpHeaders) => (trailers = received));
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
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

/** The statuses of grpc.health.v1 by their numbers. */
const healthStatuses = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

/**
 * @param bytes framed answer of `grpc.health.v1.Health`
 * @returns its status
 */
export function healthOf(bytes: Buffer): string | undefined {
  return healthStatuses[bytes.at(-1) ?? 0];
}

/**
 * @param session of plain HTTP/2
 * @param name of a service; by default the whole
 * @returns its health; undefined when it has none
 */
export async function checkHealth(session: ClientHttp2Session, name = ''): Promise<string | undefined> {
  // A request for health has the name as its first field, as `StringValue` has its value.
  const { body, grpcStatus } = await callRaw(session, '/grpc.health.v1.Health/Check', { message: text(name) });
  return grpcStatus === '0' ? healthOf(body) : undefined;
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
