import { fieldOf, isObject } from './json.ts';
import { manifestPath } from './manifest.ts';
import type { Catalogue, JsonObject, MigrationStep } from './model.ts';
import { badInput } from './errors.ts';

/**
 * Migrates a manifest from an earlier format to the catalogue's format, one version at a time.
 * @param value the content of `slipway.json`
 * @param catalogue contains the migrations
 * @returns a migrated copy; the value itself when no migration is needed
 * @throws SlipwayError (exit code 2) when the version or a migration is missing
 */
export function migrateManifest(value: unknown, catalogue: Catalogue): unknown {
  if (!isObject(value) || typeof value['version'] !== 'number' || !Number.isInteger(value['version'])) {
    throw badInput(`${manifestPath} has no version`, `expected "version": ${catalogue.manifestVersion}`);
  }
  const migrated = structuredClone(value);
  for (let version = value['version'] + 1; version <= catalogue.manifestVersion; version += 1) {
    const migration = catalogue.migrations.find(({ to }) => to === version);
    if (migration === undefined) {
      throw badInput(`${manifestPath} has version ${version - 1}, which is too old to be migrated to ${version}`);
    }
    for (const step of migration.steps) take(step, migrated);
    migrated['version'] = version;
  }
  return migrated;
}

function take(step: MigrationStep, root: JsonObject): void {
  if ('set' in step) return write(root, step.set, step.value);
  if ('remove' in step) {
    cut(root, step.remove);
    return;
  }
  const value = 'copy' in step ? structuredClone(read(root, step.copy)) : cut(root, step.move);
  if (value !== undefined) write(root, step.to, value);
}

function read(root: JsonObject, pointer: string): unknown {
  return keysOf(pointer).reduce<unknown>((node, key) => fieldOf(node, key), root);
}

/** Removes the value at a pointer from the tree and returns it. */
function cut(root: JsonObject, pointer: string): unknown {
  const keys = keysOf(pointer);
  const last = keys.pop() ?? '';
  const parent = keys.reduce<unknown>((node, key) => fieldOf(node, key), root);
  if (!isObject(parent)) return undefined;
  const value = fieldOf(parent, last);
  delete parent[last];
  return value;
}

function write(root: JsonObject, pointer: string, value: unknown): void {
  const keys = keysOf(pointer);
  const last = keys.pop() ?? '';
  let node = root;
  for (const key of keys) {
    const next = fieldOf(node, key);
    const child = isObject(next) ? next : {};
    node[key] = child;
    node = child;
  }
  node[last] = value;
}

/** Returns the parts of a JSON pointer (RFC 6901). Rejects parts that would reach an object's prototype. */
function keysOf(pointer: string): string[] {
  const keys = pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (keys.includes('__proto__')) throw badInput(`the catalogue's migration names ${pointer}`);
  return keys;
}
