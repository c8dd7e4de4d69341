import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exitCodes, SlipwayError } from '../../generators/engine/errors.ts';
import { printNpmLock } from '../../generators/engine/packageManagers/npmLock.ts';
import { newManifest } from '../../generators/engine/manifest.ts';
import { type ConflictChoice, packageManagers } from '../../generators/engine/model.ts';
import { basesPath, lockPath } from '../../generators/engine/reconcile/lock.ts';
import { decode, encode } from '../../generators/engine/text.ts';
import { render } from '../../generators/engine/render.ts';
import { printers } from '../../generators/printers.ts';
import { applyTo, commandsWith, snapshot, type Tree } from '../helpers/memoryService.ts';
import { tinyCatalogue } from '../helpers/tinyCatalogue.ts';
import { runs } from '../helpers/runs.ts';

const catalogue = tinyCatalogue();
const { create, add, remove, reconcile } = commandsWith(catalogue);

/** Sets of modules that may stand together, by the catalogue as a reader understands it. */
const closed = (ids: readonly string[]): string[] =>
  [...new Set(ids.flatMap((id) => (id === 'outbox' ? ['outbox', 'database'] : [id])))].sort();
const compatible = (ids: readonly string[]): boolean => !(ids.includes('cache') && ids.includes('memory'));
const modules = fc.subarray(['database', 'outbox', 'cache', 'memory']).map(closed).filter(compatible);

/** An edit that a user makes: a line of his own somewhere, a line changed, a file deleted, reformatted or moved. */
const edit = fc.record({
  kind: fc.constantFrom(
    ...['insert', 'append', 'change', 'delete', 'crlf', 'script', 'dependency', 'install', 'own', 'contract'],
  ),
  file: fc.nat(),
  line: fc.nat(),
  mark: fc.string({
    unit: fc.constantFrom(...Array.from('abcdefghijklmnop0123456789$&{}<>#-')),
    minLength: 6,
    maxLength: 12,
  }),
});
type Edit = typeof edit extends fc.Arbitrary<infer Value> ? Value : never;

/** Files a user may edit without taking what is Slipway's alone. */
function editable(tree: Tree): string[] {
  return [...tree.keys()]
    .filter((path) => !path.startsWith('.slipway/') && path !== 'slipway.json' && !path.endsWith('.gen.ts'))
    .sort();
}

function applyEdit(tree: Tree, { kind, file, line, mark }: Edit): Tree {
  const after = new Map(tree);
  const paths = editable(tree);
  const path = paths[file % paths.length] ?? '';
  const present = tree.get(path);
  const text = present === undefined ? '' : (decode(present.bytes) ?? '');
  const write = (target: string, content: string): void => {
    after.set(target, { bytes: encode(content), mode: tree.get(target)?.mode ?? 0o644 });
  };
  const lines = text.split('\n');
  const at = line % Math.max(1, lines.length);
  const json = path.endsWith('.json');
  if (kind === 'insert' && !json) write(path, [...lines.slice(0, at), userLine(mark), ...lines.slice(at)].join('\n'));
  if (kind === 'append' && !json) write(path, `${text}${userLine(mark)}\n`);
  if (kind === 'change' && !json)
    write(path, [...lines.slice(0, at), userLine(mark), ...lines.slice(at + 1)].join('\n'));
  if (kind === 'delete') after.delete(path);
  if (kind === 'crlf' && !text.includes('\r')) write(path, text.replaceAll('\n', '\r\n'));
  if (kind === 'own') write(`internal/own/${mark.replaceAll(/\W/g, '_')}.txt`, userLine(mark));
  if (kind === 'contract') for (const [target, content] of changedContract(tree, line, mark)) write(target, content);
  if (kind === 'install') for (const [target, content] of withOwnPackage(tree, mark)) write(target, content);
  const packageJson = tree.get('package.json');
  if ((kind === 'script' || kind === 'dependency') && packageJson !== undefined) {
    const value = JSON.parse(decode(packageJson.bytes) ?? '{}');
    const group = kind === 'script' ? 'scripts' : 'dependencies';
    const indent = line % 2 === 0 ? 2 : '\t';
    write(
      'package.json',
      `${JSON.stringify({ ...value, [group]: { ...value[group], [`my-${mark}`]: userLine(mark) } }, null, indent)}\n`,
    );
  }
  return after;
}

/** What `npm install` of a package of the user's own writes, which needs another version of one that Slipway brings. */
function withOwnPackage(tree: Tree, mark: string): [string, string][] {
  const [packageJson, lockfile] = ['package.json', 'package-lock.json'].map((path) => tree.get(path));
  if (packageJson === undefined || lockfile === undefined) return [];
  const [value, lock] = [packageJson, lockfile].map(({ bytes }) => JSON.parse(decode(bytes) ?? '{}'));
  const name = `own-${mark.replaceAll(/\W/g, '_')}`;
  const own = { dependencies: { ...value.dependencies, [name]: '^1.0.0' } };
  const packages = {
    ...lock.packages,
    '': { ...lock.packages[''], ...own },
    [`node_modules/${name}`]: {
      version: '1.0.0',
      license: userLine(mark),
      dependencies: { pool: '>=1.5 <2', pg: '8' },
    },
    [`node_modules/${name}/node_modules/pg`]: { version: '8.0.5', license: userLine(mark) },
    [`node_modules/${name}/node_modules/pool`]: { version: '1.5.0', license: userLine(mark) },
  };
  return [
    ['package.json', `${JSON.stringify({ ...value, ...own }, null, 2)}\n`],
    ['package-lock.json', printNpmLock({ ...lock, packages }, 2)],
  ];
}

/** What `npm run openapi` writes when the user has a route of his own, and perhaps none of the examples; he may leave the client behind. */
function changedContract(tree: Tree, line: number, mark: string): [string, string][] {
  const present = tree.get('api/openapi.json');
  if (present === undefined) return [];
  const document = JSON.parse(decode(present.bytes) ?? '{}');
  const operationId = `mine${mark.replaceAll(/\W/g, '_')}`;
  const paths = {
    ...document.paths,
    [`/${operationId}`]: { get: { operationId, summary: userLine(mark), responses: {} } },
  };
  if (line % 3 === 0) delete paths['/items'];
  const text = printers.document({ ...document, paths });
  const client = ['pkg/client/contract.gen.ts', printers.types(JSON.parse(text))] as [string, string];
  return [['api/openapi.json', text], ...(line % 2 === 0 ? [client] : [])];
}

/** A service in which `database` has conflicts: in a managed file, in package.json, and in a file of the user's own. */
function clashing(tree: Tree): Tree {
  const after = new Map(tree);
  const change = (path: string, edited: (text: string) => string): void => {
    const present = tree.get(path);
    after.set(path, {
      bytes: encode(edited(decode(present?.bytes ?? encode('')) ?? '')),
      mode: present?.mode ?? 0o644,
    });
  };
  change('internal/platform/app/modules.gen.ts', (text) => `// Mine.\n${text}`);
  change('docs/database.md', () => 'Mine.\n');
  if (tree.has('package.json'))
    change('package.json', (text) => {
      const value = JSON.parse(text);
      return JSON.stringify({ ...value, scripts: { ...value.scripts, migrate: 'mine' } }, null, 2);
    });
  return after;
}

const userLine = (mark: string): string => `# mine ${mark}`;

/** Every line that the user wrote, wherever it is. */
function userLines(tree: Tree): string[] {
  return [...tree]
    .filter(([path]) => !path.startsWith('.slipway/'))
    .flatMap(([, { bytes }]) => new TextDecoder().decode(bytes).match(/# mine [^\r\n"\\]*/g) ?? [])
    .sort();
}

const manager = fc.constantFrom(...packageManagers);
const edited = fc.tuple(modules, fc.array(edit, { maxLength: 6 }), manager).map(([ids, edits, packageManager]) => ({
  ids,
  tree: edits.reduce(applyEdit, create(ids, packageManager)),
}));

const hasConflicts = (entries: readonly { action: string }[]): boolean =>
  entries.some(({ action }) => action === 'conflict');
const options = { numRuns: runs(150) };

describe('the laws of reconciliation', () => {
  it('1: render is pure, and the order in which modules were added does not show', () => {
    fc.assert(
      fc.property(modules, fc.nat(), (ids, turn) => {
        const turned = [...ids.slice(turn % (ids.length + 1)), ...ids.slice(0, turn % (ids.length + 1))];
        const manifest = newManifest({ name: 'orders' }, catalogue);
        const inOrder = render({ ...manifest, modules: Object.fromEntries(ids.map((id) => [id, {}])) }, catalogue);
        const otherwise = render({ ...manifest, modules: Object.fromEntries(turned.map((id) => [id, {}])) }, catalogue);
        // How a file is derived is code: of it only the source can be compared.
        const [some, others] = [inOrder, otherwise].map((files) =>
          [...files].map(([path, { derivation, ...file }]) => [path, file, derivation?.from]),
        );
        expect(others).toEqual(some);
      }),
      options,
    );
  });

  it('2: new(A ∪ B) = new(A); add(B) = new(B); add(A), byte for byte', () => {
    fc.assert(
      fc.property(modules, modules, manager, (a, b, packageManager) => {
        fc.pre(compatible([...a, ...b]));
        const together = snapshot(create([...a, ...b], packageManager));
        const [afterA, afterB] = [create(a, packageManager), create(b, packageManager)];
        expect(snapshot(applyTo(afterA, add(afterA, b).changes))).toEqual(together);
        expect(snapshot(applyTo(afterB, add(afterB, a).changes))).toEqual(together);
      }),
      options,
    );
  });

  it('2: it holds as well when A and B were added on two branches that Git has merged', () => {
    fc.assert(
      fc.property(modules, modules, modules, manager, fc.infiniteStream(fc.boolean()), (start, a, b, pm, choices) => {
        fc.pre(compatible([...start, ...a, ...b]));
        const [from, together] = [create(start, pm), create([...start, ...a, ...b], pm)];
        const choose = (): boolean => choices.next().value === true;
        const branches = [a, b].map((ids) => applyTo(from, add(from, ids).changes)) as [Tree, Tree];
        const manifest = together.get('slipway.json');
        const merged = new Map([
          ...mergedByGit(from, branches, together, choose),
          ['slipway.json', manifest ?? fail()],
        ]);
        const after = applyTo(merged, reconcile(merged).changes);
        expect(snapshot(after)).toEqual(snapshot(together));
        const gone = [...a, ...b].filter((id) => !start.includes(id));
        expect(snapshot(applyTo(after, remove(after, [...new Set(gone)]).changes))).toEqual(snapshot(from));
      }),
      options,
    );
  });

  it('3: add(x); remove(x) gives back the same bytes, from edited services too', () => {
    let proved = 0;
    fc.assert(
      fc.property(edited, fc.constantFrom('database', 'outbox', 'cache', 'memory'), ({ ids, tree }, id) => {
        const brought = closed([id]).filter((module) => !ids.includes(module));
        fc.pre(brought.length > 0 && compatible([...ids, ...brought]));
        const settled = settle(tree);
        fc.pre(settled !== undefined);
        const added = add(settled, brought);
        fc.pre(!hasConflicts(added.entries));
        const between = applyTo(settled, added.changes);
        const removed = remove(between, brought);
        expect(removed.entries.filter(({ action }) => action === 'conflict')).toEqual([]);
        expect(snapshot(applyTo(between, removed.changes))).toEqual(snapshot(settled));
        proved += 1;
      }),
      options,
    );
    expect(proved).toBeGreaterThan(runs(50));
  });

  it('4: reconciling twice changes nothing the second time', () => {
    fc.assert(
      fc.property(
        edited,
        modules,
        fc.constantFrom<ConflictChoice>('ours', 'theirs', 'markers', 'skip'),
        ({ ids, tree }, more, conflict) => {
          fc.pre(compatible([...ids, ...more]));
          const once = applyTo(tree, add(tree, more, conflict).changes);
          const again = reconcile(once, conflict === 'markers' ? 'ours' : conflict);
          expect(again.changes.map(({ path }) => path)).toEqual([]);
        },
      ),
      options,
    );
  });

  it('4: files whose conflicts were skipped become what they would have become at once', () => {
    fc.assert(
      fc.property(
        fc.array(edit, { maxLength: 6 }),
        manager,
        modules,
        fc.constantFrom<ConflictChoice>('ours', 'theirs'),
        (edits, packageManager, more, choice) => {
          const tree = clashing(edits.reduce(applyEdit, create([], packageManager)));
          const ids = [...more, 'database'];
          const skipping = add(tree, ids, 'skip');
          expect(skipping.entries.filter(({ skipped }) => skipped)).not.toEqual([]);
          const later = applyTo(tree, skipping.changes);
          expect(snapshot(applyTo(later, reconcile(later, choice).changes))).toEqual(
            snapshot(applyTo(tree, add(tree, ids, choice).changes)),
          );
        },
      ),
      options,
    );
  });

  it('5: no line that a user wrote disappears without his word', () => {
    fc.assert(
      fc.property(
        edited,
        modules,
        fc.constantFrom<ConflictChoice>('stop', 'ours', 'markers', 'skip'),
        ({ ids, tree }, more, conflict) => {
          fc.pre(compatible([...ids, ...more]));
          const added = add(tree, more, conflict);
          if (hasConflicts(added.entries)) return;
          const after = applyTo(tree, added.changes);
          expect(userLines(after)).toEqual(expect.arrayContaining(userLines(tree)));
          const gone = Object.keys(JSON.parse(new TextDecoder().decode(after.get('slipway.json')?.bytes)).modules);
          const removed = unlessRefused(() => remove(after, gone, conflict));
          if (removed === undefined || hasConflicts(removed.entries)) return;
          expect(userLines(applyTo(after, removed.changes))).toEqual(expect.arrayContaining(userLines(tree)));
        },
      ),
      options,
    );
  });
});

/** As Git merges: of a file that both changed one side is taken, or what both have brought; of the lines in `.slipway/` those of both, in any order. */
function mergedByGit(from: Tree, [ours, theirs]: readonly [Tree, Tree], both: Tree, choose: () => boolean): Tree {
  const textIn = (tree: Tree, path: string): string => decode(tree.get(path)?.bytes ?? encode('')) ?? '';
  const merged = new Map<string, { bytes: Uint8Array; mode: number }>();
  for (const path of new Set([...ours.keys(), ...theirs.keys()])) {
    const [before, mine, other] = [from, ours, theirs].map((tree) => textIn(tree, path));
    const resolved = choose() ? both : choose() ? ours : theirs;
    const file = (other === before ? ours : mine === before ? theirs : resolved).get(path);
    if (file !== undefined) merged.set(path, file);
  }
  for (const path of [lockPath, basesPath]) {
    const [base, ...sides] = [from, ours, theirs].map((tree) => textIn(tree, path).split('\n'));
    const lines = [...new Set(sides.flat())].filter((line) => line !== '');
    // A line that one side has changed stays where it is beside a change of the other side.
    const kept = lines.filter(
      (line) => !base?.includes(line) || sides.every((side) => side.includes(line)) || choose(),
    );
    const sorted = kept.toSorted(() => (choose() ? 1 : -1));
    merged.set(path, { bytes: encode(`${sorted.join('\n')}\n`), mode: 0o644 });
  }
  return merged;
}

function fail(): never {
  throw new Error('a service has a manifest');
}

/** Undefined when Slipway asks for the user's word (exit code 3). */
function unlessRefused<Value>(work: () => Value): Value | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof SlipwayError && error.exitCode === exitCodes.conflicts) return undefined;
    throw error;
  }
}

/** The service once Slipway has seen the edits (a moved file noted, say); undefined when they are in conflict with it. */
function settle(tree: Tree): Tree | undefined {
  const seen = reconcile(tree);
  return hasConflicts(seen.entries) ? undefined : applyTo(tree, seen.changes);
}
