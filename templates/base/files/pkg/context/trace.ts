import { randomBytes } from 'node:crypto';

/** Where a piece of work stands in a trace (https://www.w3.org/TR/trace-context/). */
export interface Trace {
  /** 32 lower-case hexadecimal digits. */
  readonly traceId: string;
  /** 16 lower-case hexadecimal digits: the span that is the parent of whatever is called from here. */
  readonly spanId: string;
  /** Whether the spans of this trace are recorded. */
  readonly sampled: boolean;
  /** What other tracing systems pass along: the header `tracestate`, as it came. */
  readonly state?: string;
}

/** No trace at all: the ids that the standard calls invalid. */
export const noTrace: Trace = { traceId: '0'.repeat(32), spanId: '0'.repeat(16), sampled: false };

const sampledFlag = 1;
const parentPattern = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;

/**
 * Reads the headers of a caller.
 * @param traceparent the header's value
 * @param tracestate the header's value; left out when it is not well-formed
 * @returns the caller's trace, or undefined when there is none or it is not well-formed
 */
export function parseTrace(traceparent: string | undefined, tracestate?: string): Trace | undefined {
  if (traceparent === undefined) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', more] = parentPattern.exec(traceparent) ?? [];
  // A later version may say more behind the flags; version 00 does not, and ff never comes.
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (traceId === noTrace.traceId || spanId === noTrace.spanId) return undefined;
  const sampled = (Number.parseInt(flags, 16) & sampledFlag) === sampledFlag;
  const trace = { traceId, spanId, sampled };
  return tracestate !== undefined && isTraceState(tracestate) ? { ...trace, state: tracestate } : trace;
}

/**
 * @param trace of the work that calls
 * @returns the value of the header `traceparent`
 */
export function formatTraceparent({ traceId, spanId, sampled }: Trace): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

const statePattern =
  /^(?:[a-z][\w\-*/]{0,255}|[a-z\d][\w\-*/]{0,240}@[a-z][\w\-*/]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const mostStateCharacters = 512;
const mostStateMembers = 32;

function isTraceState(text: string): boolean {
  if (text.length > mostStateCharacters) return false;
  const members = text.split(',').map((member) => member.trim());
  return members.length <= mostStateMembers && members.every((member) => member === '' || statePattern.test(member));
}

/** Random digits are bought in bulk: one call into the system for hundreds of ids. */
const bulkBytes = 4096;
let digits = '';
let used = 0;

function randomDigits(count: number): string {
  if (used + count > digits.length) {
    digits = randomBytes(bulkBytes).toString('hex');
    used = 0;
  }
  used += count;
  return digits.slice(used - count, used);
}

/** @returns a new trace's id: random in all of its digits */
export function newTraceId(): string {
  return randomDigits(32);
}

/** @returns a new span's id */
export function newSpanId(): string {
  return randomDigits(16);
}
