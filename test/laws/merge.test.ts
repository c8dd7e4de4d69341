import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { merge } from '../../generators/engine/reconcile/merge/merge.ts';
import type { ConflictStyle, Merged } from '../../generators/engine/model.ts';
import { parseJson } from '../../generators/engine/reconcile/merge/jsonTree.ts';
import { entries, extend, printed, sameValues, writer } from '../unit/merge/arbitraryJson.ts';
import { runs } from '../helpers/runs.ts';

const styles: readonly ConflictStyle[] = ['ours', 'theirs', 'markers'];
const style = fc.constantFrom(...styles);
const path = fc.constantFrom('a.txt', 'a.json', 'package.json', 'a.yaml', 'a.yml', 'a.env', 'a.ts', '.gitignore');

/** Lines from a small set, so that they repeat and meet; some are what a careless replacement would expand. */
const anyLine = fc.oneof(
  fc.constantFrom('a', 'b', 'c', '', '}', '$&', "$'", '$1', '<<<<<<< yours', '__proto__', 'constructor', 'k: v', '- x'),
  fc.string({ maxLength: 4 }).filter((text) => !/[\r\n]/.test(text)),
);
const text = fc
  .tuple(fc.array(anyLine, { maxLength: 12 }), fc.boolean())
  .map(([lines, ended]) => lines.join('\n') + (ended && lines.length > 0 ? '\n' : ''));
const anything = fc.oneof(
  text,
  text.map((plain) => plain.replaceAll('\n', '\r\n')),
  text.map((plain) => `\uFEFF${plain}`),
  fc.string(),
  fc.json(),
);

/** What the second merge gives: the same, and nothing to say about it. */
const settledOnce = ({ text: merged, base }: Merged): Merged => ({ text: merged, base, conflicts: [] });

const often = { numRuns: runs(400) };

describe('any merge', () => {
  it('gives back theirs when you changed nothing, and yours when they changed nothing', () => {
    fc.assert(
      fc.property(path, anything, anything, style, (file, base, other, conflicts) => {
        expect(merge(file, base, base, other, conflicts)).toEqual({ text: other, conflicts: [], base: other });
        expect(merge(file, base, other, base, conflicts)).toMatchObject({ text: other, conflicts: [] });
      }),
      often,
    );
  });

  it('gives back what both sides hold when they agree', () => {
    fc.assert(
      fc.property(path, anything, anything, style, (file, base, both, conflicts) => {
        expect(merge(file, base, both, both, conflicts)).toMatchObject({ text: both, conflicts: [] });
      }),
      often,
    );
  });

  it('never throws, and changes nothing the second time', () => {
    fc.assert(
      fc.property(path, anything, anything, anything, style, (file, base, yours, theirs, conflicts) => {
        const first = merge(file, base, yours, theirs, conflicts);
        expect(merge(file, first.base, first.text, theirs, conflicts)).toEqual(settledOnce(first));
      }),
      { numRuns: runs(1500) },
    );
  });

  it('keeps CRLF line ends', () => {
    fc.assert(
      fc.property(path, text, text, text, style, (file, base, yours, theirs, conflicts) => {
        const crlf = yours.replaceAll('\n', '\r\n');
        fc.pre(crlf.includes('\r\n') && crlf !== base);
        expect(merge(file, base, crlf, theirs, conflicts).text).not.toMatch(/(?<!\r)\n/);
      }),
      often,
    );
  });

  it('gives with CRLF what it gives with LF', () => {
    fc.assert(
      fc.property(path, text, text, text, style, (file, base, yours, theirs, conflicts) => {
        fc.pre(yours.includes('\n'));
        const plain = merge(file, base, yours, theirs, conflicts);
        const crlf = merge(file, base, yours.replaceAll('\n', '\r\n'), theirs, conflicts);
        expect(crlf).toEqual({ ...plain, text: plain.text.replaceAll('\n', '\r\n') });
      }),
      often,
    );
  });
});

describe('a merge by lines', () => {
  it('loses no line of yours: each is in the result or in a conflict', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('a.txt', 'a.yaml'),
        text,
        text,
        text,
        style,
        (file, base, yours, theirs, conflicts) => {
          const merged = merge(file, base, yours, theirs, conflicts);
          const there = new Set(
            [merged.text, ...merged.conflicts.map((conflict) => conflict.yours)].join('\n').split('\n'),
          );
          const before = new Set(base.split('\n'));
          for (const own of yours.split('\n')) {
            if (own !== '' && !before.has(own)) expect(there).toContain(own);
          }
        },
      ),
      { numRuns: runs(2000) },
    );
  });

  it('glues no line to another', () => {
    fc.assert(
      fc.property(text, text, text, style, (base, yours, theirs, conflicts) => {
        const known = new Set([base, yours, theirs].flatMap((side) => side.split('\n')));
        for (const marker of ['<<<<<<< yours', '||||||| base', '=======', '>>>>>>> slipway', '']) known.add(marker);
        for (const merged of merge('a.txt', base, yours, theirs, conflicts).text.split('\n')) {
          expect(known).toContain(merged);
        }
      }),
      often,
    );
  });

  it('shows both sides between markers', () => {
    fc.assert(
      fc.property(text, text, text, (base, yours, theirs) => {
        const merged = merge('a.txt', base, yours, theirs, 'markers');
        const ours = merge('a.txt', base, yours, theirs, 'ours');
        expect(merged.conflicts).toEqual(ours.conflicts);
        for (const conflict of merged.conflicts) {
          expect(merged.text).toContain(conflict.yours);
          expect(merged.text).toContain(conflict.theirs);
        }
      }),
      often,
    );
  });
});

const jsonPath = fc.constantFrom('package.json', 'tsconfig.json');
const settled = fc.constantFrom<ConflictStyle>('ours', 'theirs');

describe('a merge of JSON by key', () => {
  it('gives back the same bytes when keys are added and then removed, whatever the layout', () => {
    fc.assert(
      fc.property(jsonPath, entries, entries, entries, writer, (file, start, module, own, write) => {
        const [base, theirs] = [printed(start), printed(extend(start, module))];
        const yours = write(extend(start, own));
        fc.pre(yours !== base && parseJson(yours) !== undefined);
        const added = merge(file, base, yours, theirs, 'ours');
        fc.pre(added.conflicts.length === 0);
        const removed = merge(file, added.base, added.text, base, 'ours');
        expect(removed).toEqual({ text: yours, conflicts: [], base: removed.base });
        expect(merge(file, removed.base, removed.text, base, 'ours').text).toBe(yours);
      }),
      { numRuns: runs(2000) },
    );
  });

  it('gives back the same bytes when two modules come and go in any order', () => {
    fc.assert(
      fc.property(jsonPath, entries, entries, entries, writer, (file, start, one, two, write) => {
        const [withOne, withTwo] = [extend(start, one), extend(start, two)];
        const withBoth = extend(withOne, two);
        // Of two modules that disagree the catalogue speaks; here they only add.
        fc.pre(sameValues(withBoth, extend(withTwo, one)));
        const yours = write(start);
        let current = { text: yours, base: printed(start) };
        for (const wanted of [withOne, withBoth, withTwo, start]) {
          const merged = merge(file, current.base, current.text, printed(wanted), 'ours');
          expect(merged.conflicts).toEqual([]);
          current = merged;
        }
        expect(parseJson(yours) === undefined ? yours : current.text).toBe(yours);
      }),
      { numRuns: runs(1000) },
    );
  });

  it('writes JSON, unless it shows markers', () => {
    fc.assert(
      fc.property(jsonPath, entries, entries, entries, writer, settled, (file, base, yours, theirs, write, how) => {
        const merged = merge(file, printed(base), write(yours), printed(theirs), how);
        expect(parseJson(merged.text)).toBeDefined();
        expect(parseJson(merged.base)).toBeDefined();
      }),
      { numRuns: runs(1000) },
    );
  });

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(jsonPath, entries, entries, entries, writer, settled, (file, base, yours, theirs, write, how) => {
        const first = merge(file, printed(base), write(yours), printed(theirs), how);
        const second = merge(file, first.base, first.text, printed(theirs), how);
        expect(second).toEqual(settledOnce(first));
      }),
      { numRuns: runs(1000) },
    );
  });

  it('keeps every comment', () => {
    fc.assert(
      fc.property(jsonPath, entries, entries, entries, writer, settled, (file, base, yours, theirs, write, how) => {
        const written = write(yours);
        fc.pre(written !== printed(base));
        const merged = merge(file, printed(base), written, printed(theirs), how);
        const count = (all: string) => all.split(/\/\/ (?:why|above)|\/\* (?:so|a\r?\n b) \*\//).length;
        expect(count(merged.text)).toBeGreaterThanOrEqual(count(written));
      }),
      { numRuns: runs(1000) },
    );
  });
});

/** Manifests such as Slipway composes: mappings, lists of names, lists of mappings with a name. */
const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 4 });
const words = fc.constantFrom('one', 'two', 'three');
const manifest = fc.record({
  resources: names,
  labels: fc.dictionary(fc.constantFrom('x', 'y', 'z'), words, { maxKeys: 3 }),
  images: fc.uniqueArray(fc.record({ name: fc.constantFrom('p', 'q', 'r'), tag: words }), {
    maxLength: 3,
    selector: (image) => image.name,
  }),
});
const yamlStyle = fc.record({
  options: fc.record({ indent: fc.constantFrom(2, 4), indentSeq: fc.boolean() }),
  comments: fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }),
});

describe('a merge of YAML', () => {
  it('gives YAML with every comment of yours, and changes nothing the second time', () => {
    fc.assert(
      fc.property(
        manifest,
        manifest,
        manifest,
        yamlStyle,
        settled,
        (base, yours, theirs, { options, comments }, how) => {
          const written = stringify(yours, options)
            .split('\n')
            .map((line, index) =>
              line !== '' && comments[index % comments.length] === true ? `${line} # ${index}` : line,
            )
            .join('\n');
          fc.pre(written !== stringify(base));
          const merged = merge('k.yaml', stringify(base), written, stringify(theirs), how);
          expect(parse(merged.text)).toBeInstanceOf(Object);
          const there = [merged.text, ...merged.conflicts.map((conflict) => conflict.yours)].join('\n');
          for (const [comment] of written.matchAll(/# \d+/g)) expect(there).toContain(comment);
          const again = merge('k.yaml', merged.base, merged.text, stringify(theirs), how);
          expect(again).toEqual({ ...merged, conflicts: [] });
        },
      ),
      { numRuns: runs(1000) },
    );
  });

  it('takes what a module adds to lists and mappings, and gives it back', () => {
    fc.assert(
      fc.property(manifest, names, names, fc.boolean(), (base, added, own, mineLast) => {
        const mine = own.map((name) => `my-${name}`);
        const of = (resources: string[]) => stringify({ ...base, resources });
        const yours = of(mineLast ? [...base.resources, ...mine] : [...mine, ...base.resources]);
        const theirs = of([...new Set([...base.resources, ...added])]);
        const merged = merge('k.yaml', of(base.resources), yours, theirs, 'ours');
        expect(merged.conflicts).toEqual([]);
        expect(new Set(parse(merged.text).resources)).toEqual(new Set([...base.resources, ...added, ...mine]));
        expect(merge('k.yaml', merged.base, merged.text, of(base.resources), 'ours').text).toBe(yours);
      }),
      { numRuns: runs(1000) },
    );
  });
});

/** Values as people write them in YAML, JSON and settings: mappings, lists, texts of several lines. */
interface Values {
  [key: string]: string | number | Values | string[] | Values[];
}
const scalar = fc.constantFrom<string | number>('a', 'b', 'two words', 'one\ntwo\nthree\n', 1, 2);
const port = fc.constantFrom('8080:8080', '9090:9090', '127.0.0.1:8080:8080', '8000:8080', 'LOG=debug', 'LOG=info');
const service = fc.record({ name: fc.constantFrom('app', 'db', 'cache', 'mine'), image: scalar });
const anyKey = fc.constantFrom('env', 'ports', 'image', 'labels', 'run', 'user', 'init');
const values = fc.letrec<{ tree: Values }>((tie) => ({
  tree: fc.dictionary(
    anyKey,
    fc.oneof(
      { maxDepth: 2, depthSize: 'small' },
      scalar,
      fc.uniqueArray(port, { minLength: 1, maxLength: 5 }),
      fc.uniqueArray(service, { minLength: 1, maxLength: 4, selector: (item) => item.name }),
      tie('tree'),
    ),
    { minKeys: 3, maxKeys: 6 },
  ),
})).tree;

/** Every scalar with its place; the items of a list have the same place. A scalar of a mapping has a place of its own. */
function scalars(value: unknown, at = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => scalars(item, `${at}/-`));
  if (typeof value !== 'object' || value === null) return [`${at}=${JSON.stringify(value)}`];
  return Object.entries(value).flatMap(([key, item]) => scalars(item, `${at}/${key}`));
}

/** A change of one mapping or list: it adds, replaces or removes. Additions go anywhere, so that both sides add in different places. */
const change = fc.record({
  kind: fc.constantFrom('add', 'add', 'replace', 'remove'),
  container: fc.nat(),
  place: fc.nat(),
  key: anyKey,
  scalar,
  port,
});
type Change = typeof change extends fc.Arbitrary<infer Value> ? Value : never;

function changed(tree: Values, changes: readonly Change[]): Values {
  const result = structuredClone(tree);
  for (const one of changes) {
    const containers = containersIn(result);
    const container = containers[one.container % containers.length];
    if (Array.isArray(container)) changeList(container, one);
    else if (container !== undefined) changeMapping(container, one);
  }
  return result;
}

/** All mappings, and the lists of scalars. */
function containersIn(tree: Values): (Values | string[])[] {
  const inside = Object.values(tree).flatMap((value): (Values | string[])[] => {
    if (Array.isArray(value)) return isScalars(value) ? [value] : value.flatMap(containersIn);
    return typeof value === 'object' ? containersIn(value) : [];
  });
  return [tree, ...inside];
}

const isScalars = (list: string[] | Values[]): list is string[] => list.every((item) => typeof item === 'string');

function changeList(list: string[], { kind, place, port: item }: Change): void {
  if (list.includes(item) && kind !== 'remove') return;
  if (kind === 'add') list.splice(place % (list.length + 1), 0, item);
  else list.splice(place % list.length, 1, ...(kind === 'remove' ? [] : [item]));
}

function changeMapping(map: Values, { kind, place, key: name, scalar: value }: Change): void {
  const all = Object.entries(map);
  const present = all[place % Math.max(1, all.length)]?.[0] ?? name;
  if (kind === 'remove' && present !== 'name') delete map[present];
  if (kind === 'replace' && present !== 'name') map[present] = value;
  if (kind !== 'add' || Object.hasOwn(map, name)) return;
  all.splice(place % (all.length + 1), 0, [name, value]);
  for (const [known] of all) delete map[known];
  Object.assign(map, Object.fromEntries(all));
}

const changes = fc.array(change, { minLength: 1, maxLength: 3 });
const sides = fc
  .tuple(values, changes, changes)
  .map(([base, mine, wanted]) => ({ base, yours: changed(base, mine), theirs: changed(base, wanted) }));

/** How each kind of file is written and read. Reading throws when the text is not valid or repeats a key. */
const kinds = {
  'k.yaml': { write: (value: Values) => stringify(value), read: (source: string): unknown => parse(source) ?? {} },
  'k.yml': {
    write: (value: Values) =>
      `# \u00fcber\nshared: &shared one\nuses: *shared\n${stringify(value, { indent: 4, indentSeq: false })}`.replace(
        /\{\}\n$/,
        '',
      ),
    read: (source: string): unknown => parse(source) ?? {},
  },
  'k.json': {
    write: (value: Values) => `${JSON.stringify(value, null, 2)}\n`,
    read: (source: string): unknown => JSON.parse(source),
  },
  'k.env': {
    write: (tree: Values) => {
      const settings = scalars(tree).map((line) => {
        const [place = '', value = ''] = line.slice(1).split('=');
        return [place.replaceAll(/\W/g, '_'), value.replaceAll(/\W/g, '.')] as const;
      });
      return [...new Map(settings)].map(([setting, value]) => `${setting}=${value}\n`).join('');
    },
    read: (source: string): unknown => {
      const pairs = source.split('\n').flatMap((line) => (line === '' ? [] : [line.split('=')]));
      if (new Set(pairs.map(([key]) => key)).size < pairs.length) throw new Error(`a name is repeated:\n${source}`);
      return Object.fromEntries(pairs);
    },
  },
} as const;

describe.each(Object.keys(kinds) as (keyof typeof kinds)[])('a merge of %s without a conflict', (file) => {
  const { write, read } = kinds[file];

  it('can be read, repeats no key, and holds the changes of both sides', () => {
    fc.assert(
      fc.property(sides, (trees) => {
        const [base, yours, theirs] = [trees.base, trees.yours, trees.theirs].map(write) as [string, string, string];
        const merged = merge(file, base, yours, theirs, 'markers');
        if (merged.conflicts.length > 0) return;
        const [before, mine, wanted, now] = [base, yours, theirs, merged.text].map(
          (source) => new Set(scalars(read(source))),
        ) as [Set<string>, Set<string>, Set<string>, Set<string>];
        for (const item of mine) if (!before.has(item)) expect(now).toContain(item);
        for (const item of wanted) if (!before.has(item)) expect(now).toContain(item);
        for (const item of now) expect(mine.has(item) || wanted.has(item)).toBe(true);
        const of = (all: Set<string>, place: string) => [...all].filter((item) => item.startsWith(`${place}=`)).join();
        for (const place of [...before].map((item) => item.slice(0, item.indexOf('='))))
          if (!place.includes('/-') && of(mine, place) !== of(before, place) && of(wanted, place) !== of(before, place))
            expect(of(mine, place)).toBe(of(wanted, place));
        // Two items of a list may have the same value.
        for (const item of before)
          if (!item.includes('/-/') && !(mine.has(item) && wanted.has(item))) expect(now).not.toContain(item);
      }),
      { numRuns: runs(1000) },
    );
  });

  it('is a conflict when both sides gave a scalar, or an item of a list, different values', () => {
    const different = fc.uniqueArray(scalar, { minLength: 3, maxLength: 3 });
    const items = fc.uniqueArray(fc.constantFrom('a:1', 'b:1', 'c:1', 'd:1', 'e:1'), { minLength: 4, maxLength: 5 });
    fc.assert(
      fc.property(
        values,
        different,
        items,
        fc.nat(),
        (rest, versions, [one = '', two = '', three = '', ...others], at) => {
          const lists = [one, two, three].map((item) => {
            const place = at % (others.length + 1);
            return { ...rest, ports: [...others.slice(0, place), item, ...others.slice(place)] };
          });
          const scalarsChanged = versions.map((image) => ({ ...rest, image }));
          for (const trees of file === 'k.env' ? [scalarsChanged] : [scalarsChanged, lists]) {
            const [base, yours, theirs] = trees.map(write) as [string, string, string];
            expect(merge(file, base, yours, theirs, 'markers').conflicts).not.toEqual([]);
          }
        },
      ),
      { numRuns: runs(200) },
    );
  });
});
