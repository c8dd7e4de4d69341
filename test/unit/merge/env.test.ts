import { describe, expect, it } from 'vitest';
import { merge } from '../../../generators/engine/reconcile/merge/merge.ts';

const lines = (...all: string[]) => all.map((line) => `${line}\n`).join('');
const base = lines('# defaults', 'A=1', '# about m', 'M=1', 'Z=1');

describe('a merge of settings', () => {
  it('repeats no name that both sides set to the same value, and keeps it yours', () => {
    const yours = `${base}REDIS_URL=redis://mine\n`;
    const theirs = base.replace('Z=1', '# where\nREDIS_URL=redis://mine\nZ=1');
    const merged = merge('deploy/k8s/base/config.env', base, yours, theirs, 'markers');
    expect(merged).toMatchObject({ text: yours, conflicts: [] });
    expect(merge('deploy/k8s/base/config.env', merged.base, merged.text, base, 'markers').text).toBe(yours);
  });

  it('takes a name that both set differently for a conflict', () => {
    const yours = `${base}REDIS_URL=redis://mine\n`;
    const theirs = base.replace('Z=1', 'REDIS_URL=redis://theirs\nZ=1');
    for (const [style, value] of [
      ['ours', 'mine'],
      ['theirs', 'theirs'],
    ] as const) {
      const merged = merge('config.env', base, yours, theirs, style);
      expect(merged.conflicts).toEqual([expect.objectContaining({ why: 'both sides changed /REDIS_URL' })]);
      expect(merged.text).toBe(`${base}REDIS_URL=redis://${value}\n`);
    }
    expect(merge('config.env', base, yours, theirs, 'markers').text).toContain('<<<<<<< yours');
  });

  it('keeps both of what both sides add in one place', () => {
    const merged = merge('.env.example', base, `${base}MINE=1\n`, `${base}# why\nTHEIRS=1\n`, 'markers');
    expect(merged).toMatchObject({ text: `${base}# why\nTHEIRS=1\nMINE=1\n`, conflicts: [] });
    expect(merge('.env.example', merged.base, merged.text, base, 'markers').text).toBe(`${base}MINE=1\n`);
  });

  it('changes a setting that you have moved, in its place', () => {
    const yours = lines('# defaults', 'Z=1', '# mine', 'A=1', '# about m', 'M=1');
    const theirs = base.replace('A=1', 'A=2').replace('# about m\nM=1\n', '');
    expect(merge('.env', base, yours, theirs, 'markers')).toMatchObject({
      text: lines('# defaults', 'Z=1', '# mine', 'A=2'),
      conflicts: [],
    });
  });

  it('reads values of several lines, export, and comments at the end of a line', () => {
    const start = lines('export KEY="one', 'two=2"', "B='x' # why", 'C');
    expect(merge('a.env', start, start.replace('C', 'C=3'), lines('D=1', start.trimEnd()), 'markers')).toMatchObject({
      text: lines('D=1', start.replace('C', 'C=3').trimEnd()),
      conflicts: [],
    });
  });

  it.each([
    ['a name that is repeated', 'A=2\n', /^line 6: A is repeated; correct it first$/],
    ['a line without a name', 'what is this?\n', /^line 6: this is not NAME=value; correct it first$/],
    ['a quote without an end', 'X="1\n', /^line 6: the quote " is not closed; correct it first$/],
  ])('merges nothing into a file with %s', (_name, own, why) => {
    const merged = merge('a.env', base, base + own, base.replace('A=1', 'A=3'), 'ours');
    expect(merged.conflicts).toEqual([expect.objectContaining({ why: expect.stringMatching(why) })]);
    expect(merged.text).toBe(base + own);
  });
});

describe('a merge of a list of patterns', () => {
  it('adds what you lack to a file that you had before', () => {
    const [yours, theirs] = [lines('# mine', 'dist/', '*.log', '.idea'), lines('dist/', '# tools', '.cache', '*.log')];
    const merged = merge('.gitignore', '', yours, theirs, 'ours');
    expect(merged).toEqual({ text: `${yours}# tools\n.cache\n`, conflicts: [], base: theirs });
    expect(merge('.gitignore', merged.base, merged.text, theirs, 'ours')).toMatchObject({
      text: merged.text,
      conflicts: [],
    });
    const next = merge('.gitignore', merged.base, merged.text, `${theirs}.new\n`, 'markers');
    expect(next).toMatchObject({ text: `${merged.text}.new\n`, conflicts: [] });
  });

  it('keeps both of what both sides add in one place', () => {
    expect(merge('.dockerignore', 'a\n', 'a\nmine\n', 'a\ntheirs\n', 'markers')).toMatchObject({
      text: 'a\nmine\ntheirs\n',
      conflicts: [],
    });
  });
});

describe('a merge of source code', () => {
  const start = lines('export function a() {', '  one();', '', '  two();', '', '  three();', '}');

  it('takes what does not fit together for a conflict', () => {
    const yours = start.replace('  one();', '  /* one();').replace('  three();', '  three(); */');
    const theirs = start.replace('  two();', '  two(); /* why */');
    const merged = merge('a.ts', start, yours, theirs, 'markers');
    expect(merged.conflicts).toEqual([
      expect.objectContaining({ why: expect.stringMatching(/^the merged text would not be valid: line 6: .+/) }),
    ]);
  });

  it('is no conflict where brackets, templates and regular expressions are whole', () => {
    const yours = start.replace('one()', 'one(/[/{]/, `${`}`}`)');
    const theirs = start.replace('three()', "three('{', /* { */ a / b / c)");
    expect(merge('a.ts', start, yours, theirs, 'markers').conflicts).toEqual([]);
  });
});
