import { hash } from 'node:crypto';
import { manifestPath, newManifest } from '../../generators/engine/manifest.ts';
import type {
  Catalogue,
  Change,
  ConflictChoice,
  DiskFile,
  Manifest,
  PackageManager,
  Service,
} from '../../generators/engine/model.ts';
import { basesPath, lockPath, parseLock } from '../../generators/engine/reconcile/lock.ts';
import { decode, encode } from '../../generators/engine/text.ts';
import { addModules, removeModules } from '../../generators/engine/edit.ts';
import { parseManifest, validateManifest } from '../../generators/engine/parseManifest.ts';
import { indexBases } from '../../generators/engine/reconcile/bases.ts';
import { chooseLock } from '../../generators/engine/reconcile/choose.ts';
import { merge } from '../../generators/engine/reconcile/merge/merge.ts';
import { prepare, type Prepared } from '../../generators/engine/reconcile/prepare.ts';

/** A service in memory: path → content and permission bits. */
export type Tree = ReadonlyMap<string, { readonly bytes: Uint8Array; readonly mode: number }>;

const sha256 = (bytes: Uint8Array): string => hash('sha256', bytes);

/**
 * @param tree a service
 * @returns the service in the form that the engine reads
 */
export function serviceOf(tree: Tree): Service {
  const read = (path: string): DiskFile | undefined => {
    const file = tree.get(path);
    return file === undefined ? undefined : { ...file, hash: sha256(file.bytes) };
  };
  const textOf = (path: string): string | undefined => decode(tree.get(path)?.bytes ?? encode('')) || undefined;
  const lockText = textOf(lockPath);
  const base = indexBases(textOf(basesPath) ?? '', sha256);
  return {
    manifestText: textOf(manifestPath),
    lock: chooseLock(lockText === undefined ? [] : [parseLock(lockText, sha256, () => {})], {
      read,
      base,
      hash: sha256,
    }),
    read,
    base,
    files: () => [...tree.keys()].filter((path) => !path.startsWith('.slipway/')).sort(),
    outdated: () => [],
    hash: sha256,
  };
}

/**
 * @param tree a service
 * @param changes changes of a plan
 * @returns the changed service
 * @throws Error when a file differs from what the plan expects
 */
export function applyTo(tree: Tree, changes: readonly Change[]): Tree {
  const after = new Map(tree);
  for (const change of changes) {
    const present = tree.get(change.path);
    const found = present === undefined ? null : sha256(present.bytes);
    if (found !== change.expect) throw new Error(`${change.path}: expected ${change.expect}, found ${found}`);
    if ('remove' in change) after.delete(change.path);
    else after.set(change.path, { bytes: change.write, mode: change.mode });
  }
  return after;
}

/** The commands for services in memory. */
export interface Commands {
  readonly create: (modules: readonly string[], packageManager?: PackageManager) => Tree;
  readonly add: (tree: Tree, modules: readonly string[], conflict?: ConflictChoice) => Prepared;
  readonly remove: (tree: Tree, modules: readonly string[], conflict?: ConflictChoice) => Prepared;
  readonly reconcile: (tree: Tree, conflict?: ConflictChoice) => Prepared;
  /** Any command that edits the manifest. */
  readonly change: (tree: Tree, edit: (now: Manifest) => Manifest, conflict?: ConflictChoice) => Prepared;
}

/**
 * @param catalogue the catalogue of the services
 * @returns the commands with that catalogue
 */
export function commandsWith(catalogue: Catalogue): Commands {
  const run = (tree: Tree, edit: (now: Manifest) => Manifest, choice: ConflictChoice = 'stop'): Prepared =>
    prepare(serviceOf(tree), {
      catalogue,
      conflicts: [{ paths: '**', choice }],
      merge,
      edit: (raw) => edit(validateManifest(raw, catalogue)),
    });
  return {
    create: (modules, packageManager = 'npm') => {
      const manifest = addModules(newManifest({ name: 'orders', packageManager }, catalogue), modules, catalogue);
      return applyTo(new Map(), prepare(serviceOf(new Map()), { catalogue, merge, edit: () => manifest }).changes);
    },
    add: (tree, modules, conflict) => run(tree, (now) => addModules(now, modules, catalogue), conflict),
    remove: (tree, modules, conflict) => run(tree, (now) => removeModules(now, modules, catalogue), conflict),
    reconcile: (tree, conflict) => run(tree, (now) => now, conflict),
    change: run,
  };
}

/**
 * @param tree a service
 * @returns its manifest
 */
export function manifestIn(tree: Tree, catalogue: Catalogue): Manifest {
  return parseManifest(new TextDecoder().decode(tree.get(manifestPath)?.bytes), catalogue);
}

/**
 * @param tree a service
 * @returns path → text, with permission bits of executable files; used to compare two services
 */
export function snapshot(tree: Tree): Record<string, string> {
  const files = [...tree].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    files.map(([path, { bytes, mode }]) => [path, `${mode & 0o111 ? 'x ' : ''}${new TextDecoder().decode(bytes)}`]),
  );
}
