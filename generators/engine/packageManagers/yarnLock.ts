import satisfies from 'semver/functions/satisfies.js';
import validRange from 'semver/ranges/valid.js';
import { fieldOf, isObject } from '../json.ts';
import type { Adaptation, JsonObject } from '../model.ts';
import type { LockfileMerge } from './definition.ts';
import { isNewer } from './npmLock.ts';

/** A package in the lockfile. */
interface YarnPackage {
  /** For example `fastify@npm:5.1.0`. */
  readonly resolution: string;
  readonly version: string;
  /** The descriptors of its dependencies: `pino@npm:^9.0.0`. */
  readonly needs: readonly string[];
  /** The unchanged lines below the key. */
  readonly lines: string;
}

interface YarnLock {
  /** The text before the first package. */
  readonly head: string;
  /** Descriptor → the package that it resolves to. */
  readonly packages: ReadonlyMap<string, YarnPackage>;
}

const groups = ['dependencies', 'devDependencies', 'optionalDependencies'] as const;

/**
 * Merges `yarn.lock` of Yarn 4. Yarn prints one entry after the other, so Slipway moves each entry as text. An entry has the
 * checksum of an archive that Yarn itself creates, so an entry can only come from Yarn.
 * @param merge both sides, and `package.json` after the plan
 * @returns the text as Yarn prints it, or the reason why the lockfile stays unchanged
 */
export function mergeYarnLock({ before, after, yours, pins, raise }: LockfileMerge<string>): Adaptation {
  if (!isObject(after)) return { reason: 'package.json is not JSON' };
  const theirs = parse(pins);
  const present =
    yours === undefined ? theirs && { ...theirs, packages: new Map<string, YarnPackage>() } : parse(yours);
  if (theirs === undefined || present === undefined || metadataOf(theirs) !== metadataOf(present)) {
    return { reason: 'it is not as the Yarn of this catalogue writes it: yours is kept, and Yarn settles the rest' };
  }
  const [former, known] = [present, theirs].map(({ packages }) => [...packages.values()].find(isRoot));
  const root = rootOf({ before, after }, former, known);
  const workspaces = [...present.packages].flatMap(([key, entry]): [string, YarnPackage][] => {
    if (entry === former) return key === former.resolution ? [] : [[key, root]];
    return entry.resolution.includes('@workspace:') ? [[key, entry]] : [];
  });
  const needed = reach([[root.resolution, root], ...workspaces], {
    find: (descriptor) => choose(descriptor, present.packages, theirs.packages, raise),
    resolved: resolvedNames(after['resolutions']),
    own: present.packages,
  });
  return { text: print({ head: present.head, packages: needed }) };
}

/** @returns undefined when the text is not a lockfile of Yarn 2 or newer, or has something that Yarn does not write */
function parse(text: string): YarnLock | undefined {
  const head = /^[^]*?^__metadata:\n(?: {2}.*\n)+/m.exec(text)?.[0];
  if (head === undefined) return undefined;
  // Yarn writes a long key as an explicit key of YAML: `? "key"`, and the colon on the next line.
  const entries = text.slice(head.length).matchAll(/^(?:\? )?"(.*)"\n?:\n((?: {2}.*\n)+)/gm);
  const packages = [...entries].flatMap(([, key = '', lines = '']) => {
    const found = packageOf(lines);
    return key.split(', ').map((descriptor) => [descriptor, found] as const);
  });
  const lock = { head, packages: new Map(packages) };
  return print(lock) === text ? lock : undefined;
}

/** The version of the format, and that of the archives whose checksums it has. */
function metadataOf({ head }: YarnLock): string {
  return head.slice(head.indexOf('__metadata:'));
}

function packageOf(lines: string): YarnPackage {
  const valueOf = (key: string): string => unquoted(new RegExp(`^ {2}${key}: (.*)$`, 'm').exec(lines)?.[1] ?? '');
  const [, dependencies = ''] = /^ {2}dependencies:\n((?: {4}.*\n)+)/m.exec(lines) ?? [];
  const needs = dependencies.matchAll(/^ {4}("[^"]*"|[^\s:]+): (.*)$/gm);
  return {
    resolution: valueOf('resolution'),
    version: valueOf('version'),
    needs: [...needs].map(([, name = '', range = '']) => `${unquoted(name)}@${unquoted(range)}`),
    lines,
  };
}

function isRoot({ resolution }: YarnPackage): boolean {
  return resolution.endsWith('@workspace:.');
}

/** Updates the lockfile's entry for the service itself as `package.json` changes. Adds other missing dependencies that the catalogue has. */
function rootOf(
  { before, after }: { before: unknown; after: JsonObject },
  former: YarnPackage | undefined,
  known: YarnPackage | undefined,
): YarnPackage {
  const resolution = `${String(after['name'])}@workspace:.`;
  const fields = new Map([
    ...fieldsIn(former?.lines ?? '  version: 0.0.0-use.local\n  languageName: unknown\n  linkType: soft\n'),
    ['resolution', `  resolution: ${quoted(resolution)}\n`],
  ]);
  const [ranges, metas] = ['dependencies', 'dependenciesMeta'].map((field) => membersIn(fields.get(field) ?? ''));
  const [was, is] = [before, after].map((pack) =>
    Object.fromEntries(
      groups.flatMap((group) =>
        Object.entries(fieldOf(pack, group) ?? {}).map(([name, range]) => [name, withProtocol(String(range))]),
      ),
    ),
  );
  for (const name of Object.keys({ ...was, ...is })) {
    const range = is?.[name];
    // Detects a dependency that a merge by Git lost because it took one side.
    const isLost = ranges?.has(name) === false && known?.needs.includes(`${name}@${range}`) === true;
    if (range === was?.[name] && !isLost) continue;
    ranges?.delete(name);
    metas?.delete(name);
    if (range === undefined) continue;
    ranges?.set(name, `    ${quoted(name)}: ${quoted(range)}\n`);
    if (fieldOf(fieldOf(after, 'optionalDependencies'), name) !== undefined) {
      metas?.set(name, `    ${quoted(name)}:\n      optional: true\n`);
    }
  }
  for (const [field, members] of [
    ['dependencies', ranges],
    ['dependenciesMeta', metas],
  ] as const) {
    const lines = [...(members ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
    fields.delete(field);
    if (lines.length > 0) fields.set(field, `  ${field}:\n${lines.join('')}`);
  }
  const ordered = [...fields].sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return packageOf(ordered.map(([, text]) => text).join(''));
}

/** Yarn prints these fields first, and then the others by name. */
const firstFields = [
  'version',
  'resolution',
  'dependencies',
  'peerDependencies',
  'dependenciesMeta',
  'peerDependenciesMeta',
];

function rank(field: string): number {
  return firstFields.indexOf(field) + 1 || firstFields.length + 1;
}

/** Field of an entry → its unchanged lines. */
function fieldsIn(lines: string): [string, string][] {
  return [...lines.matchAll(/^ {2}(\w+):.*\n(?: {4}.*\n)*/gm)].map(([text, field = '']) => [field, text]);
}

/** Member of a field → its unchanged lines. */
function membersIn(lines: string): Map<string, string> {
  const members = lines.matchAll(/^ {4}("[^"]*"|[^\s:]+):.*\n(?: {6}.*\n)*/gm);
  return new Map([...members].map(([text, name = '']) => [unquoted(name), text]));
}

/** Yarn's default protocol is for ranges and tags: https://yarnpkg.com/protocol/npm. */
function withProtocol(range: string): string {
  return validRange(range) !== null || /^[\w.-]+$/.test(range) ? `npm:${range}` : range;
}

/** Returns the names whose versions the user's `resolutions` set: https://yarnpkg.com/configuration/manifest#resolutions. */
function resolvedNames(resolutions: unknown): ReadonlySet<string> {
  const name = /(?:^|\/)((?:@[^/]+\/)?[^/@]+)(?:@.*)?$/;
  return new Set(Object.keys(isObject(resolutions) ? resolutions : {}).map((key) => name.exec(key)?.[1] ?? key));
}

/**
 * Chooses the package for a descriptor. Yours stays, unless the catalogue's is newer and wins. For a descriptor that you do not have,
 * a newer package that only you have is chosen before the catalogue's.
 */
function choose(
  descriptor: string,
  own: YarnLock['packages'],
  pins: YarnLock['packages'],
  raise: boolean,
): YarnPackage | undefined {
  const [mine, pin] = [own.get(descriptor), pins.get(descriptor)];
  if (mine !== undefined) return raise && pin !== undefined && isNewer(pin.version, mine.version) ? pin : mine;
  const range = /^(.+)@npm:([^@]+)$/.exec(descriptor);
  if (pin === undefined || range === null) return pin;
  const [, name, asked = ''] = range;
  const newer = [...own.values()].filter(
    ({ resolution, version }) =>
      resolution === `${name}@npm:${version}` && isNewer(version, pin.version) && satisfies(version, asked),
  );
  const isPinned = (id: string): boolean => [...pins.values()].some(({ resolution }) => resolution === id);
  return newer.find(({ resolution }) => !isPinned(resolution)) ?? pin;
}

/** Returns the descriptors that the workspaces reach, and the package of each. */
function reach(
  workspaces: Iterable<readonly [descriptor: string, YarnPackage]>,
  {
    find,
    resolved,
    own,
  }: {
    find: (descriptor: string) => YarnPackage | undefined;
    resolved: ReadonlySet<string>;
    own: YarnLock['packages'];
  },
): YarnLock['packages'] {
  const needed = new Map(workspaces);
  const queue = [...needed.values()].flatMap(({ needs }) => needs);
  queue.push(...[...own.keys()].filter((descriptor) => resolved.has(nameOf(descriptor))));
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (needed.has(next) || (resolved.has(nameOf(next)) && !own.has(next))) continue;
    const found = find(next);
    if (found === undefined) continue;
    needed.set(next, found);
    queue.push(...found.needs, ...patchesOf(next));
  }
  return needed;
}

function nameOf(descriptor: string): string {
  return descriptor.slice(0, descriptor.indexOf('@', 1));
}

/** Yarn patches some packages itself (`builtin<compat/...>`). The patched package and its source both have an entry. */
function patchesOf(descriptor: string): string[] {
  const [, source] = /^.+?@patch:(.+?)#/.exec(descriptor) ?? [];
  if (source !== undefined) return [decoded(source)];
  const [, plain = '', range = ''] = /^(.+)@(npm:[^@]+)$/.exec(descriptor) ?? [];
  return [`${plain}@patch:${plain}@${encodeURIComponent(range)}#optional!builtin<compat/${plain}>`];
}

/** Returns a text that is not encoded correctly unchanged, because it comes from a file. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function print({ head, packages }: YarnLock): string {
  const keys = new Map<string, string[]>();
  const lines = new Map<string, string>();
  for (const [descriptor, found] of packages) {
    keys.set(found.resolution, [...(keys.get(found.resolution) ?? []), descriptor]);
    lines.set(found.resolution, found.lines);
  }
  const entries = [...keys].map(([resolution, descriptors]) => [descriptors.sort().join(', '), resolution] as const);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return [head, ...entries.map(([key, resolution]) => `${printedKey(key)}\n${lines.get(resolution) ?? ''}`)].join('\n');
}

/** The longest key that YAML allows without the indicator of an explicit key. */
const longestKey = 1024;

function printedKey(key: string): string {
  const text = quoted(key);
  return text.length > longestKey ? `? ${text}\n:` : `${text}:`;
}

/** Quotes a text as Yarn does: only where YAML needs it. */
function quoted(text: string): string {
  const plain = /^(?![-?:,\][{}#&*!|>'"%@` \t\r\n]).([ \t]*(?![,\][{}:# \t\r\n]).)*$/;
  return plain.test(text) ? text : JSON.stringify(text);
}

function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll(/\\(.)/g, '$1') : text;
}
