export { beginCall } from './call.ts';
export {
  Context,
  type ContextKey,
  type ContextOptions,
  background,
  contextKey,
  current,
  longestTimer,
  runWith,
  withTimeout,
} from './context.ts';
export { detach, finishDetachedWork, giveUpDetachedWork } from './detached.ts';
export { givenUp, outOfTime } from './errors.ts';
export { type CallSpan, type FetchOptions, callSpans, contextFetch } from './fetch.ts';
export { headerNames, outgoingHeaders, parseTimeout } from './headers.ts';
export { type Trace, formatTraceparent, newSpanId, newTraceId, noTrace, parseTrace } from './trace.ts';
