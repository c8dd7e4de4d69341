export { beginCall } from './fetch.ts';
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
export { detach, finishDetachedWork, giveUpDetachedWork } from './context.ts';
export { givenUp, outOfTime } from './context.ts';
export { type CallSpan, type FetchOptions, callSpans, contextFetch } from './fetch.ts';
export { headerNames, outgoingHeaders, parseTimeout } from './fetch.ts';
export { type Trace, formatTraceparent, newSpanId, newTraceId, noTrace, parseTrace } from './trace.ts';
