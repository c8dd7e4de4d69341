import { once } from 'node:events';
import { type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream, createServer } from 'node:http2';
import type { DescService } from '@bufbuild/protobuf';
import type { Static } from 'typebox';
import { runWith } from '../../../pkg/context/index.ts';
import { tagsOf } from '../../../pkg/errors/index.ts';
import { BodyMemory } from '../http/body/bodyMemory.ts';
import { listen } from '../http/connections/listener.ts';
import { traceOf } from '../http/requests/requestContext.ts';
import { headerOf, requestIdOf } from '../http/requests/requestId.ts';
import type { Authenticate } from '../identity/module.ts';
import type { Logger } from '../log/logger.ts';
import type { ErrorCounts } from '../metrics/module.ts';
import { type Tracing, noTracing } from '../telemetry/tracing.ts';
import { methodsOf } from './answer.ts';
import { authentication } from './authentication.ts';
import { Call, stalledReader } from './call.ts';
import type { config } from './config.ts';
import { Connections } from './connections.ts';
import { fault } from './faults.ts';
import { InFlight } from './inFlight.ts';
import { type Interceptor, chain } from './interceptor.ts';
import type { GrpcMetrics } from './metrics.ts';
import type { Implementation, Method, ServiceOptions } from './method.ts';
import { type Status, statusOf } from './status.ts';
import { parseTimeout } from './timeout.ts';
import { CallSpans } from './tracing.ts';
import { Unread } from './unread.ts';

const contentType = /^application\/grpc(?:\+proto)?(?:;|$)/;
/** What HTTP/2 adds to each header when it counts them (RFC 9113, 6.5.2), in bytes. */
const headerOverhead = 32;
/** Headers beyond the limit are told so in words up to this many times of it; beyond that HTTP/2 itself resets the call. */
const headerLeeway = 4;
/** Stands for methods that there are not: there is no end of names. */
const unmatched = 'unmatched';

export interface GrpcOptions {
  readonly config: Static<typeof config>;
  readonly log: Logger;
  readonly metrics: GrpcMetrics;
  readonly errors: ErrorCounts;
  /** Records nothing unless told. */
  readonly tracing?: Tracing;
  /** Gives what verifies tokens, if a module of the service does. */
  readonly authenticate?: () => Authenticate | undefined;
  /** Aborts when the service begins to stop. */
  readonly stopping: AbortSignal;
}

/** The server of gRPC, to which modules add their services while they start. */
export class Grpc {
  readonly #options: GrpcOptions;
  readonly #server: Http2Server;
  readonly #connections: Connections;
  readonly #inFlight: InFlight;
  readonly #memory: BodyMemory;
  readonly #unread: Unread;
  readonly #spans: CallSpans;
  readonly #methods = new Map<string, Method>();
  readonly #services: DescService[] = [];
  readonly #interceptors: Interceptor[];

  /** @param options settings, and who hears of calls */
  constructor(options: GrpcOptions) {
    const { config: settings, metrics, tracing = noTracing, authenticate = () => undefined } = options;
    this.#options = options;
    this.#server = createServer({
      settings: {
        maxConcurrentStreams: settings.GRPC_STREAMS_LIMIT,
        maxHeaderListSize: settings.GRPC_HEADER_LIMIT_BYTES * headerLeeway,
      },
    });
    this.#connections = new Connections(this.#server, settings, metrics);
    this.#inFlight = new InFlight(
      { all: settings.GRPC_CALLS_LIMIT, peer: settings.GRPC_PEER_CALLS_LIMIT },
      (call, error) => this.#fail(call, error),
    );
    this.#memory = new BodyMemory(settings.GRPC_MESSAGE_MEMORY_BYTES);
    this.#unread = new Unread(settings.GRPC_STALL_TIMEOUT_MS, (call) => this.#abandon(call));
    this.#spans = new CallSpans(tracing);
    this.#interceptors = [
      authentication(authenticate),
      this.#spans.traced,
      this.#inFlight.limited,
      this.#inFlight.timed,
    ];
    this.#server.on('stream', (stream, headers) => this.#accept(stream, headers));
  }

  /** What it serves, in the order in which it was added. */
  get services(): readonly DescService[] {
    return this.#services;
  }

  /** Open connections. */
  get connections(): number {
    return this.#connections.count;
  }

  /** Calls that are being answered. */
  get calls(): number {
    return this.#inFlight.count;
  }

  /**
   * Adds an interceptor around every method that is added after it, next to the handler.
   * @param interceptor lets calls through, or throws
   */
  intercept(interceptor: Interceptor): void {
    this.#interceptors.push(interceptor);
  }

  /**
   * Adds a service.
   * @param service its contract
   * @param implementation each of its methods
   * @param options who may call them
   * @throws {Error} when it is there already
   */
  add<Service extends DescService>(
    service: Service,
    implementation: Implementation<Service>,
    options: ServiceOptions<Service> = {},
  ): void {
    if (this.#services.includes(service)) throw new Error(`${service.typeName} is there already`);
    this.#services.push(service);
    for (const method of methodsOf(service, implementation, options)) {
      this.#methods.set(`/${method.name}`, { ...method, answer: chain(this.#interceptors, method.answer) });
    }
  }

  /**
   * Begins to accept connections.
   * @param host address
   * @param port 0 takes any free one
   * @returns the port it listens on
   */
  listen(host: string, port: number): Promise<number> {
    return listen(this.#server, host, port, 'GRPC_PORT');
  }

  /**
   * Stops accepting connections, asks every client to leave, and lets the calls in flight finish.
   * @param signal aborts at the deadline: what is left is then cut off
   */
  async drain(signal: AbortSignal): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    // Before `close`, which would have Node close the connections in its own way.
    const left = this.#connections.drain(signal);
    this.#server.close();
    await Promise.all([left, closed]);
    this.#inFlight.stop();
    this.#unread.stop();
  }

  #accept(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    // Its 'close' tells all that is to know.
    stream.on('error', ignored);
    if (headers[':method'] !== 'POST' || !contentType.test(headers['content-type'] ?? '')) {
      this.#options.errors.count('not_grpc');
      const status = headers[':method'] === 'POST' ? 415 : 405;
      stream.respond({ ':status': status, ...(status === 405 && { allow: 'POST' }) }, { endStream: true });
      stream.resume();
      return;
    }
    const found = this.#methods.get(headers[':path'] ?? '');
    const call = this.#callOf(stream, headers, found ?? unknownMethod);
    runWith(call, () => void this.#answer(call));
  }

  #callOf(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, method: Method): Call {
    const { config: settings, tracing = noTracing, stopping } = this.#options;
    return new Call({
      id: requestIdOf(headers),
      trace: traceOf(headers, tracing),
      method,
      stream,
      headers,
      peer: stream.session?.socket.remoteAddress ?? '',
      deadline: performance.now() + allowedMs(headers, method, settings),
      messageLimit: settings.GRPC_MESSAGE_LIMIT_BYTES,
      memory: this.#memory,
      unread: this.#unread,
      stopping,
      tracing,
      ended: this.#ended,
    });
  }

  async #answer(call: Call): Promise<void> {
    try {
      this.#check(call);
      await call.method.answer(call);
    } catch (error) {
      this.#fail(call, error);
    }
  }

  /** What can be told by the headers alone. */
  #check({ headers }: Call): void {
    const limit = this.#options.config.GRPC_HEADER_LIMIT_BYTES;
    if (sizeOf(headers) > limit) {
      throw fault('headers_oversized', 'RESOURCE_EXHAUSTED', `Headers may have at most ${limit} bytes.`);
    }
    parseTimeout(headerOf(headers, 'grpc-timeout'));
    const encoding = headers['grpc-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      throw fault('encoding_unknown', 'UNIMPLEMENTED', 'Compressed messages are not accepted.');
    }
  }

  /** Each error is answered, counted and logged here and nowhere else; those of callers at debug only. */
  #fail(call: Call, error: unknown): void {
    if (call.isOver) return;
    const reason = error instanceof Error && error.name === 'AbortError' ? (call.ended() ?? error) : error;
    const status = statusOf(reason, call.id);
    const level = isOurs(status) ? 'error' : 'debug';
    this.#options.log[level]({ ...tagsOf(error), err: error }, 'call failed');
    call.end(status);
  }

  /** The end of a call whose reply is not read has been taken already: the reader is counted here. */
  #abandon(call: Call): void {
    if (call.isOver) {
      this.#options.errors.count(stalledReader);
      runWith(call, () => this.#options.log.debug({ method: call.method.name }, 'reply was not read'));
    }
    call.abandon();
  }

  /** Takes the end of each call once: one line in the log, one observation, the end of its span. */
  readonly #ended = (call: Call, { name, code }: Status): void => {
    const { log, metrics, errors } = this.#options;
    const ms = performance.now() - call.begun;
    const method = call.method.name;
    metrics.calls.observe({ method, status: name }, ms / 1000);
    if (name !== 'OK') errors.count(code);
    this.#spans.end(call, name);
    log.info({ method, status: name, ms }, 'call');
  };
}

const unknownMethod: Method = {
  name: unmatched,
  needs: undefined,
  isUnary: true,
  isProbe: false,
  answer: () => Promise.reject(fault('method_unknown', 'UNIMPLEMENTED', 'There is no such method.')),
};

function allowedMs(headers: IncomingHttpHeaders, { isUnary }: Method, settings: Static<typeof config>): number {
  const asked = askedMs(headers);
  // A stream may be meant to have no end.
  if (!isUnary) return asked ?? Infinity;
  return Math.min(asked ?? settings.GRPC_DEADLINE_MS, settings.GRPC_DEADLINE_MAX_MS);
}

/** What is malformed is answered for later. */
function askedMs(headers: IncomingHttpHeaders): number | undefined {
  try {
    return parseTimeout(headerOf(headers, 'grpc-timeout'));
  } catch {
    return undefined;
  }
}

function sizeOf(headers: IncomingHttpHeaders): number {
  let size = 0;
  for (const name in headers) size += name.length + headerOverhead + String(headers[name] ?? '').length;
  return size;
}

function isOurs({ name }: Status): boolean {
  return name === 'INTERNAL' || name === 'UNKNOWN' || name === 'UNAVAILABLE' || name === 'DATA_LOSS';
}

function ignored(): void {}
