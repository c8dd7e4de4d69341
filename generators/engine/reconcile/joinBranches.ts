import { SlipwayError } from '../errors.ts';
import { manifestPath } from '../manifest.ts';
import type {
  Change,
  Conflict,
  ConflictChoice,
  DiskFile,
  FileSet,
  Lock,
  LockedFile,
  Manifest,
  Merged,
  PlanEntry,
  Service,
  Side,
  Trio,
} from '../model.ts';
import { render } from '../render.ts';
import { conflictLines, encode, hasConflictMarkers, sameBytes } from '../text.ts';
import {
  type Branches,
  chosenSide,
  isSame,
  isState,
  labelled,
  listOf,
  mergedByLine,
  type PlainBranches,
  type Sides,
  sidesOf,
  textOf,
} from './branches.ts';
import { refuseDanglingImports } from './dangling.ts';
import { joinManifests } from './joinManifests.ts';
import { isOwn } from './lock.ts';
import { mapTrio } from './merge/align.ts';
import { withLf, withLineEndsOf } from './merge/lineEnds.ts';
import { mergeText } from './merge/text.ts';
import { type ConflictRule, policyOf, ruleFor } from './policy.ts';
import { type Planned, planRequest, prepare, type Prepared, type Request } from './prepare.ts';

/** The plan that joins two branches. */
export interface Joined extends Prepared {
  /** Files without an open conflict that Git left unmerged or that the plan changes. */
  readonly settled: readonly string[];
}

/** The result of the merge of one file. */
interface Outcome {
  readonly file: DiskFile | undefined;
  readonly conflicts: readonly Conflict[];
  /** The whole file is a conflict: the file on disk stays. */
  readonly isOpen?: true;
}

const absent: Outcome = { file: undefined, conflicts: [] };

/**
 * Joins two branches of a service. It joins the manifests by key and brings each side to the joined manifest. Then only what people wrote
 * still differs between the sides, and a three-way merge joins it. The function is pure and writes nothing.
 * @param branches the sides, and the service on disk
 * @param given checks the joined manifest. Its rules are for files that people changed on both sides: `ours` and `theirs` choose a side,
 * `skip` leaves a file as Git left it, `stop` makes a plan that writes nothing. Without a rule, a conflict is written with markers
 * @returns the plan for the service on disk; a file that stays a conflict has an entry with conflicts
 * @throws SlipwayError when the branches do not fit together, or when the user's code still needs what one of them removed
 */
export function joinBranches({ base, ...others }: Branches, given: Request): Joined {
  const branches = { ...others, base: 'yours' in base ? joinedBase(base, given) : base };
  const { present } = branches;
  const sides = sidesOf(branches);
  const manifest = joinManifests(sides, given);
  if ('text' in manifest) {
    const file = fileOf(present, encode(manifest.text), 0o644);
    const files = new Map([[manifestPath, { file, conflicts: manifest.conflicts }]]);
    return planFor({ ...branches, unmerged: new Set() }, sides, files, { catalogue: '', files: {} }, given);
  }
  const { files, service } = joinSides(branches, sides, manifest, given);
  for (const change of prepare(service, requestFor('base', manifest, given)).changes) {
    const file = 'write' in change ? fileOf(present, change.write, change.mode) : undefined;
    files.set(change.path, { ...(files.get(change.path) ?? absent), file });
  }
  const isOpen = (path: string): boolean => files.get(path)?.isOpen === true;
  const settled = { ...service, files: () => service.files().filter((path) => !isOpen(path)) };
  for (const side of [sides.yours, sides.theirs]) refuseLoss(side, settled);
  return planFor(branches, sides, files, service.lock, given);
}

/**
 * The request of the plan that brings one side to the joined manifest. In that plan, "ours" is what people wrote on this side, and "theirs"
 * is the template. Rules of the manifest decide over the markers, and rules of the user over both.
 */
function requestFor(side: Side, manifest: Manifest, given: Request): Request {
  const rules = (given.conflicts ?? []).map(({ paths, choice }): ConflictRule => {
    const winner = winnerOf(choice);
    if (winner === undefined || side === 'base') return { paths, choice: 'markers' };
    return { paths, choice: winner === side ? 'ours' : 'theirs' };
  });
  return {
    ...given,
    edit: () => manifest,
    conflicts: [{ paths: '**', choice: 'markers' }, ...policyOf(manifest), ...rules],
  };
}

/** The side that a choice names. */
function winnerOf(choice: ConflictChoice | undefined): 'yours' | 'theirs' | undefined {
  return choice === 'ours' ? 'yours' : choice === 'theirs' ? choice : undefined;
}

/** Joins the two common ancestors of a criss-cross merge. When that is not possible, the first of them is the base. */
function joinedBase(bases: Trio<Service>, given: Request): Service {
  const branches = { ...bases, present: mergedByLine(bases), unmerged: new Set<string>() };
  const sides = sidesOf(branches, () => 'none');
  try {
    const request = { ...given, conflicts: [] };
    const manifest = joinManifests(sides, request);
    if ('text' in manifest) return bases.yours;
    const { service } = joinSides(branches, sides, manifest, request);
    const plan = planRequest(service, requestFor('base', manifest, request));
    const { read, lock } = afterPlan(service, plan);
    const base: Service['base'] = (hash) => plan.bases.get(hash) ?? service.base(hash);
    return { ...service, manifestText: plan.manifestText, lock, read, base };
  } catch (error) {
    if (error instanceof SlipwayError) return bases.yours;
    throw error;
  }
}

/** Joins the sides to a service that a plan for its manifest completes. */
function joinSides(
  branches: PlainBranches,
  sides: Sides,
  manifest: Manifest,
  request: Request,
): { files: Map<string, Outcome>; service: Service } {
  const { present } = branches;
  const plans = mapTrio(sides, (side, name) => planRequest(side, requestFor(name, manifest, request)));
  const after = mapTrio(plans, (plan, side) => afterPlan(sides[side], plan));
  const rendered = render(manifest, request.catalogue);
  const { files, lock, bases } = mergeSides({ branches, sides, after, rendered, request });
  const service: Service = {
    manifestText: textOf(files.get(manifestPath)?.file ?? present.read(manifestPath)),
    lock,
    read: (path) => (files.has(path) ? files.get(path)?.file : present.read(path)),
    base: (hash) =>
      [bases, ...listOf(plans).map((plan) => plan.bases)].find((known) => known.has(hash))?.get(hash) ??
      sides.yours.base(hash),
    files: () => {
      const written = [...files].flatMap(([path, { file }]) => (file === undefined || isState(path) ? [] : [path]));
      return [...new Set([...present.files().filter((path) => !files.has(path)), ...written])].sort();
    },
    ...(present.sparse && { sparse: present.sparse }),
    outdated: present.outdated,
    hash: present.hash,
  };
  return { files, service };
}

function fileOf({ hash }: Service, bytes: Uint8Array, mode: number): DiskFile {
  return { bytes, mode, hash: hash(bytes) };
}

/** A side after the plan that brings it to the joined manifest. */
interface After {
  readonly read: Service['read'];
  readonly lock: Lock;
  readonly changed: ReadonlySet<string>;
}

function afterPlan(service: Service, { entries, lock, manifestText }: Planned): After {
  const files = new Map<string, DiskFile | undefined>();
  for (const change of entries.flatMap(({ changes }) => changes)) {
    files.set(change.path, 'write' in change ? fileOf(service, change.write, change.mode) : undefined);
  }
  files.set(manifestPath, fileOf(service, encode(manifestText), service.read(manifestPath)?.mode ?? 0o644));
  return {
    lock,
    changed: new Set(files.keys()),
    read: (path) => (files.has(path) ? files.get(path) : service.read(path)),
  };
}

interface Merging {
  readonly branches: PlainBranches;
  readonly sides: Sides;
  readonly after: Trio<After>;
  readonly rendered: FileSet;
  readonly request: Request;
}

interface MergedSides {
  readonly files: Map<string, Outcome>;
  readonly lock: Lock;
  /** Bases that no side recorded. */
  readonly bases: ReadonlyMap<string, Uint8Array>;
}

/** Merges the sides: Slipway's files by their path in the templates, other files by their path. */
function mergeSides(merging: Merging): MergedSides {
  const { branches, sides, after, rendered, request } = merging;
  const files = new Map<string, Outcome>();
  const merged = new Map<string, Outcome>();
  const records: Record<string, LockedFile> = {};
  const bases = new Map<string, Uint8Array>();
  const locked = new Set(listOf(after).flatMap(({ lock }) => Object.keys(lock.files)));
  const isDerived = (path: string): boolean => rendered.get(path)?.derivation !== undefined;
  // A derived file comes after its source.
  for (const path of [...locked].sort((some, other) => Number(isDerived(some)) - Number(isDerived(other)))) {
    const all = mapTrio(after, ({ lock }) => (Object.hasOwn(lock.files, path) ? lock.files[path] : undefined));
    const places = mapTrio(all, (record) => record?.at ?? path);
    const place = places[chosenSide(places, Object.is) ?? 'yours'];
    for (const each of listOf(places)) files.set(each, absent);
    // The plan for the joined service prints the file again.
    if (followsSource(path, places, merging, merged)) continue;
    const outcome = mergePlaces(path, places, merging);
    if (outcome === undefined) files.delete(place);
    else merged.set(place, outcome);
    const record = joinRecords(all, place === path ? undefined : place);
    if (record === undefined) continue;
    const bytes = record.hash === undefined ? rendered.get(path)?.bytes : undefined;
    const hash = record.hash ?? (bytes === undefined ? '' : branches.present.hash(bytes));
    if (bytes !== undefined) bases.set(hash, bytes);
    records[path] = { ...record, hash };
  }
  const tracked = new Set(listOf(sides).flatMap(placesOf));
  const chosen = [...branches.unmerged].filter((path) => !isState(path) && winnerOf(choiceFor(path, request)));
  for (const path of new Set([...listOf(after).flatMap(({ changed }) => [...changed]), ...chosen])) {
    if (files.has(path) || merged.has(path)) continue;
    const outcome = mergePlaces(path, { base: path, yours: path, theirs: path }, merging);
    // One side no longer has the module of the file, and the other side has edited the file.
    const isContested = tracked.has(path) && branches.unmerged.has(path) && outcome?.file !== undefined;
    const winner = winnerOf(choiceFor(path, request));
    if (isContested && winner !== undefined) merged.set(path, { file: sides[winner].read(path), conflicts: [] });
    else if (isContested) merged.set(path, { ...outcome, file: branches.present.read(path), isOpen: true });
    else if (outcome !== undefined) merged.set(path, outcome);
  }
  for (const [path, outcome] of merged) files.set(path, outcome);
  return { files, lock: { catalogue: request.catalogue.version, files: records }, bases };
}

/** @returns the result; undefined when Slipway changes nothing on either side and Git could merge the file */
function mergePlaces(path: string, places: Trio<string>, merging: Merging): Outcome | undefined {
  const { branches, sides, after, rendered, request } = merging;
  const files = mapTrio(after, ({ read }, side) => read(places[side]));
  const isChanged = (['yours', 'theirs'] as const).some(
    (side) => files[side]?.hash !== sides[side].read(places[side])?.hash,
  );
  if (!isChanged && !listOf(places).some((place) => branches.unmerged.has(place))) return undefined;
  const programs = mapTrio(files, (file) => isProgram(file));
  const mode = programs[chosenSide(programs, Object.is) ?? 'yours'] ? 0o755 : 0o644;
  const side = chosenSide(files, isSame);
  if (side !== undefined) return { file: files[side] && { ...files[side], mode }, conflicts: [] };
  const { base = '', yours, theirs } = mapTrio(files, textOf);
  const open = { file: branches.present.read(places.yours), conflicts: [], isOpen: true } as const;
  const choice = choiceFor(places.yours, request);
  const winner = winnerOf(choice);
  if (yours === undefined || theirs === undefined)
    return winner === undefined ? open : { file: files[winner], conflicts: [] };
  // The package manager completes a lockfile.
  const isLockfile = rendered.get(path)?.derivation?.adapt !== undefined;
  const { text, conflicts } = isLockfile
    ? request.merge(path, base, yours, theirs, 'ours')
    : mergePeople(path, { base, yours, theirs }, request);
  if (conflicts.length > 0 && !isLockfile) {
    if (winner !== undefined) {
      const settled = mergePeople(path, { base, yours, theirs }, request, winner === 'yours' ? 'ours' : 'theirs').text;
      return { file: fileOf(branches.present, encode(settled), mode), conflicts: [] };
    }
    if (!isChanged || choice === 'skip') return open;
  }
  const isNested = [yours, theirs].some(hasConflictMarkers);
  return {
    file: fileOf(branches.present, encode(isNested ? text : labelled(text)), mode),
    conflicts: isLockfile ? [] : conflicts,
  };
}

/** Merges what two people wrote. A merge by key keeps the comments of one side only; then lines are merged. */
function mergePeople(
  path: string,
  texts: Trio<string>,
  { merge }: Request,
  choice: 'markers' | 'ours' | 'theirs' = 'markers',
): Pick<Merged, 'text' | 'conflicts'> {
  const merged = merge(path, texts.base, texts.yours, texts.theirs, choice);
  return keepsComments(texts, merged.text) ? merged : mergeText(mapTrio(texts, withLf), choice);
}

function choiceFor(path: string, { conflicts = [] }: Request): ConflictChoice | undefined {
  return ruleFor([path], conflicts)?.choice;
}

function keepsComments({ base, theirs }: Trio<string>, text: string): boolean {
  const known = new Set(withLf(base).split('\n'));
  const lines = withLf(theirs).split('\n');
  const comments = lines.flatMap((line) =>
    known.has(line) ? [] : (/(?:^|\s)((?:#|\/\/|\/\*).*)$/.exec(line)?.[1]?.trimEnd() ?? []),
  );
  return comments.every((comment) => text.includes(comment));
}

function isProgram(file: DiskFile | undefined): boolean {
  return file !== undefined && (file.mode & 0o111) !== 0;
}

/** Whether a derived file says on both sides what its source says, and the joined source has no conflict. */
function followsSource(
  path: string,
  places: Trio<string>,
  { after, rendered }: Merging,
  merged: ReadonlyMap<string, Outcome>,
): boolean {
  const derivation = rendered.get(path)?.derivation;
  if (derivation === undefined || derivation.adapt !== undefined) return false;
  const { from, print } = derivation;
  return (['yours', 'theirs'] as const).every((side) => {
    const { lock, read } = after[side];
    const place = lock.files[from]?.at ?? from;
    const outcome = merged.get(place);
    if (outcome?.isOpen || (outcome?.conflicts.length ?? 0) > 0) return false;
    const [source, text] = [textOf(read(place)), textOf(read(places[side]))];
    return source !== undefined && text !== undefined && print(withLf(source)) === withLf(text);
  });
}

/**
 * Joins the records of one file.
 * @returns undefined when only the base has the file; without a hash when the sides recorded different bases
 */
function joinRecords(
  all: Trio<LockedFile | undefined>,
  at: string | undefined,
): (Omit<LockedFile, 'hash'> & { readonly hash: string | undefined }) | undefined {
  const model = all.yours ?? all.theirs;
  if (model === undefined) return undefined;
  const valueOf = <Key extends keyof LockedFile>(key: Key): LockedFile[Key] | undefined => {
    const side = chosenSide(
      mapTrio(all, (record) => record?.[key]),
      Object.is,
    );
    return side === undefined ? undefined : all[side]?.[key];
  };
  const { module, ownership } = model;
  const hash = valueOf('hash') ?? (ownership === 'merged' ? undefined : model.hash);
  return { module, ownership, hash, ...(at && { at }), ...(valueOf('adopted') && { adopted: true }) };
}

function placesOf({ lock }: Service): string[] {
  return Object.entries(lock.files).map(([path, { at }]) => at ?? path);
}

/** Refuses to lose a file or a package of one side that the joined code imports. */
function refuseLoss(side: Service, joined: Service): void {
  const gone = placesOf(side).filter((path) => side.read(path) !== undefined && joined.read(path) === undefined);
  const packages = joined.read('package.json');
  const changes: Change[] = [
    ...gone.map((path) => ({ path, expect: null, remove: true }) as const),
    ...(packages === undefined ? [] : [{ path: 'package.json', expect: null, write: packages.bytes, mode: 0o644 }]),
  ];
  const entry: PlanEntry = { path: '', action: 'delete', module: '', reason: '', conflicts: [], changes };
  const read: Service['read'] = (path) => (path === 'package.json' ? side : joined).read(path);
  refuseDanglingImports({ ...joined, read }, { entries: [entry], lock: joined.lock, bases: new Map() });
}

/** Returns the plan that brings the service on disk to the joined files. */
function planFor(
  { present, unmerged }: PlainBranches,
  { progress }: Sides,
  files: ReadonlyMap<string, Outcome>,
  lock: Lock,
  request: Request,
): Joined {
  const modules = new Map(Object.entries(lock.files).map(([path, { at, module }]) => [at ?? path, module]));
  const entries: PlanEntry[] = [];
  const [changes, settled]: [Change[], string[]] = [[], []];
  for (const path of [...new Set([...files.keys(), ...unmerged])].sort()) {
    const outcome = files.get(path);
    const onDisk = present.read(path);
    const isUnmerged = unmerged.has(path);
    const row = { path, module: modules.get(path) ?? '', conflicts: outcome?.conflicts ?? [] };
    const left = choiceFor(path, request) === 'stop' ? 'conflict' : undefined;
    if (outcome === undefined && isState(path)) settled.push(path);
    else if (outcome === undefined || outcome.isOpen || progress(path) === 'begun')
      entries.push({ ...row, action: left ?? 'keep', reason: byTwo, conflicts: openPlaces(onDisk), changes: [] });
    else {
      const change = changeOf(path, onDisk, outcome.file);
      const hasMarkers = hasConflictMarkers(textOf(outcome.file) ?? '');
      if (change !== undefined) changes.push(change);
      if (!hasMarkers && (change !== undefined || isUnmerged)) settled.push(path);
      if ((change === undefined && !isUnmerged) || (isOwn(path) && !hasMarkers)) continue;
      const reason = hasMarkers ? byTwo : isUnmerged ? 'settled' : '';
      const own = change === undefined ? [] : [change];
      const conflicts = hasMarkers && change === undefined ? openPlaces(onDisk) : row.conflicts;
      const action = (hasMarkers ? left : undefined) ?? actionOf(change, isUnmerged || hasMarkers);
      entries.push({ ...row, conflicts, action, reason, changes: own });
    }
  }
  return { entries, changes, before: (path) => present.read(path)?.bytes, settled };
}

const byTwo = 'people changed it on both sides';

/** The conflicts that Git has left in a file. */
function openPlaces(file: DiskFile | undefined): Conflict[] {
  const lines = conflictLines(textOf(file) ?? '');
  const places = lines.length === 0 ? ['the whole file'] : lines.map((line) => `line ${line}`);
  return places.map((at) => ({ at, base: '', yours: '', theirs: '' }));
}

function actionOf(change: Change | undefined, isMerged: boolean): PlanEntry['action'] {
  if (change === undefined) return 'keep';
  if ('remove' in change) return 'delete';
  if (change.expect === null) return 'create';
  return isMerged ? 'merge' : 'update';
}

function changeOf(path: string, onDisk: DiskFile | undefined, file: DiskFile | undefined): Change | undefined {
  if (file === undefined) return onDisk && { path, expect: onDisk.hash, remove: true };
  const [text, model] = [textOf(file), textOf(onDisk)];
  const write = text === undefined || model === undefined ? file.bytes : encode(withLineEndsOf(withLf(text), model));
  if (onDisk === undefined) return { path, expect: null, write, mode: file.mode };
  if (sameBytes(write, onDisk.bytes) && isProgram(file) === isProgram(onDisk)) return undefined;
  return { path, expect: onDisk.hash, write, mode: isProgram(file) ? onDisk.mode | 0o111 : onDisk.mode & ~0o111 };
}
