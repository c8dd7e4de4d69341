import type { DescService } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Idempotency } from '@bufbuild/protobuf/wkt';
import {
  Server,
  ServerCredentials,
  type ServerInterceptingCallInterface,
  ServerInterceptingCall,
  type ServiceDefinition,
  type UntypedServiceImplementation,
  logVerbosity,
  setLogVerbosity,
  status as codes,
} from '@grpc/grpc-js';
import { Histogram, type Registry } from '@prometheus-io/client';
import { type IncomingHttpHeaders, type ServerHttp2Stream, constants } from 'node:http2';
import type { Static } from 'typebox';
import { Context, current, headerNames, parseTrace, runWith } from '../../../pkg/context/index.ts';
import { type GrpcStatus, isGrpcStatus } from '../../../pkg/errors/grpc.ts';
import { ServiceError, as } from '../../../pkg/errors/index.ts';
import { type EndSpan, type Tracing, noTracing } from '../app/tracing.ts';
import { headerOf, principalKey, requestIdOf, traceOf } from '../http/requestContext.ts';
import { type Authenticate, bearer, scopesOf } from '../identity/module.ts';
import type { Logger } from '../log/logger.ts';
import { type ErrorCounts, scrapedGauge } from '../metrics/module.ts';
import { Call, type Method, type Serving } from './call.ts';
import type { config } from './config.ts';
import { Connections, watchUnserved } from './connections.ts';
import { type Implementation, type Interceptor, type ServiceOptions, definitionOf, handlerOf } from './method.ts';
import { type Status, fault, shortened, statusOf } from './status.ts';

/** The statuses for which a server is responsible (https://opentelemetry.io/docs/specs/semconv/rpc/grpc/). */
const serverFaults: ReadonlySet<GrpcStatus> = new Set([
  'UNKNOWN',
  'DEADLINE_EXCEEDED',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
]);
/** Kubernetes restarts a service that refuses probes because it is busy. */
const probe = 'grpc.health.v1.Health/Check';
const nothing = { scopes: [], roles: [] };
/** Milliseconds between two pings on a connection, and until one must be answered. */
const keepalive = { everyMs: 30_000, timeoutMs: 10_000 };

export interface GrpcOptions {
  readonly config: Static<typeof config>;
  readonly log: Logger;
  /** Gets the metrics. */
  readonly registry: Registry;
  readonly errors: ErrorCounts;
  /** Records nothing by default. */
  readonly tracing?: Tracing;
  /** Returns the function that verifies tokens, if a module of the service has one. */
  readonly authenticate?: () => Authenticate | undefined;
  /** Aborts when the service begins to stop. */
  readonly stopping: AbortSignal;
}

/** The gRPC server: @grpc/grpc-js, with the context, limits, errors and metrics of the service around each call. */
export class Grpc {
  readonly #options: GrpcOptions;
  readonly #server: Server;
  readonly #connections: Connections;
  readonly #durations: Histogram<'method' | 'status'>;
  readonly #methods = new Map<string, Method>();
  readonly #services: DescService[] = [];
  readonly #interceptors: Interceptor[] = [];
  readonly #spans = new WeakMap<Call, EndSpan>();
  readonly #serving: Serving;
  #calls = 0;
  #unwatch: (() => void) | undefined;

  /** @param options settings, log, registry and tracing */
  constructor(options: GrpcOptions) {
    const { config: settings, registry, errors, tracing = noTracing, stopping } = options;
    this.#options = options;
    this.#serving = { config: settings, tracing, stopping, fail: this.#fail, ended: this.#ended };
    // grpc-js writes data of clients to stderr; the log of calls has everything else.
    setLogVerbosity(logVerbosity.NONE);
    this.#server = new Server({
      'grpc.enable_channelz': 0,
      'grpc.max_receive_message_length': settings.GRPC_MESSAGE_LIMIT_BYTES,
      'grpc.max_concurrent_streams': settings.GRPC_STREAMS_LIMIT,
      'grpc.keepalive_time_ms': keepalive.everyMs,
      'grpc.keepalive_timeout_ms': keepalive.timeoutMs,
      'grpc.max_connection_age_ms': settings.GRPC_CONNECTION_AGE_MS,
      interceptors: [({ path }, wire) => this.#intercept(this.#methods.get(path), wire)],
    });
    const injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    this.#connections = new Connections(
      settings,
      () => errors.count('too_many_connections'),
      (socket) => injector.injectConnection(socket),
    );
    this.#durations = new Histogram({
      name: 'grpc_server_call_duration_seconds',
      help: 'Duration of gRPC calls in seconds, by method and status',
      labelNames: ['method', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers: [registry],
    });
    scrapedGauge(registry, 'grpc_server_calls_in_flight', 'Calls in progress', () => this.calls);
  }

  /** The services that were added, in order. */
  get services(): readonly DescService[] {
    return this.#services;
  }

  /** Open connections. */
  get connections(): number {
    return this.#connections.count;
  }

  /** Calls in progress, without probes. */
  get calls(): number {
    return this.#calls;
  }

  /**
   * Adds an interceptor around the handlers of all methods that are added later.
   * @param interceptor calls `next`, or throws
   */
  intercept(interceptor: Interceptor): void {
    this.#interceptors.push(interceptor);
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
    options: ServiceOptions<Service> = {},
  ): void {
    if (this.#services.includes(service)) throw new Error(`${service.typeName} was added already`);
    this.#services.push(service);
    const interceptors = [...this.#interceptors];
    const handlers = service.methods.map((desc) => {
      const handler = handlerOf(desc, implementation, (work) => this.#run(interceptors, work));
      return [desc.localName, handler] as const;
    });
    this.addDefinition(definitionOf(service), Object.fromEntries(handlers), {
      ...options,
      methods: methodsOf(service, options),
    });
  }

  /**
   * Adds a service in the form of grpc-js, such as one of the official packages. No interceptor runs around its methods.
   * @param definition its contract
   * @param implementation each of its methods
   * @param options who may call them
   */
  addDefinition(
    definition: ServiceDefinition,
    implementation: UntypedServiceImplementation,
    options: ServiceOptions<DescService> = {},
  ): void {
    for (const [key, { path, requestStream, responseStream }] of Object.entries(definition)) {
      const { auth = options.auth } = options.methods?.[key] ?? {};
      this.#methods.set(path, {
        name: path.slice(1),
        needs: auth === 'public' ? undefined : { ...nothing, ...auth },
        isUnary: !requestStream && !responseStream,
      });
    }
    this.#server.addService(definition, implementation);
  }

  /**
   * Begins to accept connections.
   * @returns the port
   */
  async listen(): Promise<number> {
    const port = await this.#connections.listen();
    this.#unwatch = watchUnserved(port, (path) => this.#methods.has(path), this.#unserved);
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

  /** Runs between grpc-js and a handler. grpc-js itself answers a call of an unknown method. */
  #intercept(method: Method | undefined, wire: ServerInterceptingCallInterface): ServerInterceptingCall {
    if (method === undefined) return new ServerInterceptingCall(wire);
    let call: Call | undefined;
    const send = wire.sendStatus.bind(wire);
    // grpc-js uses this method for its own errors too, such as a message that is too large. So every call ends here.
    wire.sendStatus = (status) => {
      // INTERNAL without metadata is of grpc-js itself, and a fault of the client, such as a malformed timeout.
      const isClientFault = status.code === codes.INTERNAL && !status.metadata;
      const code = isClientFault ? codes.INVALID_ARGUMENT : status.code;
      const name = codes[code];
      call?.over(isGrpcStatus(name) ? name : 'UNKNOWN');
      send({ ...status, code, details: shortened(status.details) });
      // What the client has not read would stay in memory, although the call no longer counts.
      if (code !== codes.OK && streamOf(wire).writableLength > 0) streamOf(wire).close(constants.NGHTTP2_CANCEL);
    };
    return new ServerInterceptingCall(wire, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, proceed) => {
            const made = new Call(method, metadata, wire, this.#serving);
            call = made;
            void runWith(made, () => this.#admit(made, () => proceed(metadata)));
          },
          onReceiveHalfClose: (proceed) => (call === undefined ? proceed() : runWith(call, proceed)),
          onCancel: () => call?.over('CANCELLED'),
        }),
      sendMessage: (message, next) => {
        // Node resets a call when a message follows the status.
        if (call?.isOver !== true) next(message);
      },
    });
  }

  /** Admits a call to its handler: authentication, span, limits. It is synchronous when no token is verified. */
  async #admit(call: Call, proceed: () => void): Promise<void> {
    const { headers, method } = call;
    try {
      const verify = this.#options.authenticate?.();
      if (method.needs !== undefined && verify !== undefined) {
        const token = bearer.exec(headers.authorization ?? '')?.[1];
        call.set(principalKey, await verify(token, method.needs, { method: method.name }));
        if (call.isOver) return;
      }
      if (call.trace.sampled) {
        const { traceparent, tracestate } = headerNames;
        const parent = parseTrace(headerOf(headers, traceparent), headerOf(headers, tracestate));
        const attributes = { 'rpc.system.name': 'grpc', 'rpc.method': method.name, 'client.address': call.peer };
        const span = { name: method.name, kind: 'server', attributes, parent } as const;
        this.#spans.set(call, this.#serving.tracing.begin(call, span));
      }
      if (method.name !== probe) {
        if (this.#calls >= this.#options.config.GRPC_CALLS_LIMIT) {
          throw fault('calls_too_many', 'RESOURCE_EXHAUSTED', 'The service has too many calls. Try again.');
        }
        this.#calls += 1;
        call.vacate = () => (this.#calls -= 1);
      }
      proceed();
    } catch (error) {
      this.#fail(call, error);
    }
  }

  /** Runs a handler with its interceptors. */
  #run(interceptors: readonly Interceptor[], work: (call: Call) => Promise<void>): void {
    const call = current();
    if (!(call instanceof Call)) return;
    const chain = interceptors.reduceRight<() => Promise<void>>(
      (next, interceptor) => () => interceptor(call, next),
      () => work(call),
    );
    void call.run(chain);
  }

  /** The only place where errors are answered, counted and logged. */
  readonly #fail = (call: Call, error: unknown): void => {
    if (call.isOver) return;
    let status: Status;
    try {
      status = this.#statusOf(call, error);
    } catch {
      // The thrown object throws when it is read.
      status = this.#statusOf(call, new Error('the handler threw an object that cannot be read'));
    }
    call.fail(status);
  };

  /** Faults of callers are logged at level debug, as by HTTP. */
  #statusOf(call: Call, error: unknown): Status {
    const reason = error instanceof Error && error.name === 'AbortError' ? (call.ended() ?? error) : error;
    const status = statusOf(reason, call.id);
    const { tags } = as(reason, ServiceError) ?? {};
    this.#options.log[serverFaults.has(status.name) ? 'error' : 'debug']({ ...tags, err: error }, 'call failed');
    return status;
  }

  /** Records the end of each call: one log line, one observation, the end of its span. */
  readonly #ended = (call: Call, status: Status): void => {
    const { name } = status;
    this.#record(call.method.name, status, performance.now() - call.begun);
    this.#spans.get(call)?.({ 'rpc.response.status_code': name }, serverFaults.has(name) ? name : undefined);
  };

  /** Records a call that grpc-js has answered at once, without a span. Only methods that exist become a label. */
  readonly #unserved = (headers: IncomingHttpHeaders, status: Status): void => {
    const path = headers[':path'] ?? '';
    const context = new Context({ id: requestIdOf(headers), trace: traceOf(headers, this.#serving.tracing) });
    const method = this.#methods.get(path)?.name ?? 'unknown';
    runWith(context, () => this.#record(method, status, 0, { path: shortened(path) }));
  };

  #record(method: string, { name, code }: Status, ms: number, more: object = {}): void {
    const { log, errors } = this.#options;
    this.#durations.observe({ method, status: name }, ms / 1000);
    if (name !== 'OK') errors.count(code);
    log.info({ method, ...more, status: name, ms }, 'call');
  }
}

/** grpc-js does not declare the stream of HTTP/2 below a call. */
function streamOf(wire: ServerInterceptingCallInterface): ServerHttp2Stream {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return Reflect.get(wire, 'stream') as ServerHttp2Stream;
}

/** The options of each method, where those of a resource need its scopes. */
function methodsOf(service: DescService, { auth, resource, methods = {} }: ServiceOptions<DescService>) {
  if (resource === undefined || auth !== undefined) return methods;
  const { read, write } = scopesOf(resource);
  const entries = service.methods.map(({ localName, idempotency }) => {
    const scopes = [idempotency === Idempotency.NO_SIDE_EFFECTS ? read : write];
    return [localName, { auth: { scopes }, ...methods[localName] }] as const;
  });
  return Object.fromEntries(entries);
}
