import { compareVersions } from 'compare-versions';
import { fieldOf, isObject } from '../json.ts';
import type { Adaptation, NpmPackages } from '../model.ts';
import { idOf } from './npmLock.ts';
import type { LockfileMerge } from './definition.ts';

/** Key → the unchanged lines of the entry, including the line of the key. */
type Entries = Map<string, string>;

/** `pnpm-lock.yaml`. pnpm prints one entry after the other, so Slipway moves each entry as text. */
interface PnpmLock {
  /** The text before the first of the three sections: settings and overrides. */
  readonly head: string;
  readonly importers: Entries;
  readonly packages: Entries;
  readonly snapshots: Entries;
}

/** A dependency of the service. */
interface Pin {
  readonly specifier: string;
  readonly version: string;
  /** The unchanged lines. */
  readonly lines: string;
}

const sections = ['importers', 'packages', 'snapshots'] as const;
const groups = ['dependencies', 'devDependencies', 'optionalDependencies'] as const;

/**
 * Merges `pnpm-lock.yaml` (lockfileVersion 9.0). A package that the service needs stays unchanged. A missing package comes from the
 * catalogue. A package that nothing needs is removed. pnpm adds the packages that neither side has.
 * @param merge both sides, and `package.json` before and after
 * @returns the text as pnpm prints it, or the reason why the lockfile stays unchanged
 */
export function mergePnpmLock({ before, after, yours, pins, raise }: LockfileMerge<string>): Adaptation {
  if (!isObject(after)) return { reason: 'package.json is not JSON' };
  const theirs = parse(pins);
  const present = yours === undefined ? theirs && { ...theirs, importers: new Map<string, string>() } : parse(yours);
  if (theirs === undefined || present === undefined) {
    return { reason: 'it is not as pnpm 9 or newer writes it: yours is kept, and pnpm settles the rest' };
  }
  const importer = importerOf({ before, after }, present, theirs, raise);
  const importers = new Map([...present.importers, ['.', importer] as const]);
  const own = yours === undefined ? new Map<string, string>() : present.snapshots;
  const find = (key: string): string | undefined => {
    const [mine, pin] = [own.get(key), theirs.snapshots.get(key)];
    return mine === undefined || (raise && pin !== undefined && isRaised(pin, mine)) ? (pin ?? mine) : mine;
  };
  const { needed, firm } = reach(importers, find);
  const snapshots = [...needed].map(([key, body]) => [key, withOptional(body, !firm.has(key))] as const);
  const packages = [...new Set([...needed.keys()].map(packageOf))].flatMap((key) => {
    const body = present.packages.get(key) ?? theirs.packages.get(key);
    return body === undefined ? [] : [[key, body] as const];
  });
  return { text: print(present.head, { importers, packages: new Map(packages), snapshots: new Map(snapshots) }) };
}

const integrity = /^ {2}(\S+):\n {4}resolution: \{integrity: (.*)\}$/gm;

/**
 * @param text a lockfile of pnpm
 * @returns it without the hashes of packages, which do not compress; the catalogue has them once, in npm's lockfile
 */
export function withoutIntegrity(text: string): string {
  return text.replaceAll(integrity, '  $1:\n    resolution: {integrity: }');
}

/**
 * @param text a lockfile of pnpm
 * @param packages the packages of npm's lockfile
 * @returns it with the hashes of the packages
 */
export function withIntegrity(text: string, packages: NpmPackages): string {
  const known = new Map(
    Object.entries(packages).map(([place, entry]) => [idOf(place, entry), String(entry['integrity'])]),
  );
  return text.replaceAll(integrity, (_, key: string, hash: string) => {
    return `  ${key}:\n    resolution: {integrity: ${hash || (known.get(unquoted(key)) ?? '')}}`;
  });
}

/** @returns undefined when the text is not a lockfile of this version, or has something that pnpm does not write */
function parse(text: string): PnpmLock | undefined {
  const start = text.search(/^importers:$/m);
  if (start < 0 || !/^lockfileVersion: '9\.\d+'$/m.test(text.slice(0, start))) return undefined;
  const found = new Map<string, Entries>();
  for (const [, name = '', body = ''] of text.slice(start).matchAll(/^(\S+):\n((?:(?: .*)?\n)*)/gm)) {
    const entries = body.matchAll(/^ {2}(\S.*?):(?: \{\})?\n(?: {3,}.*\n)*/gm);
    found.set(name, new Map([...entries].map(([lines, key = '']) => [unquoted(key), lines])));
  }
  if ([...found.keys()].some((name) => !sections.some((known) => known === name))) return undefined;
  const [importers, packages, snapshots] = sections.map((name) => found.get(name) ?? new Map<string, string>());
  if (importers === undefined || packages === undefined || snapshots === undefined) return undefined;
  const lock = { head: text.slice(0, start), importers, packages, snapshots };
  return print(lock.head, lock) === text ? lock : undefined;
}

function print(head: string, lock: Omit<PnpmLock, 'head'>): string {
  const printed = sections.map((name) => {
    const entries = [...lock[name]].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, lines]) => lines);
    return entries.length === 0 ? '' : `${name}:\n\n${entries.join('\n')}`;
  });
  return head + printed.filter((text) => text !== '').join('\n');
}

/** Updates the service's own dependencies as `package.json` changes. pnpm adds dependencies that neither lockfile has. */
function importerOf(
  { before, after }: { before: unknown; after: unknown },
  yours: PnpmLock,
  theirs: PnpmLock,
  raise: boolean,
): string {
  const [mine, pins] = [yours, theirs].map(({ importers }) => importers.get('.') ?? '');
  const [known, offered] = [pinsIn(mine ?? ''), pinsIn(pins ?? '')];
  const present = new Map(groupsIn(mine ?? ''));
  const printed = groups.map((group) => {
    const [was, is] = [before, after].map((pack): object => fieldOf(pack, group) ?? {});
    const chosen = new Map(pinsIn(present.get(group) ?? ''));
    for (const name of Object.keys({ ...was, ...is })) {
      const specifier = fieldOf(is, name);
      const asked = (pin: Pin | undefined): Pin | undefined => (pin?.specifier === specifier ? pin : undefined);
      const [own, pin] = [asked(known.get(name)), asked(offered.get(name))];
      const isOlder = raise && own !== undefined && pin !== undefined && isNewer(pin.version, own.version);
      // Detects a dependency that a merge by Git lost because it took one side.
      const isLost = pin !== undefined && !chosen.has(name);
      const next = isOlder ? pin : (own ?? pin ?? known.get(name));
      if (specifier === undefined) chosen.delete(name);
      else if (next !== undefined && (isOlder || isLost || specifier !== fieldOf(was, name))) chosen.set(name, next);
    }
    const entries = [...chosen].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { lines }]) => lines);
    return entries.length === 0 ? '' : `    ${group}:\n${entries.join('')}`;
  });
  return printed.every((text) => text === '') ? '  .: {}\n' : `  .:\n${printed.join('')}`;
}

function pinsIn(importer: string): ReadonlyMap<string, Pin> {
  const pins = importer.matchAll(/^ {6}(\S.*):\n {8}specifier: (.*)\n {8}version: (.*)\n/gm);
  return new Map(
    [...pins].map(([lines, name = '', specifier = '', version = '']) => [
      unquoted(name),
      { specifier: unquoted(specifier), version: unquoted(version), lines },
    ]),
  );
}

/** Returns all snapshots that the importers reach, and which of them are not optional. */
function reach(
  importers: Entries,
  find: (key: string) => string | undefined,
): { needed: Entries; firm: ReadonlySet<string> } {
  const needed: Entries = new Map();
  const firm = new Set<string>();
  const queue: { key: string; isFirm: boolean }[] = [];
  for (const importer of importers.values()) {
    for (const [group, lines] of groupsIn(importer)) {
      for (const [name, { version }] of pinsIn(lines))
        queue.push({ key: keyOf(name, version), isFirm: group !== 'optionalDependencies' });
    }
  }
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const { key, isFirm } = next;
    const body = needed.get(key) ?? find(key);
    if (body === undefined || (needed.has(key) && (!isFirm || firm.has(key)))) continue;
    needed.set(key, body);
    if (isFirm) firm.add(key);
    for (const { group, name, version } of edgesOf(body)) {
      queue.push({ key: keyOf(name, version), isFirm: isFirm && group === 'dependencies' });
    }
  }
  return { needed, firm };
}

function groupsIn(body: string): [group: string, lines: string][] {
  return [...body.matchAll(/^ {4}(\w+):\n((?: {5,}.*\n)*)/gm)].map(([, group = '', lines = '']) => [group, lines]);
}

function edgesOf(snapshot: string): { group: string; name: string; version: string }[] {
  return groupsIn(snapshot).flatMap(([group, lines]) =>
    [...lines.matchAll(/^ {6}('[^']*'|[^\s:]+): (.+)\n/gm)].map(([, name = '', version = '']) => ({
      group,
      name: unquoted(name),
      version: unquoted(version),
    })),
  );
}

/** @returns the key of the snapshot for a dependency; an alias contains the name of the other package */
function keyOf(name: string, version: string): string {
  const plain = withoutPeers(version);
  return plain.startsWith('@') || /^[^:(]+@/.test(plain) ? version : `${name}@${version}`;
}

function packageOf(snapshot: string): string {
  return withoutPeers(snapshot);
}

function withoutPeers(key: string): string {
  return key.replace(/\(.*$/, '');
}

/** Returns whether the dependencies of a snapshot have newer versions than in another snapshot, and none has an older version. */
function isRaised(pin: string, mine: string): boolean {
  const own = new Map(edgesOf(mine).map(({ name, version }) => [name, version]));
  return edgesOf(pin).every(({ name, version }) => !isNewer(own.get(name) ?? version, version));
}

function isNewer(version: string, other: string): boolean {
  try {
    return compareVersions(withoutPeers(version), withoutPeers(other)) > 0;
  } catch {
    return false;
  }
}

function withOptional(lines: string, isOptional: boolean): string {
  const bare = lines.replace(/^ {4}optional: true\n/m, '').replace(/: \{\}\n$/, ':\n');
  if (isOptional) return `${bare}    optional: true\n`;
  return bare.includes('\n  ') ? bare : bare.replace(/\n$/, ' {}\n');
}

function unquoted(text: string): string {
  return text.startsWith("'") ? text.slice(1, -1).replaceAll("''", "'") : text;
}
