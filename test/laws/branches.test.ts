import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addModules, removeModules, setOptions } from '../../generators/engine/edit.ts';
import { SlipwayError } from '../../generators/engine/errors.ts';
import { manifestPath } from '../../generators/engine/manifest.ts';
import { ciProviders, type Manifest } from '../../generators/engine/model.ts';
import { validateManifest } from '../../generators/engine/parseManifest.ts';
import { type Joined, joinBranches } from '../../generators/engine/reconcile/joinBranches.ts';
import { basesPath, lockPath } from '../../generators/engine/reconcile/lock.ts';
import { merge } from '../../generators/engine/reconcile/merge/merge.ts';
import { isIn } from '../../generators/engine/names.ts';
import { mergeText } from '../../generators/engine/reconcile/merge/text.ts';
import { prepare } from '../../generators/engine/reconcile/prepare.ts';
import { decode, encode, hasConflictMarkers } from '../../generators/engine/text.ts';
import { leftToDo } from '../../generators/report/left.ts';
import { applyTo, commandsWith, serviceOf, snapshot, type Tree } from '../helpers/memoryService.ts';
import { runs } from '../helpers/runs.ts';
import { tinyCatalogue } from '../helpers/tinyCatalogue.ts';

const catalogue = tinyCatalogue();
const { create, reconcile } = commandsWith(catalogue);
const request = {
  catalogue,
  merge,
  conflict: 'markers',
  edit: (raw: unknown) => validateManifest(raw, catalogue),
} as const;
const ids = ['database', 'outbox', 'cache', 'memory'] as const;

/** What one person does: a command, or an edit. `mark` is that person's own. */
type Step = (tree: Tree, mark: string) => Tree;

/** Shows a step by its name when a property fails. */
function named(name: string, step: Step): Step {
  return Object.assign(step, { [fc.toStringMethod]: () => name });
}

function addOf(id: string): Step {
  return named(
    `add ${id}`,
    command((now) => addModules(now, [id], catalogue)),
  );
}

function command(edit: (now: Manifest) => Manifest): Step {
  return (tree) => {
    const wanted = (raw: unknown): Manifest => validateManifest(edit(validateManifest(raw, catalogue)), catalogue);
    try {
      const { entries, changes } = prepare(serviceOf(tree), { ...request, edit: wanted });
      return entries.some(({ action }) => action === 'conflict') ? tree : applyTo(tree, changes);
    } catch (error) {
      // The command is refused.
      if (error instanceof SlipwayError) return tree;
      throw error;
    }
  };
}

function without(id: string): Step {
  return named(
    `remove ${id}`,
    command((now) => removeModules(now, [id], catalogue)),
  );
}

function version(number: string): Step {
  return named(
    `version ${number}`,
    command((now) => setOptions(now, [`database.version=${number}`], catalogue)),
  );
}

function textIn(tree: Tree, path: string): string | undefined {
  const file = tree.get(path);
  return file === undefined ? undefined : decode(file.bytes);
}

function write(tree: Tree, path: string, text: string): Tree {
  return new Map(tree).set(path, { bytes: encode(text), mode: tree.get(path)?.mode ?? 0o644 });
}

function line(path: string, at: number): Step {
  return (tree, mark) => {
    const lines = textIn(tree, path)?.split('\n');
    if (lines === undefined) return tree;
    // Both people write in the same file, apart from each other. A line keeps its place wherever commands and the other person add some.
    const next = new RegExp(`^// (server|step) ${mark === 'ours' ? 1 + (at % 5) : 8 + (at % 5)}$`);
    const place = lines.findIndex((text) => next.test(text));
    if (place < 0) return tree;
    return write(tree, path, lines.toSpliced(place, 0, `// mine ${mark} ${at}`).join('\n'));
  };
}

function packageKey(group: string, at: number): Step {
  return (tree, mark) => {
    const value = JSON.parse(textIn(tree, 'package.json') ?? '{}');
    const changed = { ...value, [group]: { ...value[group], [`${mark}-${at}`]: '1.0.0' } };
    return write(tree, 'package.json', `${JSON.stringify(changed, null, 2)}\n`);
  };
}

const id = fc.constantFrom(...ids);
const small = fc.nat({ max: 9 });
function gone(path: string): Step {
  return (tree) => new Map([...tree].filter(([name]) => name !== path));
}

function moved(path: string, to: string): Step {
  return (tree) => {
    const file = tree.get(path);
    return file === undefined ? tree : new Map(gone(path)(tree, '')).set(to, file);
  };
}

const edits = fc.oneof(
  fc.constant(named('delete docs/operations.md', gone('docs/operations.md'))),
  fc.constant(named('move server.ts', moved('internal/platform/http/server.ts', 'internal/platform/http/listen.ts'))),
  fc
    .tuple(fc.constantFrom('internal/platform/http/server.ts', 'docs/operations.md'), small)
    .map(([path, at]) => named(`line ${at} of ${path}`, line(path, at))),
  fc
    .tuple(fc.constantFrom('scripts', 'dependencies'), small)
    .map(([group, at]) => named(`key ${at} of ${group}`, packageKey(group, at))),
  small.map((at) =>
    named(`file ${at}`, (tree, mark) => write(tree, `internal/own/${mark}${at}.ts`, `// mine ${mark} ${at}\n`)),
  ),
);
const commands = fc.oneof(
  id.map(addOf),
  id.map(without),
  fc.constantFrom('17', '18').map(version),
  fc.subarray([...ciProviders]).map((ci) =>
    named(
      `ci ${ci.join()}`,
      command((now) => ({ ...now, ci })),
    ),
  ),
  fc.constantFrom('docs/operations.md', 'deploy/compose/').map((path) =>
    named(
      `eject ${path}`,
      command((now) => ({ ...now, ejected: [...new Set([...(now.ejected ?? []), path])].sort() })),
    ),
  ),
);
const steps = fc.array(fc.oneof(commands, edits), { maxLength: 4 });

/** Edits in the same places, also in files that Slipway changes. */
const rival = fc
  .tuple(
    fc.constantFrom(
      'docs/configuration.md',
      '.env.example',
      '.github/workflows/ci.yaml',
      'deploy/compose/database.yaml',
    ),
    fc.nat({ max: 20 }),
    fc.boolean(),
  )
  .map(([path, at, isChange]) =>
    named(`${isChange ? 'change' : 'insert'} line ${at} of ${path}`, (tree, mark) => {
      const lines = textIn(tree, path)?.split('\n');
      return lines === undefined
        ? tree
        : write(tree, path, lines.toSpliced(at % lines.length, isChange ? 1 : 0, `# // mine ${mark} ${at}`).join('\n'));
    }),
  );
const rivalSteps = fc.array(fc.oneof(commands, edits, rival), { maxLength: 4 });
const start = fc.subarray([...ids]);

function created(some: readonly string[]): Tree {
  return some.reduce((tree, one) => addOf(one)(tree, ''), create([]));
}

/** As Git merges: by lines, and in `.slipway/` the lines of both. */
function gitMerge(base: Tree, yours: Tree, theirs: Tree): { tree: Tree; unmerged: Set<string> } {
  const [tree, unmerged] = [
    new Map<string, Tree extends ReadonlyMap<string, infer File> ? File : never>(),
    new Set<string>(),
  ];
  for (const path of new Set([...base.keys(), ...yours.keys(), ...theirs.keys()])) {
    const [before, mine, others] = [base, yours, theirs].map((side) => textIn(side, path));
    const chosen = mine === others || before === others ? yours : before === mine ? theirs : undefined;
    const file = (chosen ?? (yours.has(path) ? yours : theirs)).get(path);
    if (chosen !== undefined) {
      if (file !== undefined) tree.set(path, file);
      continue;
    }
    if (file === undefined) continue;
    if (path === lockPath || path === basesPath) {
      const lines = [...new Set([...(mine ?? '').split('\n'), ...(others ?? '').split('\n')])].filter(
        (text) => text !== '',
      );
      tree.set(path, { ...file, bytes: encode(`${lines.join('\n')}\n`) });
      continue;
    }
    if (mine === undefined || others === undefined) {
      unmerged.add(path);
      tree.set(path, file);
      continue;
    }
    const merged = mergeText({ base: before ?? '', yours: mine, theirs: others }, 'markers');
    if (merged.conflicts.length > 0) unmerged.add(path);
    tree.set(path, { ...file, bytes: encode(merged.text) });
  }
  return { tree, unmerged };
}

function join(base: Tree, yours: Tree, theirs: Tree): { after: Tree; joined: Joined } | undefined {
  const { tree, unmerged } = gitMerge(base, yours, theirs);
  const branches = { base: serviceOf(base), yours: serviceOf(yours), theirs: serviceOf(theirs) };
  try {
    const joined = joinBranches({ ...branches, present: serviceOf(tree), unmerged }, request);
    return { joined, after: applyTo(tree, joined.changes) };
  } catch (error) {
    if (error instanceof SlipwayError) return undefined;
    throw error;
  }
}

/** Two people may write their keys of package.json in any order, and a file may be ejected before or after a command. */
function comparable(tree: Tree): Record<string, unknown> {
  const { ejected = [] } = JSON.parse(textIn(tree, manifestPath) ?? '');
  const files = Object.entries(snapshot(tree)).filter(([path]) => !isIn(path, ejected));
  return Object.fromEntries(
    files.map(([path, text]) => [path, /^package(?:-lock)?\.json$/.test(path) ? JSON.parse(text) : text]),
  );
}

const userLines = (tree: Tree): string[] =>
  [...tree]
    .filter(([path]) => !path.startsWith('.slipway/'))
    .flatMap(([, { bytes }]) => decode(bytes)?.match(/\/\/ mine \w+ \d+/g) ?? []);

/** The service once Slipway has seen the edits, such as a moved file. */
const seen = (tree: Tree): Tree => command((now) => now)(tree, '');

describe('two branches that Git merges', () => {
  it('become what one person gets who does all of it', () => {
    let proved = 0;
    fc.assert(
      fc.property(start, steps, steps, (some, mine, others) => {
        const base = created(some);
        const yours = mine.reduce((tree, step) => step(tree, 'ours'), base);
        const theirs = others.reduce((tree, step) => step(tree, 'theirs'), base);
        const result = join(base, yours, theirs);
        fc.pre(result !== undefined && leftToDo(result.joined).length === 0);
        // One person may do the work of either branch first.
        const orders = [
          others.reduce((tree, step) => step(tree, 'theirs'), yours),
          mine.reduce((tree, step) => step(tree, 'ours'), theirs),
        ].map(seen);
        // A command may do nothing on one branch, and something for one person.
        const same = orders.filter((tree) => textIn(tree, manifestPath) === textIn(result.after, manifestPath));
        fc.pre(same.length > 0);
        const [first, last = first] = same.map(comparable);
        const after = comparable(result.after);
        expect(after).toEqual(isDeepStrictEqual(after, last) ? last : first);
        proved += 1;
      }),
      { numRuns: runs(200) },
    );
    expect(proved).toBeGreaterThan(runs(60));
  });

  it('lose no line of either person, and are as the manifest says', () => {
    fc.assert(
      fc.property(start, rivalSteps, rivalSteps, (some, mine, others) => {
        const base = created(some);
        const yours = mine.reduce((tree, step) => step(tree, 'ours'), base);
        const theirs = others.reduce((tree, step) => step(tree, 'theirs'), base);
        const result = join(base, yours, theirs);
        fc.pre(result !== undefined);
        const { after, joined } = result;
        expect(userLines(after)).toEqual(expect.arrayContaining([...userLines(yours), ...userLines(theirs)]));
        if (leftToDo(joined).length > 0) return;
        expect([...after.values()].some(({ bytes }) => hasConflictMarkers(decode(bytes) ?? ''))).toBe(false);
        expect(reconcile(after).changes.map(({ path }) => path)).toEqual([]);
      }),
      { numRuns: runs(200) },
    );
  });

  it('stay a conflict in slipway.json where one has removed a module, and the other has changed its option', () => {
    const base = created(['database']);
    const [some, other] = [without('database'), version('17')];
    for (const [mine, others] of [
      [some, other],
      [other, some],
    ] as const) {
      const { joined, after } = join(base, mine(base, 'ours'), others(base, 'theirs')) ?? expect.fail();
      expect(leftToDo(joined)).toMatchObject([{ path: manifestPath }]);
      expect(joined.entries).toMatchObject([
        { path: manifestPath, conflicts: [{ at: expect.stringContaining('/modules/database') }] },
      ]);
      expect(textIn(after, manifestPath)).toMatch(/<{7} (?:ours|theirs)\n[^]*\n>{7} (?:ours|theirs)\n/);
      expect(joined.changes.map(({ path }) => path)).toEqual([manifestPath]);
    }
  });
});
