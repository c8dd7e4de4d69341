import type { IncomingHttpHeaders } from 'node:http';
import type { Writable } from 'node:stream';
import type { Metadata, ServerInterceptingCallInterface } from '@grpc/grpc-js';
import type { Static } from 'typebox';
import { Context, givenUp, longestTimer, outOfTime, runWith } from '../../../pkg/context/index.ts';
import type { GrpcStatus } from '../../../pkg/errors/grpc.ts';
import { requestIdOf, traceOf } from '../http/requestContext.ts';
import type { Tracing } from '../app/tracing.ts';
import type { Needs } from '../identity/module.ts';
import type { config } from './config.ts';
import { type Status, statusObjectOf } from './status.ts';

/** A method that is served. */
export interface Method {
  /** `package.Service/Method`. */
  readonly name: string;
  /** Undefined when anyone may call it. */
  readonly needs: Needs | undefined;
  /** Whether it has one request and one reply. */
  readonly isUnary: boolean;
}

/** What all calls share. */
export interface Serving {
  readonly config: Static<typeof config>;
  readonly tracing: Tracing;
  /** Aborts when the service begins to stop; streams without an end should end then. */
  readonly stopping: AbortSignal;
  /** Ends a call with an error. */
  readonly fail: (call: Call, error: unknown) => void;
  /** Called once for each call, with its status. */
  readonly ended: (call: Call, status: Status) => void;
}

/** One call, which is also the context of all work for it. */
export class Call extends Context {
  readonly method: Method;
  /** The metadata of the client, including binary values. */
  readonly metadata: Metadata;
  /** The text values of the metadata, by names in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** Address of the client. */
  readonly peer: string;
  /** Aborts when the service begins to stop. */
  readonly stopping: AbortSignal;
  /** Start of the call, by `performance.now()`. */
  readonly begun = performance.now();
  /** Returns the place of the call among the calls in progress. */
  vacate: (() => unknown) | undefined;
  readonly #serving: Serving;
  readonly #wire: ServerInterceptingCallInterface;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  #failure: Status | undefined;
  /** The call itself, and its handler while it runs. */
  #holders = 1;
  /** Ends the wait of the handler for its client. */
  #unblock: (() => void) | undefined;

  /**
   * @param method that is called
   * @param metadata of the client
   * @param wire the call of grpc-js
   * @param serving what all calls share
   */
  constructor(method: Method, metadata: Metadata, wire: ServerInterceptingCallInterface, serving: Serving) {
    const headers: IncomingHttpHeaders = {};
    for (const [name, value] of Object.entries(metadata.getMap())) {
      if (typeof value === 'string') headers[name] = value;
    }
    const deadline = performance.now() + allowedMs(Number(wire.getDeadline()) - Date.now(), method, serving.config);
    super({ id: requestIdOf(headers), trace: traceOf(headers, serving.tracing), deadline });
    this.method = method;
    this.metadata = metadata;
    this.headers = headers;
    this.peer = wire.getConnectionInfo().remoteAddress ?? '';
    this.stopping = serving.stopping;
    this.#serving = serving;
    this.#wire = wire;
    const leftMs = this.remainingMs();
    if (leftMs > longestTimer) return;
    this.#timer = setTimeout(() => serving.fail(this, outOfTime(this.id)), leftMs).unref();
  }

  /** Whether it has its status: nothing more is sent. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Runs the handler. The call keeps its place among the calls in progress until both have ended.
   * @param work the handler with its interceptors; what it throws ends the call
   */
  async run(work: () => Promise<void>): Promise<void> {
    // The call may have ended before its request was complete.
    if (this.#isOver) return;
    this.#holders += 1;
    try {
      await work();
    } catch (error) {
      this.#serving.fail(this, error);
    } finally {
      this.#release();
    }
  }

  /**
   * Sends a message of a stream.
   * @param stream of the call
   * @param bytes of the message
   * @returns when the client has read enough for the next message
   * @throws {ServiceError} when the call has ended
   */
  async send(stream: Writable, bytes: Buffer): Promise<void> {
    this.throwIfEnded();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#unblock = resolve;
    stream.write(bytes, () => resolve());
    await promise;
    this.throwIfEnded();
  }

  /** Ends the call with an error, at once: messages that the client has not read are dropped. */
  fail(status: Status): void {
    this.#failure = status;
    this.#wire.sendStatus(statusObjectOf(status));
  }

  /** Records the end of the call, once. */
  over(name: GrpcStatus): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    runWith(this, this.#serving.ended, this, this.#failure ?? { name, code: name.toLowerCase() });
    this.cancel(reasonOf(name, this.id));
    this.#unblock?.();
    this.#release();
  }

  #release(): void {
    this.#holders -= 1;
    if (this.#holders === 0) this.vacate?.();
  }
}

function allowedMs(asked: number, { isUnary }: Method, settings: Static<typeof config>): number {
  // A stream may have no end.
  if (!isUnary) return asked;
  return Math.min(asked === Infinity ? settings.GRPC_DEADLINE_MS : asked, settings.GRPC_DEADLINE_MAX_MS);
}

/** The reason that the signal of the call has. */
function reasonOf(name: GrpcStatus, id: string): Error | undefined {
  if (name === 'OK') return undefined;
  if (name === 'DEADLINE_EXCEEDED') return outOfTime(id);
  return givenUp(name === 'CANCELLED' ? 'the client cancelled the call' : `the call ended with ${name}`);
}
