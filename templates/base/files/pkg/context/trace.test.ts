import { describe, expect, it } from 'vitest';
import { formatTraceparent, newSpanId, newTraceId, parseTrace } from './trace.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

describe('traceparent', () => {
  it.each([
    [`00-${traceId}-${spanId}-01`, true],
    [`00-${traceId}-${spanId}-00`, false],
    // The random flag of level 2 says nothing of sampling.
    [`00-${traceId}-${spanId}-02`, false],
    [`00-${traceId}-${spanId}-03`, true],
    [`cc-${traceId}-${spanId}-01-what-the-future-will-be-like`, true],
  ])('%s is understood', (header, sampled) => {
    expect(parseTrace(header)).toEqual({ traceId, spanId, sampled });
  });

  it.each([
    undefined,
    '',
    `ff-${traceId}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${traceId}-${spanId}-01-more`,
    `00-${traceId}-${spanId}-1`,
    `00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-01`,
    ` 00-${traceId}-${spanId}-01`,
  ])('%j is no trace', (header) => {
    expect(parseTrace(header)).toBeUndefined();
  });

  it('is written as it was read', () => {
    const header = `00-${traceId}-${spanId}-01`;
    const place = parseTrace(header);
    expect(place && formatTraceparent(place)).toBe(header);
  });
});

describe('tracestate', () => {
  const parent = `00-${traceId}-${spanId}-01`;

  it.each(['rojo=00f067aa0ba902b7,congo=t61rcWkgMzE', 'a=1, ,b=2', 'fw529a3039@dt=FfeQ~!'])(
    '%s goes along',
    (state) => {
      expect(parseTrace(parent, state)?.state).toBe(state);
    },
  );

  it.each([`a=${'x'.repeat(511)}`, 'a=\u00E9', 'a=\t1'])(
    'of more than 512 characters, or with others than ASCII, is left out, and the trace stays: %j',
    (state) => {
      expect(parseTrace(parent, state)).toEqual({ traceId, spanId, sampled: true });
    },
  );
});

it('ids are well-formed, and each is another one', () => {
  const ids = Array.from({ length: 1000 }, () => [newTraceId(), newSpanId()]);
  for (const [trace, span] of ids) expect(parseTrace(`00-${trace}-${span}-00`)).toBeDefined();
  expect(new Set(ids.flat()).size).toBe(2000);
});
