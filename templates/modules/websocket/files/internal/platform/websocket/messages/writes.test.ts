import { describe, expect, it } from 'vitest';
import { Writes } from './writes.ts';

describe('writes that come again', () => {
  it('are the same in whatever order their keys come', async () => {
    const writes = new Writes<number>();
    let count = 0;
    const once = (payload: unknown): Promise<number> =>
      writes.once('id', 'ada', payload, async () => {
        count += 1;
        return count;
      });
    expect(await once({ sku: 'a', lines: [{ number: 1, text: 'b' }, 2] })).toBe(1);
    expect(await once({ lines: [{ text: 'b', number: 1 }, 2], sku: 'a' })).toBe(1);
    expect(() => once({ sku: 'a', lines: [2, { number: 1, text: 'b' }] })).toThrow('with this id');
  });

  it('are not those of a subject whose name and id only look alike', async () => {
    const writes = new Writes<string>();
    expect(await writes.once('b c', 'a', {}, async () => 'first')).toBe('first');
    expect(await writes.once('c', 'a b', {}, async () => 'second')).toBe('second');
  });

  it('are remembered up to a number, the latest of them', async () => {
    const writes = new Writes<number>();
    for (let number = 0; number <= 10_000; number += 1)
      await writes.once(String(number), 'ada', {}, async () => number);
    expect(await writes.once('1', 'ada', {}, async () => -1)).toBe(1);
    expect(await writes.once('0', 'ada', {}, async () => -1)).toBe(-1);
  });
});
