import type { IncomingHttpHeaders } from 'node:http';
import type { Writable } from 'node:stream';
import type { Metadata, ServerInterceptingCallInterface } from '@grpc/grpc-js';
import type { Static } from 'typebox';
import { Context, givenUp, longestTimer, outOfTime, runWith } from '../../../pkg/context/index.ts';
import type { GrpcStatus, ServiceError } from '../../../pkg/errors/index.ts';
import { requestIdOf, traceOf } from '../http/requestContext.ts';
import type { Tracing } from '../app/tracing.ts';
import type { config } from './config.ts';
import type { Method } from './method.ts';
import { type Status, fault, statusObjectOf } from './status.ts';

/** What all calls have in common. */
export interface Serving {
  readonly config: Static<typeof config>;
  readonly tracing: Tracing;
  /** Aborts when the service begins to stop: streams without an end then come to one. */
  readonly stopping: AbortSignal;
  /** Ends a call with an error. */
  readonly fail: (call: Call, error: unknown) => void;
  /** Called once, when the status of a call is decided. */
  readonly ended: (call: Call, status: Status) => void;
}

/** One call, and the context of all that is done for it. */
export class Call extends Context {
  readonly method: Method;
  /** All that the client sent with the call, binary values included. */
  readonly metadata: Metadata;
  /** The text values of the metadata, by names in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** Address of the client. */
  readonly peer: string;
  /** Aborts when the service begins to stop. */
  readonly stopping: AbortSignal;
  /** By `performance.now()`. */
  readonly begun = performance.now();
  readonly #serving: Serving;
  readonly #wire: ServerInterceptingCallInterface;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  #failure: Status | undefined;
  #holders = 1;
  #vacate: (() => void) | undefined;
  /** Ends the wait of the handler for its client. */
  #unblock: (() => void) | undefined;

  /**
   * @param method that is called
   * @param metadata of the client
   * @param wire answers the client
   * @param serving what all calls have in common
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
    if (leftMs <= longestTimer) this.#failIn(leftMs, () => outOfTime(this.id));
  }

  override detached(name: string): Context {
    return this.#serving.tracing.detached(name, this);
  }

  /** Whether its status is decided: nothing is sent any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Takes a place among the calls in flight. A handler that works on after the end of its call keeps the place.
   * @param vacate gives the place back
   */
  occupy(vacate: () => void): void {
    this.#vacate = vacate;
  }

  /** Marks the begin of a handler; `release` marks its end. */
  hold(): void {
    this.#holders += 1;
  }

  /** Marks that all is sent. A client that has no deadline has to read it all the same. */
  answered(): void {
    if (!this.#isOver && this.#timer === undefined) this.#failIn(this.#serving.config.GRPC_STALL_TIMEOUT_MS, stalled);
  }

  /** Marks the end of a handler, or of the call itself. */
  release(): void {
    this.#holders -= 1;
    if (this.#holders === 0) this.#vacate?.();
  }

  /**
   * Sends a message of a stream.
   * @param stream takes the message
   * @param bytes of the message
   * @returns when there is room for the next one: a client that reads slowly is waited for
   * @throws {ServiceError} when the call is over, or its client has not read for too long
   */
  async send(stream: Writable, bytes: Buffer): Promise<void> {
    this.throwIfEnded();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(stalled()), this.#serving.config.GRPC_STALL_TIMEOUT_MS).unref();
    this.#unblock = resolve;
    stream.write(bytes, () => resolve());
    await promise.finally(() => clearTimeout(timer));
    this.throwIfEnded();
  }

  /**
   * Ends the call with an error, at once: messages that wait for the client are dropped.
   * @param status what its client learns
   */
  fail(status: Status): void {
    this.#failure = status;
    this.#wire.sendStatus(statusObjectOf(status));
  }

  /**
   * Records the end of the call, unless it has ended already.
   * @param name of its status
   */
  over(name: GrpcStatus): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    runWith(this, this.#serving.ended, this, this.#failure ?? { name, code: name.toLowerCase() });
    this.cancel(reasonOf(name, this.id));
    this.#unblock?.();
    this.release();
  }

  #failIn(ms: number, error: () => Error): void {
    this.#timer = setTimeout(() => this.#serving.fail(this, error()), ms).unref();
  }
}

function stalled(): ServiceError {
  return fault('reader_stalled', 'RESOURCE_EXHAUSTED', 'The client does not read what it is sent.');
}

function allowedMs(asked: number, { isUnary }: Method, settings: Static<typeof config>): number {
  // A stream may have no end.
  if (!isUnary) return asked;
  return Math.min(asked === Infinity ? settings.GRPC_DEADLINE_MS : asked, settings.GRPC_DEADLINE_MAX_MS);
}

/** What a handler learns that still works for a call that has ended. */
function reasonOf(name: GrpcStatus, id: string): Error | undefined {
  if (name === 'OK') return undefined;
  if (name === 'DEADLINE_EXCEEDED') return outOfTime(id);
  return givenUp(name === 'CANCELLED' ? 'the client cancelled the call' : `the call ended with ${name}`);
}
