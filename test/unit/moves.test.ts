import { describe, expect, it } from 'vitest';
import { findMoved } from '../../generators/engine/reconcile/moves.ts';

const source = (topic: string, count = 12) =>
  Array.from({ length: count }, (_, index) => `export const ${topic}${index} = ${index};\n`).join('');

/** The same file with the first lines changed. */
const edited = (text: string, changes: number) =>
  text
    .split('\n')
    .map((line, index) => (index < changes ? `// mine ${index}` : line))
    .join('\n');

const find = (missing: Record<string, string>, strays: Record<string, string>) => {
  const { moved, ambiguous } = findMoved(new Map(Object.entries(missing)), new Map(Object.entries(strays)));
  return { moved: Object.fromEntries(moved), ambiguous: Object.fromEntries(ambiguous) };
};

describe('finding moved files', () => {
  it('finds a file by its content, under any name', () => {
    expect(find({ 'a/x.ts': source('a') }, { 'b/y.mts': source('a'), 'c.ts': source('c') })).toEqual({
      moved: { 'a/x.ts': 'b/y.mts' },
      ambiguous: {},
    });
  });

  it('finds it when its line ends were changed', () => {
    expect(find({ 'a.ts': source('a') }, { 'b.ts': source('a').replaceAll('\n', '\r\n') }).moved).toEqual({
      'a.ts': 'b.ts',
    });
  });

  it('finds a file that was edited and indented anew', () => {
    const stray = edited(source('a'), 3).replaceAll('export', '  export');
    expect(find({ 'a.ts': source('a') }, { 'b.ts': stray }).moved).toEqual({ 'a.ts': 'b.ts' });
  });

  it('does not take a file for another when too little is the same', () => {
    expect(find({ 'a.ts': source('a') }, { 'b.ts': edited(source('a'), 6) })).toEqual({ moved: {}, ambiguous: {} });
  });

  it('compares only files of one kind', () => {
    expect(find({ 'a.ts': source('a') }, { 'a.md': edited(source('a'), 1) })).toEqual({ moved: {}, ambiguous: {} });
  });

  it('takes the one that is clearly the best', () => {
    const strays = { 'far.ts': edited(source('a'), 4), 'near.ts': edited(source('a'), 1) };
    expect(find({ 'a.ts': source('a') }, strays)).toEqual({ moved: { 'a.ts': 'near.ts' }, ambiguous: {} });
  });

  it('reports those between which it cannot choose', () => {
    const strays = { 'two.ts': edited(source('a'), 1), 'one.ts': edited(source('a'), 1) };
    expect(find({ 'a.ts': source('a') }, strays)).toEqual({ moved: {}, ambiguous: { 'a.ts': ['one.ts', 'two.ts'] } });
  });

  it('uses each stray once', () => {
    const missing = { 'a/x.ts': source('a'), 'b/x.ts': source('a') };
    expect(find(missing, { 'c/x.ts': source('a') })).toEqual({
      moved: {},
      ambiguous: { 'a/x.ts': ['c/x.ts'], 'b/x.ts': ['c/x.ts'] },
    });
  });

  it('tells files of the same content apart by their place in a folder that moved', () => {
    const missing = { 'a/one/index.ts': source('a'), 'a/two/index.ts': source('a') };
    const strays = { 'b/one/index.ts': source('a'), 'b/two/index.ts': source('a') };
    expect(find(missing, strays)).toEqual({
      moved: { 'a/one/index.ts': 'b/one/index.ts', 'a/two/index.ts': 'b/two/index.ts' },
      ambiguous: {},
    });
  });

  it('follows a small file by exact content and name only', () => {
    const small = source('a', 4);
    expect(find({ 'a/x.ts': small }, { 'b/x.ts': small }).moved).toEqual({ 'a/x.ts': 'b/x.ts' });
    expect(find({ 'a/x.ts': small }, { 'b/y.ts': small })).toEqual({ moved: {}, ambiguous: {} });
    expect(find({ 'a/x.ts': small }, { 'b/x.ts': edited(small, 1) })).toEqual({ moved: {}, ambiguous: {} });
  });

  it('follows no file that is blank', () => {
    expect(find({ 'a/.gitkeep': '' }, { 'b/.gitkeep': '' })).toEqual({ moved: {}, ambiguous: {} });
  });

  it('is quick in a big tree', () => {
    const missing: Record<string, string> = {};
    const strays: Record<string, string> = {};
    const boilerplate = Array.from({ length: 20 }, (_, index) => `// licence ${index}\n`).join('');
    for (let index = 0; index < 2000; index += 1) {
      missing[`a/${index}.ts`] = boilerplate + source(`x${index}y`, 40);
      strays[`b/${index}.ts`] = edited(`${boilerplate}${source(`x${index}y`, 40)}`, 3);
    }
    const start = performance.now();
    const { moved } = find(missing, strays);
    // About 0.3 s; every file against every other would be four million comparisons.
    expect(performance.now() - start).toBeLessThan(60_000);
    expect(Object.entries(moved)).toHaveLength(2000);
    expect(moved['a/7.ts']).toBe('b/7.ts');
  });
});
