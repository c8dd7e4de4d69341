import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { type Module, defineModule } from './module.ts';
import { inOrder } from './lifecycle.ts';

function module(name: string, ...requires: Module[]): Module {
  return defineModule({ name, config: Type.Object({}), requires, start: () => ({ value: undefined }) });
}

describe('inOrder', () => {
  const a = module('a');
  const b = module('b', a);
  const c = module('c', b, a);

  it('puts a module after what it requires', () => {
    expect(inOrder([c, b, a])).toEqual([a, b, c]);
  });

  it('keeps the given order where nothing requires another', () => {
    const d = module('d');
    expect(inOrder([d, a, b])).toEqual([d, a, b]);
  });

  it('names what is missing, and for whom', () => {
    expect(() => inOrder([b])).toThrow('Module "b" requires "a", which is not in the list of modules');
  });

  it('puts a module after what completes one that it requires', () => {
    const filling: Module = { ...module('filling'), completes: a };
    expect(inOrder([c, b, filling, a])).toEqual([a, filling, b, c]);
  });

  it('names a circle by way of what completes another', () => {
    const filling: Module = { ...module('filling', b), completes: a };
    expect(() => inOrder([a, b, filling])).toThrow('Modules require each other: b → filling → b');
  });

  it('names the module that is to be completed and is missing', () => {
    const filling: Module = { ...module('filling'), completes: a };
    expect(() => inOrder([filling])).toThrow('Module "filling" requires "a", which is not in the list of modules');
  });

  it('names both ends of a cycle', () => {
    const requires: Module[] = [];
    const first: Module = { ...module('first'), requires };
    const second = module('second', first);
    requires.push(second);
    expect(() => inOrder([first, second])).toThrow('Modules require each other: first → second → first');
  });

  it('refuses two modules of one name', () => {
    expect(() => inOrder([a, module('a')])).toThrow('Two modules are called "a"');
  });
});
