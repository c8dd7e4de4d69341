import { randomBytes } from 'node:crypto';

/** The position of a piece of work in a trace (https://www.w3.org/TR/trace-context/). */
export interface Trace {
  /** 32 lower-case hexadecimal digits. */
  readonly traceId: string;
  /** 16 lower-case hexadecimal digits: the span that is the parent of all calls from here. */
  readonly spanId: string;
  /** Whether the spans of this trace are recorded. */
  readonly sampled: boolean;
  /** The header `tracestate` of other tracing systems, unchanged. */
  readonly state?: string;
}

/** No trace: the ids that the standard calls invalid. */
export const noTrace: Trace = { traceId: '0'.repeat(32), spanId: '0'.repeat(16), sampled: false };

const sampledFlag = 1;
/** The characters of `tracestate`, and the most that the standard requires to pass on. gRPC does not send others, and throws. */
const statePattern = /^[\x20-\x7e]{0,512}$/;
const parentPattern = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;

/**
 * Reads the headers of a caller.
 * @param traceparent the header's value
 * @param tracestate the header's value; ignored when it is too long or not in ASCII
 * @returns the caller's trace; undefined when the header is missing or malformed
 */
export function parseTrace(traceparent: string | undefined, tracestate?: string): Trace | undefined {
  if (traceparent === undefined) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', more] = parentPattern.exec(traceparent) ?? [];
  // Only versions after 00 may have more fields; ff is invalid.
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (traceId === noTrace.traceId || spanId === noTrace.spanId) return undefined;
  const sampled = (Number.parseInt(flags, 16) & sampledFlag) === sampledFlag;
  const trace = { traceId, spanId, sampled };
  return tracestate !== undefined && statePattern.test(tracestate) ? { ...trace, state: tracestate } : trace;
}

/**
 * @param trace of the calling work
 * @returns the value of the header `traceparent`
 */
export function formatTraceparent({ traceId, spanId, sampled }: Trace): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

/** Random digits in stock: one system call yields hundreds of ids. */
let digits = '';

function randomDigits(count: number): string {
  if (digits.length < count) digits = randomBytes(4096).toString('hex');
  const taken = digits.slice(0, count);
  digits = digits.slice(count);
  return taken;
}

/** @returns a random trace id */
export const newTraceId = (): string => randomDigits(32);

/** @returns a random span id */
export const newSpanId = (): string => randomDigits(16);
