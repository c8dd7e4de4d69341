import { describe, expect, it } from 'vitest';
import { merge } from '../../../generators/engine/reconcile/merge/merge.ts';

const lines = (...all: string[]) => all.map((line) => `${line}\n`).join('');

describe('a merge by lines', () => {
  it('takes changes of both sides in different places', () => {
    const base = lines('a', 'b', 'c', 'd', 'e');
    const merged = merge('x.ts', base, lines('A', 'b', 'c', 'd', 'e'), lines('a', 'b', 'c', 'd', 'e', 'f'), 'markers');
    expect(merged).toEqual({
      text: lines('A', 'b', 'c', 'd', 'e', 'f'),
      conflicts: [],
      base: lines('a', 'b', 'c', 'd', 'e', 'f'),
    });
  });

  const base = lines('a', 'b', 'c');
  const yours = lines('a', 'mine', 'c');
  const theirs = lines('a', 'new', 'c');

  it.each([
    ['ours', yours],
    ['theirs', theirs],
    ['markers', lines('a', '<<<<<<< yours', 'mine', '||||||| base', 'b', '=======', 'new', '>>>>>>> slipway', 'c')],
  ] as const)('shows a conflict as %s', (style, text) => {
    expect(merge('x.ts', base, yours, theirs, style)).toEqual({
      text,
      conflicts: [{ at: 'line 2', base: 'b', yours: 'mine', theirs: 'new' }],
      base: theirs,
    });
  });

  it('agrees where both sides changed the same', () => {
    const merged = merge('x.ts', base, lines('a', 'new', 'c', 'own'), theirs, 'markers');
    expect(merged).toEqual({ text: lines('a', 'new', 'c', 'own'), conflicts: [], base: theirs });
  });

  it('leaves what both inserted with the user, also when theirs takes it out again', () => {
    const own = lines('a', 'b', 'same', 'c', 'd');
    const added = merge('x.ts', lines('a', 'b', 'c', 'd'), own, lines('a', 'b', 'same', 'c', 'd', 'e'), 'markers');
    expect(added).toEqual({ text: own + lines('e'), conflicts: [], base: lines('a', 'b', 'c', 'd', 'e') });
    expect(merge('x.ts', added.base, added.text, lines('a', 'b', 'c', 'd'), 'markers').text).toBe(own);
  });

  it('keeps a missing newline at the end, and glues nothing to that line', () => {
    expect(merge('x.ts', 'a\nb\n', 'a\nb', 'a\nb\nc\n', 'markers').text).toBe('a\nb\nc');
    expect(merge('x.ts', 'a\nb', 'own\na\nb', 'a\nb\n', 'markers').text).toBe('own\na\nb\n');
  });

  it('keeps CRLF and a byte order mark, and records the base as it was printed', () => {
    const merged = merge('x.ts', 'a\nb\nc\n', '\uFEFFa\r\nb\r\nmine\r\n', 'new\na\nb\nc\n', 'markers');
    expect(merged).toEqual({ text: '\uFEFFnew\r\na\r\nb\r\nmine\r\n', conflicts: [], base: 'new\na\nb\nc\n' });
  });

  it('sees no change where only the line ends differ', () => {
    expect(merge('x.ts', 'a\nb\n', 'a\r\nb\r\n', 'a\nc\n', 'markers')).toEqual({
      text: 'a\r\nc\r\n',
      conflicts: [],
      base: 'a\nc\n',
    });
  });

  it('keeps each line end of a file in which they are mixed, and takes those of the line before for a new line', () => {
    const merged = merge('x.ts', 'a\nb\n\nc\n\nd\n', 'a\r\nb\n\r\nc\r\n\nd\r\n', 'a\nb\n\nc\nnew\n\nd\n', 'ours');
    expect(merged).toMatchObject({ text: 'a\r\nb\n\r\nc\r\nnew\r\n\nd\r\n', conflicts: [] });
  });

  it('expands nothing in what it merges', () => {
    const text = lines('a', "$& $1 $$ $' $`", 'c');
    expect(merge('x.ts', lines('a', 'c'), text, lines('a', 'c', 'd'), 'ours').text).toBe(text + lines('d'));
  });

  it('changes nothing the second time where repeated lines could be aligned in two ways', () => {
    const wanted = lines('a', 'c', 'b', 'b', 'a');
    const first = merge('x.ts', lines('b'), lines('a', 'c', 'b', 'a'), wanted, 'ours');
    expect(merge('x.ts', first.base, first.text, wanted, 'ours')).toEqual({ ...first, conflicts: [] });
  });

  it('takes the whole file for one conflict when there was no base', () => {
    expect(merge('x.ts', '', 'mine\n', 'new\n', 'markers').conflicts).toEqual([
      { at: 'line 1', base: '', yours: 'mine', theirs: 'new' },
    ]);
  });
});

describe('the cost of a merge by lines', () => {
  const count = 10_000;
  const distinct = Array.from({ length: count }, (_, index) => `line ${index}`);
  const files: Readonly<Record<string, readonly string[]>> = {
    'lines that all differ': distinct,
    'lines that are all the same': distinct.map(() => 'x'),
    'few different lines': distinct.map((_, index) => `line ${(index * 7919) % 13}`),
    'every line twice': distinct.map((_, index) => `line ${index % (count / 2)}`),
  };

  it.each(Object.entries(files))('is low for 10,000 lines: %s', (_name, all) => {
    const yours = all.flatMap((line, index) => (index % 97 === 0 ? [line, 'mine'] : [line]));
    const theirs = all.filter((_, index) => index % 89 !== 1);
    const start = performance.now();
    const merged = merge('x.ts', lines(...all), lines(...yours), lines(...theirs), 'markers');
    // About 30 ms; an alignment that is cubic in repeated lines takes minutes.
    expect(performance.now() - start).toBeLessThan(60_000);
    expect(merged.text.split('\n').filter((line) => line === 'mine')).toHaveLength(104);
  });

  it('is low for repeated lines that are few enough to be compared with each other', () => {
    const same = distinct.slice(0, 4_000).map(() => 'x');
    const yours = ['mine', ...same.slice(5), 'mine'];
    const theirs = ['new', ...same.slice(9), 'new'];
    const start = performance.now();
    const merged = merge('x.ts', lines(...same), lines(...yours), lines(...theirs), 'ours');
    expect(performance.now() - start).toBeLessThan(60_000);
    expect(merged.text.startsWith('mine\n')).toBe(true);
    expect(merged.text.endsWith('mine\n')).toBe(true);
  });

  it('grows no faster than the file, even when everything was rewritten', () => {
    const yours = distinct.map((line) => `${line} mine`);
    const theirs = distinct.map((line) => `${line} new`);
    expect(merge('x.ts', lines(...distinct), lines(...yours), lines(...theirs), 'ours').conflicts).toHaveLength(1);
  });
});
