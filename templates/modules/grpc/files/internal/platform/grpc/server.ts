import type { DescMethod, DescService } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Idempotency } from '@bufbuild/protobuf/wkt';
import {
  Server,
  ServerCredentials,
  type ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServiceDefinition,
  type UntypedServiceImplementation,
  logVerbosity,
  setLogVerbosity,
  status as codes,
} from '@grpc/grpc-js';
import { Histogram, type Registry } from '@prometheus-io/client';
import { type IncomingHttpHeaders, type ServerHttp2Stream, constants } from 'node:http2';
import { Context, current, headerNames, outOfTime, parseTrace, runWith } from '../../../pkg/context/index.ts';
import { type GrpcStatus, grpcStatusName, httpStatuses } from '../../../pkg/errors/grpc.ts';
import { resourceExhausted, tagsOf } from '../../../pkg/errors/index.ts';
import { headerOf, principalKey, requestIdOf, traceOf } from '../http/requestContext.ts';
import { listen } from '../http/connections.ts';
import { type Authenticate, type Needs, bearer, scopesOf } from '../identity/module.ts';
import type { Logger } from '../log/logger.ts';
import { type ErrorCounts, scrapedGauge } from '../metrics/module.ts';
import { Call, type Method, type Shared } from './call.ts';
import { Connections, watchCalls } from './connections.ts';
import { type Implementation, type MethodAuth, type ServiceOptions, definitionOf, handlerOf } from './method.ts';
import { type Failure, shortened, statusOf } from './status.ts';

/** Kubernetes restarts a service that refuses probes because it is busy. */
const probe = 'grpc.health.v1.Health/Check';

export interface GrpcOptions extends Shared {
  readonly log: Logger;
  /** Gets the metrics. */
  readonly registry: Registry;
  readonly errors: ErrorCounts;
  /** Verifies tokens, if a module of the service does. It is read for each call. */
  readonly identity: { readonly authenticate: Authenticate | undefined };
}

/** The gRPC server: @grpc/grpc-js, with the context, limits, errors and metrics of the service around each call. */
export class Grpc {
  /** The services that were added, in order. */
  readonly services: DescService[] = [];
  readonly #options: GrpcOptions;
  readonly #server: Server;
  readonly #connections: Connections;
  readonly #durations: Histogram<'method' | 'status'>;
  readonly #methods = new Map<string, Method>();
  #calls = 0;
  #unwatch: (() => void) | undefined;

  /** @param options settings, log, registry and tracing */
  constructor(options: GrpcOptions) {
    const { config: settings, registry, errors } = options;
    this.#options = options;
    // grpc-js writes data of clients to stderr; the log of calls has everything else.
    setLogVerbosity(logVerbosity.NONE);
    this.#server = new Server({
      'grpc.enable_channelz': 0,
      'grpc.max_receive_message_length': settings.GRPC_MESSAGE_LIMIT_BYTES,
      'grpc.max_concurrent_streams': settings.GRPC_STREAMS_LIMIT,
      'grpc.keepalive_time_ms': 30_000,
      'grpc.keepalive_timeout_ms': 10_000,
      'grpc.max_connection_age_ms': settings.GRPC_CONNECTION_AGE_MS,
      interceptors: [({ path }, wire) => this.#intercept(path, wire)],
    });
    const injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    this.#connections = new Connections(settings.GRPC_CONNECTIONS_LIMIT, (socket) => injector.injectConnection(socket));
    this.#connections.on('drop', () => errors.count('too_many_connections'));
    this.#durations = new Histogram({
      name: 'grpc_server_call_duration_seconds',
      help: 'Duration of gRPC calls in seconds, by method and status',
      labelNames: ['method', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers: [registry],
    });
    scrapedGauge(registry, 'grpc_server_calls_in_flight', 'Calls in progress', () => this.calls);
  }

  /** Open connections. */
  get connections(): number {
    return this.#connections.open.size;
  }

  /** Calls in progress, without probes. */
  get calls(): number {
    return this.#calls;
  }

  /**
   * Adds a service.
   * @param service its contract
   * @param implementation each of its methods
   * @param options who may call them
   * @throws {Error} when it was added already
   */
  add<Service extends DescService>(
    service: Service,
    implementation: Implementation<Service>,
    { auth, resource, methods }: ServiceOptions<DescService> & ServiceOptions<Service> = {},
  ): void {
    const byName = <Value>(valueOf: (desc: DescMethod) => Value): Record<string, Value> =>
      Object.fromEntries(service.methods.map((desc) => [desc.localName, valueOf(desc)]));
    this.addDefinition(
      byName(definitionOf),
      byName((desc) => handlerOf(desc, implementation, this.#run)),
      (name) => methods?.[name]?.auth ?? auth ?? authByResource(resource, service.method[name]),
    );
    this.services.push(service);
  }

  /**
   * Adds a service in the form of grpc-js, such as one of the official packages.
   * @param definition its contract
   * @param implementation each of its methods
   * @param authOf who may call a method
   * @throws {Error} when it was added already
   */
  addDefinition(
    definition: ServiceDefinition,
    implementation: UntypedServiceImplementation,
    authOf: (name: string) => MethodAuth | undefined,
  ): void {
    this.#server.addService(definition, implementation);
    for (const [name, { path, requestStream: takesStream, responseStream }] of Object.entries(definition)) {
      const auth = authOf(name);
      const needs = auth === 'public' ? undefined : { scopes: [], roles: [], ...auth };
      this.#methods.set(path, { name: path.slice(1), needs, takesStream, isUnary: !takesStream && !responseStream });
    }
  }

  /**
   * Begins to accept connections.
   * @returns the port
   */
  async listen(): Promise<number> {
    const { GRPC_HOST, GRPC_PORT } = this.#options.config;
    const port = await listen(this.#connections, GRPC_HOST, GRPC_PORT, 'GRPC_PORT');
    this.#unwatch = watchCalls(port, (path) => this.#methods.has(path), this.#unserved);
    return port;
  }

  /**
   * Stops accepting connections, asks every client to leave, and finishes the calls in progress.
   * @param signal when aborted, the remaining connections are destroyed
   */
  async drain(signal: AbortSignal): Promise<void> {
    await this.#connections.drain(() => this.#server.tryShutdown(() => undefined), signal);
    this.#server.forceShutdown();
    this.#unwatch?.();
  }

  /**
   * Runs between grpc-js and a handler. Its own methods replace those of the call: `ServerInterceptingCall` adds objects to each call, and
   * does not see the errors of grpc-js itself, such as a message that is too large.
   */
  #intercept(path: string, wire: ServerInterceptingCallInterface): ServerInterceptingCall {
    const method = this.#methods.get(path);
    if (method !== undefined) this.#wrap(method, wire);
    // grpc-js uses the interface only.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return wire as ServerInterceptingCall;
  }

  #wrap(method: Method, wire: ServerInterceptingCallInterface): void {
    let call: Call | undefined;
    const start = wire.start.bind(wire);
    const sendMessage = wire.sendMessage.bind(wire);
    const sendStatus = wire.sendStatus.bind(wire);
    wire.start = (listener) =>
      start({
        onReceiveMetadata: (metadata) => {
          const made = new Call(method, metadata, wire, this.#options);
          const { needs } = method;
          const { authenticate } = this.#options.identity;
          const admit = (): void => this.#admit(made, () => listener.onReceiveMetadata(metadata));
          call = made;
          if (made.limitMs !== undefined) made.timer = setTimeout(this.#expire, made.limitMs, made).unref();
          if (needs === undefined || authenticate === undefined) admit();
          else void this.#verify(made, needs, authenticate).then(admit);
        },
        onReceiveMessage: (message) => listener.onReceiveMessage(message),
        onReceiveHalfClose() {
          if (call !== undefined) runWith(call, () => listener.onReceiveHalfClose());
        },
        onCancel: () => {
          if (call !== undefined) this.#end(call, 'CANCELLED');
          listener.onCancel();
        },
      });
    wire.sendMessage = (message, callback) => {
      // Node resets a call when a message follows the status.
      if (call?.isOver !== true) sendMessage(message, callback);
    };
    wire.sendStatus = (status: Parameters<typeof sendStatus>[0] & { readonly reason?: string }) => {
      // INTERNAL without metadata is of grpc-js itself, and a fault of the client, such as a malformed timeout.
      const isClientFault = status.code === codes.INTERNAL && !status.metadata;
      const code = isClientFault ? codes.INVALID_ARGUMENT : status.code;
      if (call !== undefined) this.#end(call, grpcStatusName(code), status.reason);
      if (code === codes.OK) return sendStatus(status);
      sendStatus({ ...status, code, details: shortened(status.details) });
      // What the client has not read would stay in memory, although the call no longer counts.
      if (streamOf(wire).writableLength > 0) streamOf(wire).close(constants.NGHTTP2_CANCEL);
    };
  }

  readonly #expire = (call: Call): void => this.#fail(call, outOfTime(call.id));

  async #verify(call: Call, needs: Needs, verify: Authenticate): Promise<void> {
    const token = bearer.exec(call.headers.authorization ?? '')?.[1];
    try {
      call.set(principalKey, await runWith(call, verify, token, needs, { method: call.method.name }));
    } catch (error) {
      this.#fail(call, error);
    }
  }

  /** Admits a call to its handler: span, limits. */
  #admit(call: Call, proceed: () => void): void {
    if (call.isOver) return;
    const { headers, method } = call;
    const { config: settings, tracing } = this.#options;
    try {
      if (call.trace.sampled) {
        const { traceparent, tracestate } = headerNames;
        const parent = parseTrace(headerOf(headers, traceparent), headerOf(headers, tracestate));
        const attributes = { 'rpc.system.name': 'grpc', 'rpc.method': method.name, 'client.address': call.peer };
        const span = { name: method.name, kind: 'server', attributes, parent } as const;
        call.endSpan = runWith(call, () => tracing.begin(call, span));
      }
      if (method.name !== probe) {
        if (this.#calls >= settings.GRPC_CALLS_LIMIT) {
          const more = { code: 'calls_too_many', retryable: false };
          throw resourceExhausted('The service has too many calls. Try again.', more);
        }
        this.#calls += 1;
        call.hasPlace = true;
      }
      if (method.takesStream) runWith(call, proceed);
      else proceed();
    } catch (error) {
      this.#fail(call, error);
    }
  }

  /** Runs the handler of the current call. */
  readonly #run = async (work: (call: Call) => Promise<void>): Promise<void> => {
    const call = current();
    // It may have ended before its request was complete.
    if (!(call instanceof Call) || call.isOver) return;
    call.isHandled = true;
    try {
      await work(call);
    } catch (error) {
      this.#fail(call, error);
    } finally {
      call.isHandled = false;
      this.#leave(call);
    }
  };

  /** The only place where errors are answered, counted and logged. */
  #fail(call: Call, error: unknown): void {
    if (call.isOver) return;
    try {
      call.fail(this.#statusOf(call, error));
    } catch {
      // The thrown object throws when it is read.
      call.fail(this.#statusOf(call, new Error('the handler threw an object that cannot be read')));
    }
  }

  /** Faults of callers are logged at level debug, as by HTTP. */
  #statusOf(call: Call, error: unknown): Failure {
    const reason = error instanceof Error && error.name === 'AbortError' ? (call.ended() ?? error) : error;
    const status = statusOf(reason, call.id);
    const level = isServerFault(grpcStatusName(status.code)) ? 'error' : 'debug';
    runWith(call, () => this.#options.log[level]({ ...tagsOf(reason), err: error }, 'call failed'));
    return status;
  }

  /** Records the end of each call: one log line, one observation, the end of its span. */
  #end(call: Call, status: GrpcStatus, code = status.toLowerCase()): void {
    if (call.isOver) return;
    call.isOver = true;
    runWith(call, () => {
      this.#record(call.method.name, status, code, performance.now() - call.begun);
      call.endSpan?.({ 'rpc.response.status_code': status }, isServerFault(status) ? status : undefined);
    });
    call.end(status);
    this.#leave(call);
  }

  /** Gives back the place of a call when both the call and its handler have ended. */
  #leave(call: Call): void {
    if (!call.hasPlace || !call.isOver || call.isHandled) return;
    call.hasPlace = false;
    this.#calls -= 1;
  }

  /** Records a call that grpc-js has answered at once, without a span. Only methods that exist become a label. */
  readonly #unserved = (headers: IncomingHttpHeaders, status: GrpcStatus, code: string): void => {
    const path = headers[':path'] ?? '';
    const context = new Context({ id: requestIdOf(headers), trace: traceOf(headers, this.#options.tracing) });
    const method = this.#methods.get(path)?.name ?? 'unknown';
    runWith(context, () => this.#record(method, status, code, 0, { path: shortened(path) }));
  };

  #record(method: string, status: GrpcStatus, code: string, ms: number, more?: object): void {
    const { log, errors } = this.#options;
    this.#durations.observe({ method, status }, ms / 1000);
    if (status !== 'OK') errors.count(code);
    // Microseconds are exact enough to read.
    log.info({ method, ...more, status, ms: Math.round(ms * 1000) / 1000 }, 'call');
  }
}

/** Who may call a method of a resource: a caller that may use its routes. */
function authByResource(resource: string | undefined, desc: DescMethod | undefined): MethodAuth | undefined {
  if (resource === undefined) return undefined;
  const { read, write } = scopesOf(resource);
  return { scopes: [desc?.idempotency === Idempotency.NO_SIDE_EFFECTS ? read : write] };
}

/** Statuses for which a server is responsible (https://opentelemetry.io/docs/specs/semconv/rpc/grpc/): those with a 5xx of HTTP. */
function isServerFault(status: GrpcStatus): boolean {
  return httpStatuses[status] >= 500;
}

/** grpc-js does not declare the stream of HTTP/2 below a call. */
function streamOf(wire: ServerInterceptingCallInterface): ServerHttp2Stream {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return Reflect.get(wire, 'stream') as ServerHttp2Stream;
}
