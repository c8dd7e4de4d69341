import satisfies from 'semver/functions/satisfies.js';
import { fieldOf, isObject, isTooDeep, sorted } from '../json.ts';
import type { Adaptation, JsonObject, NpmPackages } from '../model.ts';
import type { LockfileMerge } from './definition.ts';
import { idOf, mergePackages, resolve } from './npmLock.ts';

/** `bun.lock` (https://bun.sh/docs/pm/lockfile). */
interface BunLock {
  /** Everything but the packages. */
  readonly head: JsonObject;
  readonly workspaces: Readonly<Record<string, JsonObject>>;
  /** Key → the unchanged text of the package. */
  readonly texts: ReadonlyMap<string, string>;
}

const groups = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const;

const systems = new Set('aix android darwin freebsd linux openbsd sunos win32'.split(' '));
const processors = new Set('arm arm64 ia32 mips mipsel ppc ppc64 s390 s390x x32 x64'.split(' '));

/** Bun keeps the version of a lockfile that it reads. Bun 1.2 and newer read version 1. */
const noLock: BunLock = { head: { lockfileVersion: 1, configVersion: 1 }, workspaces: {}, texts: new Map() };

/**
 * Merges `bun.lock`. Bun finds packages as npm does, so they come from the packages of npm's lockfile.
 * @param merge both sides, and `package.json` before and after
 * @returns the text as Bun prints it, or the reason why the lockfile stays unchanged
 */
export function mergeBunLock({ before, after, yours, pins, raise }: LockfileMerge<NpmPackages>): Adaptation {
  if (!isObject(after)) return { reason: 'package.json is not JSON' };
  const lock = yours === undefined ? noLock : parse(yours);
  if (lock === undefined) {
    return { reason: 'it is not as Bun 1.2 or newer writes it: yours is kept, and Bun settles the rest' };
  }
  const { head, workspaces, texts } = lock;
  const [own, present] = [new Map<JsonObject, string>(), new Map<string, JsonObject>()];
  for (const [key, text] of texts) {
    const entry = packageOf(key, text, workspaces);
    own.set(entry, text);
    present.set(placeOf(key), entry);
  }
  for (const [folder, { name }] of Object.entries(workspaces)) {
    if (folder !== '') present.set(folder, { link: true, resolved: placeOf(String(name)) });
  }
  const merged = mergePackages(
    { ...Object.fromEntries(present), '': workspaces[''] ?? {} },
    { before, after, pins, raise },
  );
  const root = merged[''] ?? {};
  const service = ['name', ...groups, 'optionalPeers'].flatMap((key): [string, unknown][] => {
    const value = root[key];
    return value === undefined ? [] : [[key, isObject(value) ? sorted(value) : value]];
  });
  const packages = hoisted(merged).map(({ key, place }) => {
    const entry = merged[place] ?? {};
    return [key, own.get(entry) ?? printed(place, entry)] as const;
  });
  return { text: print({ ...head, workspaces: { ...workspaces, '': Object.fromEntries(service) } }, packages) };
}

/** @returns undefined when the text is not a lockfile of a known version, or has something that Bun does not write */
function parse(text: string): BunLock | undefined {
  const { packages: _packages, ...head } = parseLines(text);
  const { lockfileVersion: version, workspaces } = head;
  if (isTooDeep(head) || !isObject(workspaces) || !(Number(version) >= 1 && Number(version) <= 3)) return undefined;
  // Bun prints each package on one line.
  const lines = text.slice(text.indexOf('"packages": {')).matchAll(/^ {4}("(?:[^"\\]|\\.)*"): (\[.*\]),?$/gm);
  const texts = new Map([...lines].map(([, key = '', line = '']) => [String(JSON.parse(key)), line]));
  if (print(head, [...texts]) !== text) return undefined;
  const members = Object.entries(workspaces).filter((member): member is [string, JsonObject] => isObject(member[1]));
  return { head, workspaces: Object.fromEntries(members), texts };
}

/** Bun prints JSON with a comma after each last member. */
function parseLines(text: string): JsonObject {
  try {
    const lock: unknown = JSON.parse(text.replaceAll(/,(\n *[}\]])/g, '$1'));
    return isObject(lock) ? lock : {};
  } catch {
    return {};
  }
}

/** @returns the package as npm's lockfile has it */
function packageOf(key: string, text: string, workspaces: BunLock['workspaces']): JsonObject {
  const [first, ...parts] = JSON.parse(text.replaceAll(/,(?= *[}\]])/g, '')) as unknown[];
  const id = String(first);
  const at = id.indexOf('@', 1);
  const [name, version] = [id.slice(0, at), id.slice(at + 1)];
  const member = version.startsWith('workspace:') ? workspaces[version.slice('workspace:'.length)] : undefined;
  const info = member ?? parts.find(isObject) ?? {};
  const optionalPeers = Array.isArray(info['optionalPeers']) ? info['optionalPeers'] : [];
  return {
    ...(nameIn(key) === name ? {} : { name }),
    ...(member ? {} : { version }),
    ...info,
    // The development dependencies of a workspace are installed, too.
    ...(member && { dependencies: { ...(info['devDependencies'] as object), ...(info['dependencies'] as object) } }),
    peerDependenciesMeta: Object.fromEntries(optionalPeers.map((peer) => [peer, { optional: true }])),
  };
}

/** Prints a package of npm's lockfile as Bun does: identity, registry (empty for the default one), what it needs, integrity. */
function printed(place: string, entry: JsonObject): string {
  const meta = entry['peerDependenciesMeta'];
  const peers = Object.keys(fieldOf(entry, 'peerDependencies') ?? {});
  const optionalPeers = peers.filter((peer) => fieldOf(fieldOf(meta, peer), 'optional') === true);
  const info = {
    ...Object.fromEntries(groups.flatMap((group) => (isObject(entry[group]) ? [[group, sorted(entry[group])]] : []))),
    ...(optionalPeers.length === 0 ? {} : { optionalPeers }),
    ...(entry['os'] === undefined ? {} : { os: platform(entry['os'], systems) }),
    ...(entry['cpu'] === undefined ? {} : { cpu: platform(entry['cpu'], processors) }),
    ...(entry['bin'] === undefined ? {} : { bin: entry['bin'] }),
  };
  return `["${idOf(place, entry)}", "", ${inLine(info)}, "${String(entry['integrity'])}"]`;
}

/** Bun writes `none` for a platform that it does not know. */
function platform(value: unknown, known: ReadonlySet<string>): unknown {
  const names = (Array.isArray(value) ? value : [value]).filter((name) => known.has(String(name).replace('!', '')));
  return names.length > 1 ? names : (names[0] ?? 'none');
}

/** Prints a value on one line, with a space at each place where Bun has one. */
function inLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inLine).join(', ')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}: ${inLine(member)}`);
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}

/** A `node_modules` folder as Bun fills it. */
interface Folder {
  /** The names of the packages that it is in. */
  readonly path: readonly string[];
  readonly parent?: Folder;
  /** Name → the package there, and the dependency that brought it. */
  readonly packages: Map<string, Edge & { readonly isOfRoot: boolean }>;
}

interface Edge {
  readonly name: string;
  readonly group: (typeof groups)[number];
  readonly range: string;
  /** The place of the package that satisfies it. */
  readonly place: string;
  /** Equal for equal packages at different places. */
  readonly id: string;
  readonly version: string;
}

/**
 * Gives each package the place that Bun gives it: breadth first, and each name as near to the root as it is free. npm moves packages
 * when it resolves them, so its places are other ones.
 */
function hoisted(tree: NpmPackages): { key: string; place: string }[] {
  const root: Folder = { path: [], packages: new Map() };
  const found: { key: string; place: string }[] = [];
  const queue: { within: Folder; from: string; name?: string }[] = [{ within: root, from: '' }];
  for (const { within, from, name } of queue) {
    const folder = name === undefined ? root : { path: [...within.path, name], parent: within, packages: new Map() };
    for (const edge of edgesOf(tree, from)) {
      const target = hoist(folder, edge, true);
      if (typeof target === 'string') continue;
      target.packages.set(edge.name, { ...edge, isOfRoot: from === '' });
      found.push({ key: [...target.path, edge.name].join('/'), place: edge.place });
      queue.push({ within: target, from: edge.place, name: edge.name });
    }
  }
  return found;
}

/** The dependencies of a package in the order of Bun: first its groups, then by name. */
function edgesOf(tree: NpmPackages, from: string): Edge[] {
  const members = from === '' ? Object.values(tree).filter(({ link }) => link === true) : [];
  const workspaces = members.map(({ resolved }) => ['dependencies', nameIn(keyOf(String(resolved))), ''] as const);
  const ordered = (['devDependencies', 'optionalDependencies', 'dependencies', 'peerDependencies'] as const).flatMap(
    (group) =>
      Object.entries(sorted(isObject(tree[from]?.[group]) ? tree[from][group] : {})).map(
        ([name, range]) => [group, name, String(range)] as const,
      ),
  );
  return [...workspaces, ...ordered].flatMap(([group, name, range]) => {
    const place = resolve(tree, from, name);
    const entry = place === undefined ? undefined : tree[place];
    if (place === undefined || entry === undefined) return [];
    return [{ group, name, range, place, version: String(entry['version']), id: idOf(place, entry) }];
  });
}

/** Returns the folder for a package, `met` when a package that is found satisfies, or `taken` when another one has the name. */
function hoist(folder: Folder, edge: Edge, isOwn: boolean): Folder | 'met' | 'taken' {
  const present = folder.packages.get(edge.name);
  if (present === undefined) {
    const above = folder.parent && hoist(folder.parent, edge, false);
    return above === undefined || (isOwn && above === 'taken') ? folder : above;
  }
  const isDev = ({ group }: Edge): boolean => group === 'devDependencies';
  const isPeer = edge.group === 'peerDependencies';
  if (present.id === edge.id || (isOwn && isDev(present) !== isDev(edge))) return 'met';
  return isPeer && (present.isOfRoot || satisfies(present.version, edge.range)) ? 'met' : 'taken';
}

function print(head: JsonObject, packages: readonly (readonly [key: string, text: string])[]): string {
  const fields = Object.entries(head).map(([key, value]) => `  "${key}": ${inLines(value)},\n`);
  const order = packages.map(([key, text]) => ({ names: namesIn(key), key, text })).sort(byPlace);
  const lines = order.map(({ key, text }) => `    ${JSON.stringify(key)}: ${text},\n`);
  return `{\n${fields.join('')}  "packages": {${lines.length === 0 ? '' : `\n${lines.join('\n')}  `}}\n}\n`;
}

/** Prints a value with a comma after each last member. */
function inLines(value: unknown): string {
  const text = JSON.stringify(value, null, 2).replaceAll('\n', '\n  ');
  return text.replaceAll(/(?<=[^\s,{[])\n(?= *[}\]])/g, ',\n');
}

/** The order of Bun: by the depth of the folder, then by the folder, then by the name. */
function byPlace(a: { names: readonly string[] }, b: { names: readonly string[] }): number {
  if (a.names.length !== b.names.length) return a.names.length - b.names.length;
  const [folder, other] = [a, b].map(({ names }) => names.slice(0, -1).join('/'));
  if (folder !== other) return (folder ?? '') < (other ?? '') ? -1 : 1;
  return (a.names.at(-1) ?? '') < (b.names.at(-1) ?? '') ? -1 : 1;
}

/** `@scope/a/b` → `@scope/a`, `b`. */
function namesIn(key: string): readonly string[] {
  return key.match(/@[^/]+\/[^/]+|[^/]+/g) ?? [];
}

function nameIn(key: string): string {
  return namesIn(key).at(-1) ?? key;
}

/** `@scope/a/b` → `node_modules/@scope/a/node_modules/b`. */
function placeOf(key: string): string {
  return namesIn(key)
    .map((name) => `node_modules/${name}`)
    .join('/');
}

function keyOf(place: string): string {
  return place.replaceAll(/(^|\/)node_modules\//g, '$1');
}
