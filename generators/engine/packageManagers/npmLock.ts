import gt from 'semver/functions/gt.js';
import satisfies from 'semver/functions/satisfies.js';
import valid from 'semver/functions/valid.js';
import validRange from 'semver/ranges/valid.js';
import { fieldOf, isObject, isTooDeep } from '../json.ts';
import type { Adaptation, JsonObject, NpmPackages } from '../model.ts';
import type { LockfileMerge } from './definition.ts';

/** The key order of npm: first these keys, then all others by name. Objects come last. */
const firstKeys = [
  'name',
  'version',
  'lockfileVersion',
  'resolved',
  'integrity',
  'requires',
  'packages',
  'dependencies',
];
const groups = ['peerDependencies', 'dependencies', 'optionalDependencies', 'devDependencies'] as const;
const flagNames = ['dev', 'optional', 'devOptional', 'peer'] as const;

/** A dependency of the package at one place on a package with this name. */
interface Edge {
  readonly name: string;
  readonly range: string;
  readonly dev: boolean;
  readonly optional: boolean;
  readonly peer: boolean;
}

interface NpmLock {
  readonly packages: NpmPackages;
}

const noLock: NpmLock & JsonObject = { lockfileVersion: 3, requires: true, packages: {} };

type Flags = Record<(typeof flagNames)[number], boolean>;

/**
 * Merges `package-lock.json` (lockfileVersion 3). A package that satisfies the service stays in its place. A package that does not
 * satisfy it comes from the catalogue. A package that nothing needs is removed. npm adds the packages that neither side has.
 * @param merge both sides, and `package.json` before and after
 * @returns the text as npm prints it, or the reason why the lockfile stays unchanged
 */
export function mergeNpmLock({ before, after, yours, pins, raise }: LockfileMerge<NpmPackages>): Adaptation {
  if (!isObject(after)) return { reason: 'package.json is not JSON' };
  const lock = yours === undefined ? noLock : parsed(yours);
  if (lock === undefined)
    return { reason: 'it is no lockfile of npm 7 or newer: yours is kept, and npm settles the rest' };
  const present = lock.packages;
  const packages: Record<string, JsonObject> = { ...mergePackages(present, { before, after, pins, raise }) };
  const [flagsBefore, flagsAfter] = [flagsIn(present), flagsIn(packages)];
  for (const [place, flags] of flagsAfter) {
    const known = present[place] === packages[place] ? flagsBefore.get(place) : undefined;
    packages[place] = flagged(packages[place] ?? {}, flags, known);
  }
  const indent = yours === undefined ? 2 : (/^\{\r?\n([ \t]+)/.exec(yours)?.[1] ?? 2);
  const { name, version } = packages[''] ?? {};
  const named = { ...lock, ...(name === undefined ? {} : { name }), ...(version === undefined ? {} : { version }) };
  return { text: printNpmLock({ ...named, packages }, indent, pins) };
}

/**
 * Merges the packages of a lockfile that has a place for each of them.
 * @param present the packages on disk
 * @param merge `package.json` before and after, and the catalogue's packages
 * @returns the packages that the service needs, each at a place where Node finds it
 */
export function mergePackages(
  present: NpmPackages,
  { before, after, pins, raise }: Pick<LockfileMerge<NpmPackages>, 'before' | 'pins' | 'raise'> & { after: JsonObject },
): NpmPackages {
  const root = rootOf(present[''], pins[''], before, after);
  // A new lockfile whose ranges are the catalogue's is a part of the catalogue's lockfile.
  const isPart = Object.keys(present).length === 0 && edgesOf(root, true).every((edge) => asks(pins[''], edge));
  const tree: Record<string, JsonObject> = { ...(isPart ? pins : present), '': root };
  if (raise) raiseAll(tree, pins);
  const kept = grow(tree, present, pins, overridden(after['overrides']));
  return Object.fromEntries(Object.entries(tree).filter(([place]) => kept.has(place)));
}

/**
 * @param lock content of the lockfile
 * @param indent of each level, as `JSON.stringify` accepts it
 * @param pins packages whose keys are already in order
 * @returns its text as npm prints it: npm's first keys, then the other keys by name, objects last
 */
export function printNpmLock(lock: JsonObject, indent: number | string, pins: NpmPackages = {}): string {
  return `${JSON.stringify(inOrder(lock, new Set(Object.values(pins))), null, indent)}\n`;
}

function inOrder(value: unknown, ordered: ReadonlySet<unknown>): unknown {
  if (Array.isArray(value)) return value.map((item) => inOrder(item, ordered));
  if (!isObject(value) || ordered.has(value)) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, inOrder(item, ordered), isObject(item)] as const);
  entries.sort(([a, , aIsObject], [b, , bIsObject]) =>
    aIsObject === bIsObject ? compareKeys(a, b) : Number(aIsObject) - Number(bIsObject),
  );
  return Object.fromEntries(entries);
}

function compareKeys(a: string, b: string): number {
  const [first, second] = [a, b].map((key) => firstKeys.indexOf(key) + 1 || firstKeys.length + 1);
  return first === second ? compareNames(a, b) : (first ?? 0) - (second ?? 0);
}

/** ASCII in the order of the locale `en`: a lower-case letter comes before its capital letter. */
const alphabet = ' _-,;:!?.\'"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz';

/** Compares names like `localeCompare` with the locale `en`. That locale takes 30 ms to load. */
function compareNames(a: string, b: string): number {
  if (/[^ -~]/.test(a + b)) return a.localeCompare(b, 'en');
  const [small, other] = [a.toLowerCase(), b.toLowerCase()];
  for (let at = 0; at < Math.min(small.length, other.length); at += 1) {
    if (small[at] !== other[at]) return alphabet.indexOf(small[at] ?? '') - alphabet.indexOf(other[at] ?? '');
  }
  if (small.length !== other.length) return small.length - other.length;
  return a === b ? 0 : a > b ? -1 : 1;
}

function parsed(text: string): (NpmLock & JsonObject) | undefined {
  try {
    const lock: unknown = JSON.parse(text);
    const packages = fieldOf(lock, 'packages');
    if (fieldOf(lock, 'lockfileVersion') !== 3 || !isObject(packages) || isTooDeep(lock)) return undefined;
    if (!Object.values(packages).every(isObject)) return undefined;
    // The lines above have checked both.
    return lock as NpmLock & JsonObject;
  } catch {
    return undefined;
  }
}

/**
 * Updates the lockfile's entry for the service itself as `package.json` changes. Adds other missing dependencies that the catalogue has.
 * They are missing, for example, after a merge by Git that took one side. npm adds the rest.
 */
function rootOf(present: JsonObject = {}, pins: unknown, before: unknown, after: JsonObject): JsonObject {
  const known = Object.assign({}, ...groups.map((group) => fieldOf(pins, group))) as JsonObject;
  const root = follow(present, before, after, ['name', 'version', 'engines']);
  for (const group of groups) {
    const [was, is] = [fieldOf(before, group) ?? {}, after[group] ?? {}];
    const lost = Object.entries(is).filter(([name, range]) => known[name] === range);
    const whole = Object.assign(Object.fromEntries(lost), root[group]);
    const entries = follow(whole, was, is, Object.keys({ ...was, ...is }));
    if (Object.keys(entries).length === 0) delete root[group];
    else root[group] = entries;
  }
  return root;
}

/** Applies the changes between two objects to a third. */
function follow(present: object, before: unknown, after: object, keys: readonly string[]): JsonObject {
  const result: JsonObject = { ...present };
  for (const key of keys) {
    const [was, is] = [fieldOf(before, key), fieldOf(after, key)];
    if (JSON.stringify(was) === JSON.stringify(is)) continue;
    if (is === undefined) delete result[key];
    else result[key] = is;
  }
  return result;
}

/** Returns the names whose versions the user's `overrides` set. The range that a package requests has no effect for them. */
function overridden(overrides: unknown): ReadonlySet<string> {
  if (!isObject(overrides)) return new Set();
  return new Set(
    Object.entries(overrides).flatMap(([key, value]) => [key.replace(/(?<=.)@.*$/, ''), ...overridden(value)]),
  );
}

/**
 * When both sides have a package at one place, the newer version wins. A package that the user takes from elsewhere (an alias, a Git URL, a
 * folder) stays.
 */
function raiseAll(tree: Record<string, JsonObject>, pins: NpmPackages): void {
  const elsewhere = edgesOf(tree[''], true).filter(({ range }) => validRange(range) === null);
  const own = new Set(elsewhere.map(({ name }) => `node_modules/${name}`));
  for (const [place, present] of Object.entries(tree)) {
    const pin = place === '' || own.has(place) ? undefined : pins[place];
    if (pin !== undefined && pin['name'] === present['name'] && isNewer(pin['version'], present['version'])) {
      tree[place] = pin;
    }
  }
}

/**
 * Visits everything that the service needs, and adds missing packages to the tree.
 * @returns the needed places
 */
function grow(
  tree: Record<string, JsonObject>,
  before: NpmPackages,
  pins: NpmPackages,
  free: ReadonlySet<string>,
): ReadonlySet<string> {
  const isOf = (source: NpmPackages, place: string): boolean => place !== '' && tree[place] === source[place];
  // An added package may hide one that was found before, so the walk starts again.
  // The loop ends, because each walk but the last adds a package.
  for (;;) {
    const seen = new Set(Object.keys(tree).filter((place) => !place.includes('node_modules/')));
    let grown = false;
    // The loop also visits places that it adds to the set.
    for (const from of seen) {
      const target = tree[from]?.['link'] === true ? tree[from]['resolved'] : undefined;
      if (typeof target === 'string') seen.add(target);
      // When the tree resolves a dependency as the catalogue does, it needs no check.
      const isPinned = (edge: Edge, found: string): boolean =>
        (isOf(pins, from) || asks(pins[from], edge)) && isOf(pins, found) && resolve(pins, from, edge.name) === found;
      for (const edge of edgesOf(tree[from], from === '')) {
        if (edge.peer && edge.optional) continue;
        const found = resolve(tree, from, edge.name);
        const isMet = found !== undefined && (isPinned(edge, found) || free.has(edge.name) || meets(tree[found], edge));
        const added = isMet ? undefined : add(tree, from, edge, pins, before);
        if (added !== undefined) grown = true;
        const place = added ?? found;
        if (place !== undefined) seen.add(place);
      }
    }
    if (!grown) return seen;
  }
}

/** Adds the package that one of the sources has for an edge: at the place that it has there if possible, otherwise below its dependant. */
function add(
  tree: Record<string, JsonObject>,
  from: string,
  edge: Edge,
  pins: NpmPackages,
  before: NpmPackages,
): string | undefined {
  const below = joined(from, edge.name);
  for (const source of [pins, before]) {
    const origin = source[from]?.['version'] === tree[from]?.['version'] ? from : '';
    const place = resolve(source, origin, edge.name);
    const entry = place === undefined ? undefined : source[place];
    if (place === undefined || entry === undefined) continue;
    // Dependencies that the catalogue resolves need no check.
    if (!(source === pins && origin !== '' && tree[from] === pins[from]) && !meets(entry, edge)) continue;
    const target = tree[place] === undefined ? place : below;
    // A peer is never below the package that requires it.
    if (target === below && from !== '' && edge.peer) continue;
    if (tree[target] === entry) continue;
    tree[target] = entry;
    return target;
  }
  return undefined;
}

function edgesOf(entry: JsonObject | undefined, isRoot: boolean): Edge[] {
  const edges = new Map<string, Edge>();
  for (const group of groups) {
    if (group === 'devDependencies' && !isRoot) continue;
    for (const [name, range] of Object.entries(fieldOf(entry, group) ?? {})) {
      const peer = group === 'peerDependencies';
      const isOptionalPeer =
        peer && fieldOf(fieldOf(fieldOf(entry, 'peerDependenciesMeta'), name), 'optional') === true;
      const optional = isOptionalPeer || group === 'optionalDependencies';
      edges.set(name, { name, range: String(range), dev: group === 'devDependencies', optional, peer });
    }
  }
  return [...edges.values()];
}

/** Returns whether a package asks for the same range. */
function asks(entry: JsonObject | undefined, { name, range }: Edge): boolean {
  return groups.some((group) => fieldOf(fieldOf(entry, group), name) === range);
}

/**
 * @param place of a package: `node_modules/a/node_modules/b`
 * @param entry the package; it has a name when the place has another one (an alias)
 * @returns its name and version: `b@1.0.0`
 */
export function idOf(place: string, { name, version }: JsonObject): string {
  const known = typeof name === 'string' ? name : place.replace(/^.*node_modules\//, '');
  return typeof version === 'string' ? `${known}@${version}` : known;
}

/**
 * Finds a package as Node does: in the folder itself, then in each folder above it.
 * @param tree the packages by place
 * @param from place of the package that needs it
 * @param name name of the needed package
 * @returns its place
 */
export function resolve(tree: NpmPackages, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folderOf(folder)) {
    const place = joined(folder, name);
    if (Object.hasOwn(tree, place)) return place;
    if (folder === '') return undefined;
  }
}

function joined(folder: string, name: string): string {
  return `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
}

/** @returns the place whose `node_modules` contains a place */
function folderOf(place: string): string {
  return place.slice(0, Math.max(0, place.lastIndexOf('node_modules/') - 1));
}

/** Returns whether a package satisfies an edge. npm decides when the range is not a version range. */
function meets(entry: JsonObject | undefined, { range }: Edge): boolean {
  const version = entry?.['version'];
  return typeof version !== 'string' || validRange(range) === null || satisfies(version, range);
}

/**
 * @param version of a package
 * @param other another version of it
 * @returns whether both are semantic versions (https://semver.org) and the first is newer
 */
export function isNewer(version: unknown, other: unknown): boolean {
  return (
    typeof version === 'string' &&
    typeof other === 'string' &&
    valid(version) !== null &&
    valid(other) !== null &&
    gt(version, other)
  );
}

/** Calculates the flags of each package as npm does: all flags start as set, and a path on which a flag does not hold clears it. */
function flagsIn(packages: NpmPackages): ReadonlyMap<string, Flags> {
  const unset: Flags = { dev: false, optional: false, devOptional: false, peer: false };
  const all = new Map<string, Flags>();
  for (const place of Object.keys(packages)) {
    const isOwn = !place.includes('node_modules/');
    all.set(place, isOwn ? unset : { dev: true, optional: true, devOptional: true, peer: true });
  }
  const queue = [...all.keys()].filter((place) => all.get(place) === unset);
  for (let place = queue.pop(); place !== undefined; place = queue.pop()) {
    const from = all.get(place) ?? unset;
    for (const edge of edgesOf(packages[place], place === '')) {
      const found = resolve(packages, place, edge.name);
      const to = found === undefined ? undefined : all.get(found);
      if (found === undefined || to === undefined || to === unset) continue;
      const dev = to.dev && (from.dev || edge.dev);
      const optional = to.optional && (from.optional || edge.optional);
      const devOptional =
        to.devOptional && (from.devOptional || from.dev || from.optional || edge.dev || edge.optional);
      const peer = to.peer && (from.peer || edge.peer);
      if (dev === to.dev && optional === to.optional && devOptional === to.devOptional && peer === to.peer) continue;
      all.set(found, { dev, optional, devOptional, peer });
      queue.push(found);
    }
  }
  return new Map(
    [...all]
      .filter(([, flags]) => flags !== unset)
      .map(([place, flags]) => [place, { ...flags, devOptional: flags.devOptional && !flags.dev && !flags.optional }]),
  );
}

/** Changes only the flags whose calculated value changes. npm may have calculated the others in a different way. */
function flagged(entry: JsonObject, flags: Flags, before: Flags | undefined): JsonObject {
  const wrong = flagNames.filter((flag) => flags[flag] !== before?.[flag] && flags[flag] !== (entry[flag] === true));
  if (wrong.length === 0) return entry;
  const changed = { ...entry };
  for (const flag of wrong) {
    if (flags[flag]) changed[flag] = true;
    else delete changed[flag];
  }
  return changed;
}
