import { describe, expect, it } from 'vitest';
import { merge } from '../../../generators/engine/reconcile/merge/merge.ts';
import type { ConflictStyle } from '../../../generators/engine/model.ts';

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
const merged = (base: unknown, yours: unknown, theirs: unknown, file = 'package.json', style: ConflictStyle = 'ours') =>
  merge(file, json(base), json(yours), json(theirs), style);

describe('a merge of JSON by key', () => {
  it.each([
    ['takes what only theirs changed', { a: 1 }, { a: 1, own: 1 }, { a: 2 }, { a: 2, own: 1 }],
    ['keeps what only you changed', { a: 1, b: 1 }, { a: 2, b: 1 }, { a: 1, b: 2 }, { a: 2, b: 2 }],
    ['keeps what both changed to the same', { a: 1 }, { a: 2, own: 1 }, { a: 2 }, { a: 2, own: 1 }],
    ['removes what only theirs removed', { a: 1, b: 1 }, { a: 1, b: 1, own: 1 }, { a: 1 }, { a: 1, own: 1 }],
    ['keeps removed what you removed', { a: 1, b: 1 }, { a: 1 }, { a: 2, b: 1 }, { a: 2 }],
    ['goes into objects', { o: { a: 1 } }, { o: { a: 1, own: 1 } }, { o: { a: 2 } }, { o: { a: 2, own: 1 } }],
    ['keeps what you put in an object that goes', { o: { a: 1 } }, { o: { a: 1, own: 1 } }, {}, { o: { own: 1 } }],
    ['adds to arrays of names', { f: ['a'] }, { f: ['a', 'own'] }, { f: ['a', 'b'] }, { f: ['a', 'b', 'own'] }],
    ['removes from arrays of names', { f: ['a', 'b'] }, { f: ['a', 'b', 'own'] }, { f: ['b'] }, { f: ['b', 'own'] }],
    ['adds no name twice', { f: ['a'] }, { f: ['b', 'a'] }, { f: ['a', 'b', 'c'] }, { f: ['b', 'c', 'a'] }],
  ])('%s', (_name, base, yours, theirs, expected) => {
    expect(merged(base, yours, theirs, 'x.json')).toMatchObject({ text: json(expected), conflicts: [] });
  });

  it('puts a new key in its sorted place when yours are sorted', () => {
    const { text } = merged({ d: { b: 1 } }, { d: { a: 1, b: 1, z: 1 } }, { d: { b: 1, c: 1 } });
    expect(text).toBe(json({ d: { a: 1, b: 1, c: 1, z: 1 } }));
  });

  it('puts a new key behind the one it follows in theirs when yours are not sorted', () => {
    const { text } = merged({ z: 1, b: 1 }, { z: 1, b: 1, a: 1 }, { z: 1, new: 1, b: 1 });
    expect(text).toBe(json({ z: 1, new: 1, b: 1, a: 1 }));
  });

  it('reports what both changed differently, by pointer', () => {
    const { text, conflicts } = merged(
      { 'a/b': { c: 1 } },
      { 'a/b': { c: 2 } },
      { 'a/b': { c: [3] } },
      'x.json',
      'theirs',
    );
    expect(text).toBe(json({ 'a/b': { c: [3] } }));
    expect(conflicts).toEqual([{ at: '/a~1b/c', base: '1', yours: '2', theirs: '[\n  3\n]' }]);
  });

  it('shows conflicts between markers', () => {
    const { text } = merged({ a: 1, b: 1, c: 1 }, { a: 2, b: 1 }, { a: 3, b: 4, c: { d: '$&' } }, 'x.json', 'markers');
    expect(text).toBe(
      [
        ...['{', '<<<<<<< yours', '  "a": 2,', '||||||| base', '  "a": 1,', '=======', '  "a": 3,', '>>>>>>> slipway'],
        ...['  "b": 4,', '<<<<<<< yours', '||||||| base', '  "c": 1', '=======', '  "c": {', '    "d": "$&"', '  }'],
        ...['>>>>>>> slipway', '}', ''],
      ].join('\n'),
    );
  });

  it('keeps comments, tabs, CRLF, the order of keys and a trailing comma', () => {
    const yours = '// mine\r\n{\r\n\t"z": 1, // last first\r\n\t/* why */ "a": { "x": [1, 2] },\r\n}';
    const { text } = merge(
      'tsconfig.json',
      json({ z: 1, a: { x: [1, 2] } }),
      yours,
      json({ z: 2, a: { x: [1, 2], y: true }, n: null }),
      'ours',
    );
    expect(text).toBe(
      '// mine\r\n{\r\n\t"z": 2, // last first\r\n\t/* why */ "a": { "x": [1, 2], "y": true },\r\n\t"n": null,\r\n}',
    );
  });

  it('leaves a comment above the key that it is about', () => {
    const yours = '{\n  "a": 1, // one\n  // two\n  "c": 1\n  // end\n}\n';
    const { text } = merge('x.json', json({ a: 1, c: 1 }), yours, json({ a: 1, b: 1, c: 1, d: 1 }), 'ours');
    expect(text).toBe('{\n  "a": 1, // one\n  "b": 1,\n  // two\n  "c": 1,\n  "d": 1\n  // end\n}\n');
  });

  it('remembers what you had before through a time in which the file was no JSON', () => {
    const added = merged({}, { dependencies: { pg: '^8.1.0' } }, { dependencies: { pg: '^8.5.0' } });
    const theirs = json({ dependencies: { pg: '^8.5.0' } });
    const broken = merge('package.json', added.base, `${added.text}oops`, theirs, 'ours');
    expect(broken).toEqual({ text: `${added.text}oops`, conflicts: [], base: added.base });
  });

  it('keeps a comment at a key that goes', () => {
    const yours = '{\n  "a": 1,\n  // I need b\n  "b": {\n    // inside\n    "c": 1\n  }, // behind\n  "d": 1\n}\n';
    const { text } = merge('x.json', json({ a: 1, b: { c: 1 }, d: 1 }), yours, json({ a: 1, d: 1 }), 'ours');
    expect(text).toBe('{\n  "a": 1,\n  // I need b\n  // inside\n   // behind\n  "d": 1\n}\n');
  });

  it('leaves a key that both added with the user', () => {
    const { text, base } = merged({}, { a: 1 }, { a: 1, b: 1 });
    expect(base).toBe(json({ b: 1 }));
    expect(merge('package.json', base, text, json({}), 'ours').text).toBe(json({ a: 1 }));
  });

  it('merges into a file that was there before Slipway', () => {
    const adopted = merge(
      'package.json',
      '',
      json({ name: 'mine', scripts: { test: 'mocha' } }),
      json({ name: 'mine', scripts: { build: 'tsc' } }),
      'ours',
    );
    expect(adopted).toEqual({
      text: json({ name: 'mine', scripts: { build: 'tsc', test: 'mocha' } }),
      conflicts: [],
      base: json({ scripts: { build: 'tsc' } }),
    });
  });

  it.each([
    ['what is not JSON', '{ "a": 1,, }\n'],
    ['a repeated key', '{\n  "a": 1,\n  "a": 2\n}\n'],
    ['a list', '[1]\n'],
    ['deep nesting', `{"a": ${'['.repeat(50_000)}${']'.repeat(50_000)}}\n`],
  ])('merges %s by lines', (_name, yours) => {
    const [conflict] = merge('x.json', json({ a: 1 }), yours, json({ b: 1 }), 'ours').conflicts;
    expect(conflict?.at).toMatch(/^line \d+$/);
  });

  it('takes __proto__ for a key like any other', () => {
    const { text } = merge('x.json', '{}\n', '{ "a": 1 }\n', '{ "__proto__": { "polluted": true } }\n', 'ours');
    expect(text).toBe('{ "__proto__": { "polluted": true }, "a": 1 }\n');
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  it('loses no digit of a large number', () => {
    const { text } = merge('x.json', '{"a": 1}', '{"a": 1, "b": 2}', '{"a": 12345678901234567890.10}', 'ours');
    expect(text).toBe('{"a": 12345678901234567890.10, "b": 2}');
  });
});

describe('a merge of package.json', () => {
  const withVersion = (pg?: string) => ({ dependencies: { fastify: '1.0.0', ...(pg === undefined ? {} : { pg }) } });

  it.each([
    ['a newer version of yours stays', '^8.1.0', '^8.6.0', '^8.5.0', '^8.6.0'],
    ['a floor is raised above yours', '^8.1.0', '^8.2.0', '^8.5.0', '^8.5.0'],
    ['an older one of yours is raised', '^8.1.0', '^7.0.0', '^8.5.0', '^8.5.0'],
    ['a pin at the same floor stays', '^8.1.0', '8.5.0', '^8.5.0', '8.5.0'],
    ['a file stays', '^8.1.0', 'file:../pg', '^8.5.0', 'file:../pg'],
    ['an address stays', '^8.1.0', 'github:me/pg#main', '^8.5.0', 'github:me/pg#main'],
    ['a workspace stays', '^8.1.0', 'workspace:*', '^8.5.0', 'workspace:*'],
    ['a star stays', '^8.1.0', '*', '^8.5.0', '*'],
    ['a tag stays', '^8.1.0', 'next', '^8.5.0', 'next'],
    ['what you deleted stays deleted', '^8.1.0', undefined, '^8.5.0', undefined],
    ['what you raised goes when it is needed no longer', '^8.1.0', '^8.6.0', undefined, undefined],
    ['a file stays when it is needed no longer', '^8.1.0', 'file:../pg', undefined, 'file:../pg'],
    ['the higher of two that were added', undefined, '^8.6.0', '^8.5.0', '^8.6.0'],
    ['a release above its candidate', '8.0.0-rc.1', '8.0.0-rc.2', '8.0.0', '8.0.0'],
    ['a lower version that you have not touched', '^8.5.0', '^8.5.0', '^8.1.0', '^8.1.0'],
    ['an exact version is raised and stays exact', '^8.1.0', '8.1.0', '^8.5.0', '8.5.0'],
    ['a tilde stays', '^8.1.0', '~8.1.2', '^8.5.0', '~8.5.0'],
    ['a minimum stays', '^8.1.0', '>= 8.1.2', '^8.5.0', '>= 8.5.0'],
    ['an equals sign stays', '^8.1.0', '=8.1.0', '^8.5.0', '=8.5.0'],
    ['a caret stays where Slipway is exact', '8.1.0', '^8.1.0', '8.5.0', '^8.5.0'],
    ['a part of a version that includes the new one stays', '^8.1.0', '8', '^8.5.0', '8'],
    ['a part of a version that does not is raised', '^8.1.0', '8.1', '^8.5.0', '8.5'],
    ['a wildcard that does not is raised', '^8.1.0', '8.1.x', '^8.5.0', '8.5.x'],
    ['a major version that does not is raised', '^8.1.0', '8', '^9.2.0', '9'],
    ['wildcards stay', '^8.1.0', '8.x', '^8.5.0', '8.x'],
    ['several ranges stay', '^8.1.0', '^8.1.0 || ^9.0.0', '^8.5.0', '^8.1.0 || ^9.0.0'],
    ['a catalog stays', '^8.1.0', 'catalog:', '^8.5.0', 'catalog:'],
    ['another package stays', '^8.1.0', 'npm:@me/pg@^8.1.0', '^8.5.0', 'npm:@me/pg@^8.1.0'],
  ])('%s', (_name, base, yours, theirs, expected) => {
    const result = merged(withVersion(base), { ...withVersion(yours), own: 1 }, withVersion(theirs));
    expect(result).toMatchObject({ text: json({ ...withVersion(expected), own: 1 }), conflicts: [] });
  });

  it('says where it keeps a kind of range, or a value that is not a version', () => {
    const versions = (fastify: string, pg: string) => ({ dependencies: { fastify, pg } });
    const { notes } = merged(
      versions('^5.1.0', '^8.1.0'),
      versions('~5.1.0', 'catalog:'),
      versions('^5.9.0', '^8.5.0'),
    );
    expect(notes).toEqual([
      'fastify is raised to "~5.9.0": the kind of range stays yours',
      'pg stays "catalog:", where Slipway writes "^8.5.0"',
    ]);
  });

  it.each([
    [{ pg: '8.1.0' }],
    [{ pg: '~8.1.0' }],
    [{ pg: '^8.1.0' }],
    [{ pg: '^8.9.0' }],
    [{ pg: '^8.5.0' }],
    [{ pg: 'file:../pg' }],
    [{}],
    [undefined],
  ])('gives back what you had before: %j', (dependencies) => {
    const yours = { name: 'a', dependencies };
    const added = merged({ name: 'a' }, yours, { name: 'a', dependencies: { pg: '^8.5.0' } });
    expect(added.conflicts).toEqual([]);
    expect(merge('package.json', added.base, added.text, json({ name: 'a' }), 'ours')).toEqual({
      text: json(yours),
      conflicts: [],
      base: json({ name: 'a' }),
    });
  });

  it('gives back what you had before through a later change', () => {
    const added = merged({}, withVersion('^8.1.0'), { dependencies: { pg: '^8.5.0' } });
    const raised = merge('package.json', added.base, added.text, json({ dependencies: { pg: '^8.7.0' } }), 'ours');
    expect(raised.text).toBe(json(withVersion('^8.7.0')));
    expect(merge('package.json', raised.base, raised.text, json({}), 'ours').text).toBe(json(withVersion('^8.1.0')));
  });

  it('gives back your own value once a conflict was settled for theirs', () => {
    const yours = { scripts: { start: 'mine' } };
    const added = merged({}, yours, { scripts: { start: 'theirs' } }, 'package.json', 'theirs');
    expect(added.text).toBe(json({ scripts: { start: 'theirs' } }));
    expect(merge('package.json', added.base, added.text, json({}), 'ours').text).toBe(json(yours));
  });

  it('keeps a script of yours, and a script that you deleted out', () => {
    const { text, conflicts } = merged(
      { scripts: { build: 'tsc', start: 'node .', test: 'vitest' } },
      { scripts: { build: 'mine', test: 'vitest' } },
      { scripts: { build: 'tsc', migrate: 'node m', start: 'node ./dist', test: 'vitest run' } },
    );
    expect(text).toBe(json({ scripts: { build: 'mine', migrate: 'node m', test: 'vitest run' } }));
    expect(conflicts).toEqual([]);
  });

  it('adds only what is new to a group of dependencies that you deleted', () => {
    const { text } = merged(
      { devDependencies: { a: '1.0.0' } },
      { own: 1 },
      { devDependencies: { a: '1.1.0', b: '1.0.0' } },
    );
    expect(text).toBe(json({ devDependencies: { b: '1.0.0' }, own: 1 }));
  });

  it('reports a script that both changed', () => {
    const { conflicts } = merged({ scripts: { a: '1' } }, { scripts: { a: '2' } }, { scripts: { a: '3' } });
    expect(conflicts).toEqual([{ at: '/scripts/a', base: '"1"', yours: '"2"', theirs: '"3"' }]);
  });

  it('reports an item of a list that both replaced', () => {
    const { conflicts } = merged({ files: ['a', 'b'] }, { files: ['mine', 'b'] }, { files: ['theirs', 'b'] });
    expect(conflicts).toEqual([expect.objectContaining({ at: '/files' })]);
  });

  it('adds what both added to a list from which both removed the same', () => {
    const { text, conflicts } = merged({ files: ['a', 'b'] }, { files: ['b', 'mine'] }, { files: ['b', 'theirs'] });
    expect(conflicts).toEqual([]);
    expect(JSON.parse(text)).toEqual({ files: ['b', 'theirs', 'mine'] });
  });

  it.each(['{ "a": 1, "a": 2 }\n', '{ "a": 1,, }\n', '{ "a": [1 }\n'])(
    'merges nothing into %j, which is not valid',
    (yours) => {
      const merge3 = merge('package.json', json({ b: 1 }), `${yours}\n`, json({ b: 1, c: 1 }), 'ours');
      expect(merge3).toMatchObject({ text: `${yours}\n` });
      expect(merge3.conflicts).toHaveLength(1);
    },
  );

  it('has no such rules for other files', () => {
    const { conflicts } = merged(withVersion('^8.1.0'), withVersion('^8.6.0'), withVersion('^8.5.0'), 'x.json');
    expect(conflicts).toHaveLength(1);
  });
});
