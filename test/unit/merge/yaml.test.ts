import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { merge } from '../../../generators/engine/reconcile/merge/merge.ts';

const lines = (...all: string[]) => all.map((line) => `${line}\n`).join('');

describe('a merge of YAML', () => {
  const base = lines('# ours', 'components:', '  - http', 'images:', '  - name: orders', '    newTag: v1');

  it('goes by lines where lines do not meet, so that layout stays', () => {
    const yours = base.replace('# ours', '# mine   ').replace('newTag: v1', "newTag:   'v1'  # pinned");
    const merged = merge('k.yaml', base, yours, base.replace('  - http', '  - http\n  - postgres'), 'markers');
    expect(merged).toMatchObject({ text: yours.replace('  - http', '  - http\n  - postgres'), conflicts: [] });
  });

  it('goes by key where both added to one list', () => {
    const yours = base.replace('  - http', '  - http\n  - own # mine');
    const theirs = base.replace('  - http', '  - http\n  - postgres');
    const merged = merge('k.yaml', base, yours, theirs, 'markers');
    expect(merged).toEqual({
      text: base.replace('  - http', '  - http\n  - postgres\n  - own # mine'),
      conflicts: [],
      base: theirs,
    });
    expect(merge('k.yaml', merged.base, merged.text, base, 'markers').text).toBe(yours);
  });

  it('matches the items of a list by their name', () => {
    const yours = base.replace('newTag: v1', 'newTag: v2 # mine\n  # another\n  - name: own\n    newTag: v9');
    const theirs = base.replace(
      '    newTag: v1',
      '    newName: reg/orders\n    newTag: v1\n  - name: migrate\n    newTag: v1',
    );
    const merged = merge('k.yaml', base, yours, theirs, 'markers');
    expect(merged).toEqual({
      text: lines(
        ...['# ours', 'components:', '  - http', 'images:', '  - name: orders', '    newName: reg/orders'],
        ...[
          '    newTag: v2 # mine',
          '  - name: migrate',
          '    newTag: v1',
          '  # another',
          '  - name: own',
          '    newTag: v9',
        ],
      ),
      conflicts: [],
      base: theirs,
    });
  });

  it('lists nothing twice that both sides added in different places', () => {
    const yours = base.replace('  - http', '  - redis\n  - http');
    const theirs = base.replace('  - http', '  - http\n  - redis');
    const merged = merge('k.yaml', base, yours, theirs, 'markers');
    expect(merged).toEqual({ text: yours, conflicts: [], base });
  });

  it('keeps lists that are not indented as they are', () => {
    const flat = lines('on:', '  push:', '    branches:', '    - main', 'jobs: {}');
    const merged = merge(
      'w.yml',
      flat,
      flat.replace('    - main', '    - main\n    - dev'),
      flat.replace('    - main', '    - main\n    - "v*"'),
      'markers',
    );
    expect(merged.text).toBe(flat.replace('    - main', '    - main\n    - "v*"\n    - dev'));
  });

  it.each([
    ['a comment where a value was', lines('a:', '  b: # mine', '    # why', 'list:', '# own', '  - x'), '\n'],
    ['line ends of two kinds', '# mine\na:\r\n  b: 1\r\nlist:\r\n  - x\r\n', '\r\n'],
    ['an odd layout', lines('a:   {  b:  1  }', 'list:', '    -   x'), '\n'],
  ])('adds and takes back where the user left %s', (_name, yours, end) => {
    const start = lines('a:', '  b: 1', 'list:', '  - x');
    const added = merge('k.yaml', start, yours, `${start}new:\n  - y\n`, 'ours');
    expect(added).toMatchObject({ text: `${yours}new:${end}  - y${end}`, conflicts: [] });
    expect(merge('k.yaml', added.base, added.text, start, 'ours')).toMatchObject({ text: yours, conflicts: [] });
  });

  it('leaves ${{ }} and long lines alone', () => {
    const long = `run: echo ${'word '.repeat(60)}\${{ github.sha }}`;
    const text = lines('steps:', '  - a', long);
    const merged = merge('w.yml', text, text.replace('- a', '- a\n  - own'), text.replace('- a', '- a\n  - b'), 'ours');
    expect(merged.text).toBe(text.replace('- a', '- a\n  - b\n  - own'));
  });

  it('shows a conflict by line where keys conflict too', () => {
    const merged = merge('k.yaml', base, base.replace('v1', 'v2'), base.replace('v1', 'v3'), 'markers');
    expect(merged.text).toContain(
      lines('<<<<<<< yours', '    newTag: v2', '||||||| base', '    newTag: v1', '=======', '    newTag: v3'),
    );
    expect(merged.conflicts).toEqual([
      { at: 'line 6', base: '    newTag: v1', yours: '    newTag: v2', theirs: '    newTag: v3' },
    ]);
  });

  it('takes lines that fit together but make no YAML for a conflict', () => {
    const start = lines('a: 1', 'b: 1', 'c: 1');
    const merged = merge('k.yaml', start, `new: 2\n${start}`, `${start}new: 3\n`, 'ours');
    expect(merged).toMatchObject({ text: `new: 2\n${start}`, base: `${start}new: 3\n` });
    expect(merged.conflicts).toHaveLength(1);
  });

  it.each([
    ['what is not YAML', 'a: [1\n', 'b: 1\n'],
    ['several documents', 'a: 1\n---\nb: 1\n', 'b: 1\n'],
    ['anchors', 'a: &x 1\nb: *x\n', 'b: 1\n'],
    ['deep nesting', `a: ${'['.repeat(20_000)}\n`, 'b: 1\n'],
    ['deep nesting in yours', `a: ${'['.repeat(20_000)}\n`, 'b: 1\n'],
    ['a list of lists of lists', `${'- '.repeat(20_000)}a\n`, 'b: 1\n'],
  ])('merges %s by lines', (_name, yours, theirs) => {
    expect(merge('k.yaml', 'a: 1\n', yours, theirs, 'ours')).toMatchObject({
      text: yours,
      conflicts: [{ at: 'line 1', base: 'a: 1' }],
    });
  });

  it('keeps tags apart', () => {
    const start = lines('a:', '  - !reference [x, y]', '  - b');
    const merged = merge(
      '.gitlab-ci.yml',
      start,
      start.replace('x, y', 'x, z'),
      start.replace('  - b', '  - b\n  - c'),
      'ours',
    );
    expect(merged.text).toBe(lines('a:', '  - !reference [x, z]', '  - b', '  - c'));
  });

  it.each([
    ['replaced', '      - 8000:8080', '      - 127.0.0.1:8080:8080'],
    ['removed, and theirs replaced', undefined, '      - 127.0.0.1:8080:8080'],
    ['replaced, and theirs removed', '      - 8000:8080', undefined],
  ])('takes an item of a list that both %s for a conflict', (_name, mine, wanted) => {
    const start = lines('services:', '  app:', '    ports:', '      - 8080:8080', '      - 9090:9090');
    const [yours, theirs] = [mine, wanted].map((item) =>
      start.replace('      - 8080:8080\n', item === undefined ? '' : `${item}\n`),
    ) as [string, string];
    for (const style of ['ours', 'theirs', 'markers'] as const) {
      const merged = merge('compose.yaml', start, yours, theirs, style);
      expect(merged.conflicts).toHaveLength(1);
      if (style !== 'markers') expect(merged.text).toBe(style === 'ours' ? yours : theirs);
    }
  });

  it('takes a setting in a list that both added differently for a conflict, and repeats none that both added', () => {
    const start = lines('literals:', '  - A=1', '  - B=1', '  - C=1');
    const [yours, other] = [`${start}  - LOG=debug\n`, start.replace('  - B', '  - LOG=info\n  - B')];
    const merged = merge('k.yaml', start, yours, other, 'markers');
    expect(merged.conflicts).toEqual([expect.objectContaining({ why: 'both sides changed /literals' })]);
    const same = merge('k.yaml', start, yours, start.replace('  - B', '  - LOG=debug\n  - B'), 'markers');
    expect(same).toMatchObject({ text: yours, conflicts: [] });
  });

  it('takes a scalar of several lines that both changed for a conflict', () => {
    const start = lines('run: |', '  one', '  two', '  three', '  four');
    const merged = merge('w.yaml', start, start.replace('one', 'mine'), start.replace('four', 'theirs'), 'markers');
    expect(merged.conflicts).toEqual([expect.objectContaining({ at: 'line 2', why: 'both sides changed /run' })]);
    expect(merged.text).toBe(
      lines(
        ...[
          'run: |',
          '<<<<<<< yours',
          '  mine',
          '  two',
          '  three',
          '  four',
          '||||||| base',
          '  one',
          '  two',
          '  three',
        ],
        ...['  four', '=======', '  one', '  two', '  three', '  theirs', '>>>>>>> slipway'],
      ),
    );
  });

  const job = lines(
    'default: &shared',
    '  image: node',
    'integration:',
    '  stage: test',
    '  needs:',
    '    - build',
    '  script: [x]',
  );

  it.each([
    ['with an anchor', job],
    ['without one', job.replace(' &shared', '')],
  ])('adds to a mapping that both made, and repeats no key: %s', (_name, start) => {
    const yours = start.replace('  stage: test', '  variables:\n    MINE: 1\n  stage: test');
    const theirs = `${start}  variables:\n    PGHOST: postgres\n`;
    const merged = merge('.gitlab-ci.yml', start, yours, theirs, 'markers');
    expect(merged.conflicts).toEqual([]);
    expect(parse(merged.text).integration).toMatchObject({ variables: { MINE: 1, PGHOST: 'postgres' } });
    expect(merged.text).toContain(start.slice(0, start.indexOf('\n')));
    expect(merge('.gitlab-ci.yml', merged.base, merged.text, start, 'markers')).toMatchObject({
      text: yours,
      conflicts: [],
    });
  });

  it('takes a key that both added for a conflict, also among several documents', () => {
    const start = lines('a: 1', 'list:', '  - x', '---', 'b: 1');
    const merged = merge('k.yaml', start, `new: 2\n${start}`, start.replace('list', 'new: 3\nlist'), 'markers');
    expect(merged.conflicts).toEqual([
      expect.objectContaining({ why: 'the merged text would not be valid: line 3: the key "new" is repeated' }),
    ]);
  });

  it('merges several documents by lines', () => {
    const start = lines('a: 1', '---', 'b: 1');
    const merged = merge('k.yaml', start, start.replace('a: 1', 'a: 2'), `${start}c: 3\n`, 'markers');
    expect(merged).toMatchObject({ text: lines('a: 2', '---', 'b: 1', 'c: 3'), conflicts: [] });
  });

  it('takes the removal of an anchor that you use for a conflict', () => {
    const start = lines('x: &x', '  a: 1', 'y: 1', 'z: 1');
    const merged = merge('k.yaml', start, `${start}mine: *x\n`, lines('y: 1', 'z: 1'), 'markers');
    expect(merged.conflicts).toEqual([
      expect.objectContaining({ why: 'the merged text would not be valid: line 3: no anchor &x before *x' }),
    ]);
  });

  it('says where a text of yours is not valid, and merges nothing into it', () => {
    const start = lines('a: 1', 'b: 1', 'c: 1');
    const yours = start.replace('a: 1', 'a: [1');
    for (const style of ['ours', 'theirs', 'markers'] as const) {
      const merged = merge('k.yaml', start, yours, `${start}d: 1\n`, style);
      expect(merged.conflicts).toEqual([
        expect.objectContaining({ why: expect.stringMatching(/^line \d: .+; correct it first$/) }),
      ]);
      if (style === 'ours') expect(merged.text).toBe(yours);
    }
  });

  it('merges by lines what only has the name of YAML', () => {
    const start = lines('a: {{ .Values.a }}', 'b: {{- if }}', 'c: 1');
    const merged = merge(
      'k.yaml',
      start,
      start.replace('c: 1', 'c: 2'),
      start.replace('Values.a', 'Values.z'),
      'markers',
    );
    expect(merged).toMatchObject({ text: lines('a: {{ .Values.z }}', 'b: {{- if }}', 'c: 2'), conflicts: [] });
  });
});
