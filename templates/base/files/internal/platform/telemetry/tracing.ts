import type { IncomingMessage, ServerResponse } from 'node:http';
import { Context, type Trace } from '../../../pkg/context/index.ts';
import type { GrpcStatus } from '../../../pkg/errors/index.ts';

/** What is known of a call by RPC when it begins. */
export interface Rpc {
  /** `package.Service/Method`. */
  readonly method: string;
  /** Address of the client. */
  readonly peer: string;
  /** The caller's trace, if there is one. */
  readonly parent: Trace | undefined;
}

/** Ends the span of a call with its status. */
export type EndRpc = (status: GrpcStatus) => void;

/** What the request path asks of tracing. */
export interface Tracing {
  /**
   * Decides before any span is made.
   * @param traceId of the request
   * @param parent the caller's trace, if there is one
   * @returns whether the spans of the trace are recorded
   */
  readonly isSampled: (traceId: string, parent: Trace | undefined) => boolean;
  /**
   * Begins the span of a request that is sampled, in its own context; it ends with the reply.
   * @param context of the request
   * @param request as it came in
   * @param response on its way
   * @param route pattern of the route, if one was found
   */
  readonly begin: (
    context: Context,
    request: IncomingMessage,
    response: ServerResponse,
    route: string | undefined,
  ) => void;
  /**
   * Begins the span of a call by RPC that is sampled, in its own context.
   * @param context of the call
   * @param rpc what is known of it
   * @returns what ends the span
   */
  readonly beginRpc: (context: Context, rpc: Rpc) => EndRpc;
  /**
   * @param name what the work is called
   * @param from what it was started from
   * @returns a context for work in a trace of its own, which is recorded when the one it was started from is
   */
  readonly detached: (name: string, from: Context) => Context;
}

/** Records nothing: the trace of the caller is only passed on. */
export const noTracing: Tracing = {
  isSampled: (_traceId, parent) => parent?.sampled ?? false,
  begin: () => {},
  beginRpc: () => () => {},
  detached: (_name, { id, trace }) => new Context({ id, link: trace }),
};
