import { headerNames, parseTrace } from '../../../pkg/context/index.ts';
import type { GrpcStatus } from '../../../pkg/errors/index.ts';
import { headerOf } from '../http/requests/requestId.ts';
import type { EndRpc, Tracing } from '../telemetry/tracing.ts';
import type { Call } from './call.ts';
import type { Interceptor } from './interceptor.ts';

/** Spans of the calls that are sampled, each begun within the chain and ended with its call. */
export class CallSpans {
  readonly #tracing: Tracing;
  readonly #open = new Map<Call, EndRpc>();

  /** @param tracing makes them */
  constructor(tracing: Tracing) {
    this.#tracing = tracing;
  }

  /** Begins the span of a call. */
  readonly traced: Interceptor = async (call, next) => {
    if (call.trace.sampled && !call.isOver) {
      const parent = parseTrace(
        headerOf(call.headers, headerNames.traceparent),
        headerOf(call.headers, headerNames.tracestate),
      );
      this.#open.set(call, this.#tracing.beginRpc(call, { method: call.method.name, peer: call.peer, parent }));
    }
    return next();
  };

  /**
   * @param call that has ended
   * @param status how
   */
  end(call: Call, status: GrpcStatus): void {
    this.#open.get(call)?.(status);
    this.#open.delete(call);
  }
}
