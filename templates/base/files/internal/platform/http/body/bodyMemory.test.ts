import { describe, expect, it } from 'vitest';
import { Context } from '../../../../pkg/context/index.ts';
import { BodyMemory } from '../body.ts';

const free = 16_384;
const limit = 1000;

describe('the memory of bodies', () => {
  it('is shared by all, beyond what each has in any case', () => {
    const memory = new BodyMemory(limit);
    const [first, second, third] = [new Context({ id: 'a' }), new Context({ id: 'b' }), new Context({ id: 'c' })];
    expect(memory.hold(first, free + limit - 1)).toBe(true);
    expect(memory.hold(second, free + 2)).toBe(false);
    expect(memory.hold(second, free + 1)).toBe(true);
    expect(memory.hold(third, free)).toBe(true);
    expect(memory.hold(third, free + 1)).toBe(false);
  });

  it('is given back in part when less is needed, and whole when the work is over', () => {
    const memory = new BodyMemory(limit);
    const [first, second] = [new Context({ id: 'a' }), new Context({ id: 'b' })];
    expect(memory.hold(first, free + limit)).toBe(true);
    expect(memory.hold(first, 0)).toBe(true);
    expect(memory.hold(second, free + limit)).toBe(true);
    expect(memory.hold(first, free + 1)).toBe(false);
    second.cancel();
    expect(memory.hold(first, free + limit)).toBe(true);
    first.cancel();
    expect(memory.hold(new Context({ id: 'c' }), free + limit)).toBe(true);
  });

  it('is not given to work that has ended', () => {
    const memory = new BodyMemory(limit);
    const over = new Context({ id: 'a' });
    over.cancel();
    expect(memory.hold(over, free + 1)).toBe(false);
  });
});
