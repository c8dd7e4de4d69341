import { describe, expect, it } from 'vitest';
import { graft } from '../../../generators/engine/reconcile/merge/graft.ts';

const lines = (...all: string[]) => all.map((line) => `${line}\n`).join('');

describe('bringing a change into a text that is laid out otherwise', () => {
  it.each([
    ['far from it', ['A', 'b', 'c'], ['a', 'b', 'c', 'new'], ['A', 'b', 'c', 'new']],
    ['an insertion right behind it', ['a', 'B', '# b', 'c'], ['a', 'b', 'new', 'c'], ['a', 'B', '# b', 'new', 'c']],
    ['an insertion right before it', ['a', '# b', 'B', 'c'], ['a', 'new', 'b', 'c'], ['a', 'new', '# b', 'B', 'c']],
    ['a removal right behind it', ['A', 'b', 'c'], ['a', 'c'], ['A', 'c']],
    ['a removal right before it', ['a', 'b', 'C'], ['a', 'c'], ['a', 'C']],
    ['a change of the same line', ['odd', 'a', 'B', 'c'], ['a', 'new', 'c'], ['odd', 'a', 'new', 'c']],
  ])('%s', (_name, yours, theirs, expected) => {
    const result = graft({ base: lines('a', 'b', 'c'), yours: lines(...yours), theirs: lines(...theirs) });
    expect(result).toBe(lines(...expected));
  });

  it('keeps a missing newline at the end', () => {
    expect(graft({ base: 'a\nb\n', yours: 'a\nb', theirs: 'new\na\nb\n' })).toBe('new\na\nb');
  });
});
