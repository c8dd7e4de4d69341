import type { IncomingMessage, ServerResponse } from 'node:http';
import { Context, type Trace } from '../../pkg/context/index.ts';

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
  detached: (_name, { id, trace }) => new Context({ id, link: trace }),
};
