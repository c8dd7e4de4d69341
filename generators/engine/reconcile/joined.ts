import type { DiskFile, LockedFile, Plan, PlanEntry } from '../model.ts';
import type { PlanInput } from './plan.ts';
import { decode, encode } from '../text.ts';
import { findMoved, type Moves } from './moves.ts';

/** Several files that the templates joined into one. */
interface Joined {
  /** The path of the joined file. */
  readonly now: string;
  /** The files in the order of their text in the joined file. */
  readonly parts: readonly { readonly path: string; readonly place: string; readonly yours: DiskFile | undefined }[];
  /** The files as one file at the place of the first. */
  readonly yours: DiskFile;
  readonly base: Uint8Array;
  readonly locked: LockedFile;
}

/**
 * Plans for a service in which several files become one. It compares theirs, the base and yours as one text. So an edit in any of the
 * files is merged into the joined file.
 * @param input of the plan; `renamed` maps each of the files to the joined file
 * @param plan makes a plan in which each file has one former path
 * @returns the plan; it removes the former files when it writes the joined file
 */
export function planJoined(input: PlanInput, plan: (input: PlanInput) => Plan): Plan {
  const joins = joinsOf(input);
  if (joins.size === 0) return plan(input);
  const gone = new Set([...joins.values()].flatMap(({ parts }) => parts.slice(1).map(({ path }) => path)));
  const files = Object.entries(input.lock.files).flatMap(([path, file]) =>
    gone.has(path) ? [] : [[path, joins.get(path)?.locked ?? file] as const],
  );
  // The place of the first part has the whole text. The places of the other parts are empty.
  const places = new Map(
    [...joins.values()].flatMap(({ parts, yours }) =>
      parts.map(({ place }, index) => [place, index === 0 ? yours : undefined] as const),
    ),
  );
  const bases = new Map([...joins.values()].map(({ locked, base }) => [locked.hash, base]));
  const planned = plan({
    ...input,
    lock: { ...input.lock, files: Object.fromEntries(files) },
    base: (hash) => bases.get(hash) ?? input.base(hash),
    yours: { ...input.yours, read: (path) => (places.has(path) ? places.get(path) : input.yours.read(path)) },
    renamed: new Map([...input.renamed].filter(([former]) => !gone.has(former))),
    parts: [...joins.values()].flatMap(({ parts }) =>
      parts.map(({ path, place }) => ({ path, place, now: input.renamed.get(path) ?? path })),
    ),
  });
  // When no part was edited, the joined text equals the new template, so the plan keeps the file. The file must still be written.
  const unwritten = [...joins.values()].filter(
    ({ now, parts: [first] }) =>
      first?.place === now &&
      planned.entries.every(
        ({ path, action, changes }) =>
          (path !== now || (action === 'keep' && changes.length === 0)) &&
          changes.every((change) => change.path !== now),
      ),
  );
  const others = planned.entries.filter(({ path }) => unwritten.every(({ now }) => path !== now));
  const entries = [...others, ...unwritten.map(written)].flatMap((entry) => withParts(entry, joins));
  return { ...planned, entries: entries.sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

const nothingMoved: Moves = { moved: new Map(), ambiguous: new Map() };

/** @returns path of the first part → the joined parts */
function joinsOf({ renamed, lock, base, yours, hash, theirs }: PlanInput): ReadonlyMap<string, Joined> {
  const byDestination = new Map<string, string[]>();
  for (const [former, now] of renamed) {
    if (!Object.hasOwn(lock.files, former) || !theirs.has(now) || (former !== now && theirs.has(former))) continue;
    byDestination.set(now, [...(byDestination.get(now) ?? []), former]);
  }
  const groups = [...byDestination.values()].flatMap((formers) => {
    const parts = formers.flatMap((path) => {
      const locked = lock.files[path];
      const text = locked === undefined ? undefined : base(locked.hash);
      return locked === undefined || text === undefined ? [] : [{ path, place: locked.at ?? path, locked, text }];
    });
    // A merge needs the base of every part. Without it, Slipway decides about each file separately.
    return formers.length > 1 && parts.length === formers.length ? [parts] : [];
  });
  const missing = groups.flat().filter(({ place }) => yours.read(place) === undefined);
  const { moved, ambiguous } = missing.length === 0 ? nothingMoved : findMoved(textsOf(missing), yours.untracked());
  const joins = new Map<string, Joined>();
  for (const known of groups) {
    const parts = known.map((part) => {
      const place = moved.get(part.path) ?? part.place;
      return { ...part, place, yours: yours.read(place) };
    });
    const [first] = parts;
    // When the place of a part is uncertain, Slipway decides about each file separately.
    if (first === undefined || parts.some(({ path }) => ambiguous.has(path))) continue;
    const now = renamed.get(first.path) ?? first.path;
    // A file of YAML can contain several documents.
    const isYaml = /\.ya?ml$/.test(now);
    const separator = isYaml ? '---\n' : '';
    const joined = (texts: readonly Uint8Array[]) =>
      concat(texts.flatMap((text, at) => (at === 0 ? [text] : [encode(lineEndOf(texts[at - 1]) + separator), text])));
    const whole = joined(parts.map(({ text }) => text));
    // A deleted document stays deleted. Other deleted parts count as unedited, because the service needs the joined file.
    const areDocuments = isYaml && parts.some((part) => part.yours !== undefined);
    const bytes = joined(parts.flatMap((part) => part.yours?.bytes ?? (areDocuments ? [] : part.text)));
    joins.set(first.path, {
      now,
      parts,
      yours: { bytes, mode: first.yours?.mode ?? 0o644, hash: hash(bytes) },
      base: whole,
      locked: {
        module: first.locked.module,
        ownership: first.locked.ownership,
        hash: hash(whole),
        ...(first.place === first.path ? {} : { at: first.place }),
      },
    });
  }
  return joins;
}

/** @returns the entry that writes a joined file as it is */
function written({ now, yours, locked }: Joined): PlanEntry {
  const changes = [{ path: now, expect: null, write: yours.bytes, mode: yours.mode }];
  return { path: now, action: 'update', module: locked.module, reason: '', conflicts: [], changes };
}

/** @returns the line end that a text lacks before another one */
function lineEndOf(text: Uint8Array = new Uint8Array()): string {
  return text.length === 0 || text.at(-1) === 0x0a ? '' : '\n';
}

/** Applies the changes to the real files. Removes all of them except the file that now contains the text. */
function withParts(entry: PlanEntry, joins: ReadonlyMap<string, Joined>): PlanEntry[] {
  const join = [...joins.values()].find(({ parts }) => entry.changes.some(({ path }) => path === parts[0]?.place));
  if (join === undefined) return [entry];
  const real = new Map(join.parts.map(({ place, yours }) => [place, yours?.hash ?? null]));
  const changes = entry.changes
    .map((change) => (real.has(change.path) ? { ...change, expect: real.get(change.path) ?? null } : change))
    .filter((change) => 'write' in change || change.expect !== null);
  const others = join.parts.filter(
    ({ place, yours }) => yours !== undefined && !changes.some(({ path }) => path === place),
  );
  return [
    { ...entry, changes },
    ...others.map(({ place }): PlanEntry => ({
      path: place,
      action: 'delete',
      module: entry.module,
      reason: `now part of ${entry.path}`,
      conflicts: [],
      changes: [{ path: place, expect: real.get(place) ?? null, remove: true }],
      became: entry.path,
    })),
  ];
}

function textsOf(parts: readonly { readonly path: string; readonly text: Uint8Array }[]): ReadonlyMap<string, string> {
  return new Map(parts.flatMap(({ path, text }) => [[path, decode(text) ?? ''] as const]));
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
