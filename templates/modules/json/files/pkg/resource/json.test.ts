import { describe, expect, it } from 'vitest';
import { depthFaults } from './json.ts';

describe('the levels of JSON', () => {
  const nested = (levels: number, open = '[', close = ']'): unknown =>
    JSON.parse(`${open.repeat(levels)}1${close.repeat(levels)}`);

  it.each([
    [undefined, 0],
    [null, 0],
    ['[[[', 0],
    [nested(32), 0],
    [nested(32, '{"a":', '}'), 0],
    [nested(33), 1],
    [nested(33, '{"a":', '}'), 1],
    [[1, { a: nested(31) }], 1],
    [nested(60, '[{"a":', '}]'), 1],
  ])('%j has %i faults', (value, faults) => {
    const fault = { pointer: '/data', rule: 'depth', detail: 'must have at most 32 levels' };
    expect(depthFaults('/data', value)).toEqual(Array.from({ length: faults }, () => fault));
  });
});
