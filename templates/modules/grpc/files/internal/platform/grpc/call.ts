import type { IncomingHttpHeaders } from 'node:http';
import type { Metadata, ServerInterceptingCallInterface } from '@grpc/grpc-js';
import type { Static } from 'typebox';
import { Context, givenUp, outOfTime } from '../../../pkg/context/index.ts';
import type { GrpcStatus } from '../../../pkg/errors/grpc.ts';
import type { EndSpan, Tracing } from '../app/tracing.ts';
import { requestIdOf, traceOf } from '../http/requestContext.ts';
import type { Needs } from '../identity/module.ts';
import type { config } from './config.ts';
import type { Failure } from './status.ts';

/** A method that is served. */
export interface Method {
  /** `package.Service/Method`. */
  readonly name: string;
  /** Undefined when anyone may call it. */
  readonly needs: Needs | undefined;
  /** Whether it takes a stream of requests: grpc-js then runs its handler before the first of them. */
  readonly takesStream: boolean;
  /** Whether it has one request and one reply. */
  readonly isUnary: boolean;
}

/** What all calls share. */
export interface Shared {
  readonly config: Static<typeof config>;
  readonly tracing: Tracing;
  /** Aborts when the service begins to stop; streams without an end should end then. */
  readonly stopping: AbortSignal;
}

/** One call, which is also the context of all work for it. */
export class Call extends Context {
  readonly method: Method;
  /** The metadata of the client, including binary values. */
  readonly metadata: Metadata;
  /** The text values of the metadata, by names in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** Start of the call, by `performance.now()`. */
  readonly begun: number;
  /** The time limit of this service in milliseconds; undefined when the limit of the client, which grpc-js enforces, comes first. */
  readonly limitMs: number | undefined;
  /** Whether it has its status: nothing more is sent. */
  isOver = false;
  /** Whether its handler works on. The call keeps its place among the calls in progress until both have ended. */
  isHandled = false;
  hasPlace = false;
  timer: NodeJS.Timeout | undefined;
  endSpan: EndSpan | undefined;
  /** Ends the wait of the handler for its client. */
  unblock: (() => void) | undefined;
  readonly #wire: ServerInterceptingCallInterface;
  readonly #shared: Shared;

  /**
   * @param method that is called
   * @param metadata of the client
   * @param wire the call of grpc-js
   * @param shared by all calls
   */
  constructor(method: Method, metadata: Metadata, wire: ServerInterceptingCallInterface, shared: Shared) {
    const values = metadata.getMap();
    for (const name in values) if (typeof values[name] !== 'string') delete values[name];
    // Only texts are left.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const headers = values as Record<string, string>;
    const begun = performance.now();
    const askedMs = Number(wire.getDeadline()) - Date.now();
    const limitMs = limitOf(method, askedMs, shared.config);
    const deadline = begun + Math.min(askedMs, limitMs);
    super({ id: requestIdOf(headers), trace: traceOf(headers, shared.tracing), deadline });
    this.method = method;
    this.metadata = metadata;
    this.headers = headers;
    this.begun = begun;
    this.limitMs = limitMs < askedMs ? limitMs : undefined;
    this.#wire = wire;
    this.#shared = shared;
  }

  /** Address of the client. */
  get peer(): string {
    return this.#wire.getConnectionInfo().remoteAddress ?? '';
  }

  /** Aborts when the service begins to stop. */
  get stopping(): AbortSignal {
    return this.#shared.stopping;
  }

  /** Sends the status of a call that fails, at once: messages that the client has not read are dropped. */
  fail(status: Failure): void {
    this.#wire.sendStatus(status);
  }

  /** Ends the work for the call, which has its status. */
  end(status: GrpcStatus): void {
    clearTimeout(this.timer);
    this.cancel(reasonOf(status, this.id));
    this.unblock?.();
  }
}

function limitOf({ isUnary }: Method, askedMs: number, settings: Static<typeof config>): number {
  // A stream may have no end.
  if (!isUnary) return Infinity;
  return askedMs === Infinity ? settings.GRPC_DEADLINE_MS : settings.GRPC_DEADLINE_MAX_MS;
}

/** The reason that the signal of the call has. */
function reasonOf(status: GrpcStatus, id: string): Error | undefined {
  if (status === 'OK') return undefined;
  if (status === 'DEADLINE_EXCEEDED') return outOfTime(id);
  return givenUp(status === 'CANCELLED' ? 'the client cancelled the call' : `the call ended with ${status}`);
}
