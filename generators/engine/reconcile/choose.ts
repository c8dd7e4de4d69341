import { isNewer } from '../manifest.ts';
import type { Lock, LockedFile, Service } from '../model.ts';
import type { LockLines, LockRecord } from './lock.ts';
import { decode } from '../text.ts';
import { hashOfText } from './decide.ts';
import { similarityOf } from './moves.ts';

/** Access to files and bases. */
type Kept = Pick<Service, 'read' | 'base' | 'hash'>;

/**
 * Combines all lines into one lock. When Git merges two branches that both changed a file, the lock has two lines for it. Slipway
 * chooses the line that matches the file on disk best: it names an existing place of the file; its hash equals that of the file; its
 * base exists and is the most similar to the file.
 * @param lines of one or more locks
 * @param service access to files and bases, used only for a path with several lines
 * @returns the lock; the order of the lines has no effect
 */
export function chooseLock(lines: readonly LockLines[], service: Kept): Lock {
  const byPath = new Map<string, Map<string, LockRecord>>();
  for (const record of lines.flatMap(({ records }) => records)) {
    const same = byPath.get(record.path) ?? new Map<string, LockRecord>();
    byPath.set(record.path, same.set(JSON.stringify(record), record));
  }
  const files = [...byPath].map(([path, records]) => [path, best(records, service)] as const);
  const catalogue = lines.map((one) => one.catalogue).reduce((a, b) => (isNewer(b, a) ? b : a), '0.0.0');
  return { catalogue, files: Object.fromEntries(files) };
}

/** @param records distinct records, by their text */
function best(records: ReadonlyMap<string, LockRecord>, service: Kept): LockedFile {
  const [first, ...others] = [...records].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, record]) => record);
  // Each path has at least one record.
  let chosen = first as LockRecord;
  let highest = others.length === 0 ? [] : rank(chosen, service);
  for (const record of others) {
    const its = rank(record, service);
    if (compare(its, highest) > 0) [chosen, highest] = [record, its];
  }
  const { path: _path, ...file } = chosen;
  return others.every(({ hash }) => hash === file.hash) && first?.hash === file.hash
    ? file
    : { ...file, contested: true };
}

/** Returns how well a record matches the file on disk. The first number that differs decides. */
function rank({ path, at, hash, ownership, adopted }: LockRecord, { read, base, hash: hashOf }: Kept): number[] {
  const present = read(at ?? path);
  if (present === undefined) return [0, 0, 0, 0, adopted ? 1 : 0];
  if (hashOfText(present, { hash: hashOf }) === hash) return [1, 1, 0, 0, adopted ? 1 : 0];
  const bytes = ownership === 'merged' ? base(hash) : undefined;
  const [mine, kept] = [present.bytes, bytes].map((content) => (content === undefined ? undefined : decode(content)));
  const alike = mine === undefined || kept === undefined ? 0 : similarityOf(kept, mine);
  return [1, 0, bytes === undefined ? 0 : 1, alike, adopted ? 1 : 0];
}

function compare(some: readonly number[], others: readonly number[]): number {
  const at = some.findIndex((value, index) => value !== others[index]);
  return at === -1 ? 0 : (some[at] ?? 0) - (others[at] ?? 0);
}
