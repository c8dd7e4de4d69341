import { describe, expect, it } from 'vitest';
import { parseUntrusted } from '../../../generators/engine/json.ts';

const parse = (text: string): unknown => parseUntrusted(text, 'plan.json', 'make it again');

describe('parseUntrusted', () => {
  it.each(['{}', '[1, "a\\n", {"b": null}]', ' -1.5e3 ', '"x"'])('parses %s', (text) => {
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  it.each([
    ['', 1, 1],
    ['secret words', 1, 1],
    ['{"a": 1,\n}', 2, 1],
    ['{"a" 1}', 1, 6],
    ['{"a": secret}', 1, 7],
    ['[1,\n 2,\n  3 4]', 3, 5],
    ['{"a": 1', 1, 8],
    ['{"a": "b', 1, 7],
    ['{"a": "\\x"}', 1, 7],
    ['{a: 1}', 1, 2],
    ['[1]]', 1, 4],
    ['[1}', 1, 3],
    ['[,]', 1, 2],
    ['{"a": 01}', 1, 8],
    ['{,}', 1, 2],
    ['\n\n nul', 3, 2],
  ])('says where %j is no JSON, and quotes nothing', (text, line, column) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({
        exitCode: 2,
        message: `plan.json is not JSON: see line ${line}, column ${column}`,
        hint: 'make it again',
      }),
    );
  });

  it.each([
    ['[', ']'],
    ['{"a":', '}'],
  ])('refuses %s in itself, however deep', (open, close) => {
    const nested = (depth: number): string => `${open.repeat(depth)}1${close.repeat(depth)}`;
    expect(() => parse(nested(100))).not.toThrow();
    for (const depth of [101, 1e5])
      expect(() => parse(nested(depth))).toThrow('plan.json is nested deeper than 100 levels');
    // Cut off, it is no JSON.
    expect(() => parse(open.repeat(1e5))).toThrow('plan.json is not JSON');
  });

  it('looks through long strings', () => {
    expect(() => parse(`["${'x'.repeat(5e6)}", "${'\\n'.repeat(1e6)}", ?]`)).toThrow('line 1, column 7000010');
  });
});
