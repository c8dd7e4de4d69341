import { background, current } from '../../../pkg/context/index.ts';

/**
 * For pino's `mixin`: names the request that a line is about, without a logger of its own for each request.
 * @returns the ids of the present context; nothing outside of one
 */
export function contextFields(): Record<string, string> {
  const { id, trace } = current();
  if (id === background.id) return {};
  const fields = { requestId: id, traceId: trace.traceId };
  return trace.sampled ? { ...fields, spanId: trace.spanId } : fields;
}
