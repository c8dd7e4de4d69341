/** The missing files that were found at another path. */
export interface Moves {
  /** Path where Slipway wrote the file → current path. */
  readonly moved: ReadonlyMap<string, string>;
  /** Path where Slipway wrote the file → similar paths, when no path is a clear match. */
  readonly ambiguous: ReadonlyMap<string, readonly string[]>;
}

/** Files with fewer lines are often similar by chance. Slipway follows them by exact content and name only. */
const fewestLines = 5;
/** The minimum share of lines that two files must have in common (Sørensen–Dice). */
const leastSimilarity = 0.6;
/** How much better the best match must be than all others. */
const margin = 0.1;
/** A line that more files than this contain does not help to tell them apart. */
const mostHolders = 16;
/** The maximum number of candidates to compare in full: those with the most distinctive lines in common. */
const mostCandidates = 8;

interface Pair {
  readonly from: string;
  readonly to: string;
  readonly score: number;
}

/**
 * Finds files that the user has moved, first by exact content, then by equal lines.
 * @param missing path → text of each file that is not where Slipway wrote it, as Slipway wrote it
 * @param untracked path → text of each file that Slipway did not write
 * @returns the certain moves and the uncertain moves; each untracked file is used once
 */
export function findMoved(missing: ReadonlyMap<string, string>, untracked: ReadonlyMap<string, string>): Moves {
  const moved = new Map<string, string>();
  const ambiguous = new Map<string, readonly string[]>();
  const from = [...missing].map(([path, text]) => ({ path, lines: significantLines(text), text: normalized(text) }));
  const to = [...untracked].map(([path, text]) => ({ path, lines: significantLines(text), text: normalized(text) }));
  settle([...samePairs(from, to)], moved, ambiguous);
  const taken = new Set(moved.values());
  settle(
    [
      ...similarPairs(
        from.filter((file) => isLong(file) && !moved.has(file.path) && !ambiguous.has(file.path)),
        to.filter((file) => isLong(file) && !taken.has(file.path)),
      ),
    ],
    moved,
    ambiguous,
  );
  return { moved, ambiguous };
}

interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

function isLong(file: SourceFile): boolean {
  return file.lines.length >= fewestLines;
}

function normalized(text: string): string {
  return text.replaceAll('\r\n', '\n');
}

function significantLines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** Yields pairs with the same content. A pair scores higher when more of the path's end is the same. */
function* samePairs(from: readonly SourceFile[], to: readonly SourceFile[]): Generator<Pair> {
  const byText = groupBy(to, (file) => file.text);
  for (const file of from) {
    if (file.lines.length === 0) continue;
    for (const other of byText.get(file.text) ?? []) {
      const score = sharedEnd(file.path, other.path);
      if (isLong(file) || score > 0) yield { from: file.path, to: other.path, score };
    }
  }
}

/** Counts the parts that two paths have in common, from their end. */
function sharedEnd(some: string, other: string): number {
  const [ends, others] = [some.split('/').toReversed(), other.split('/').toReversed()];
  const differs = ends.findIndex((part, index) => part !== others[index]);
  return differs === -1 ? ends.length : differs;
}

function* similarPairs(from: readonly SourceFile[], to: readonly SourceFile[]): Generator<Pair> {
  const lines = to.flatMap((file) => [...new Set(file.lines)].map((line) => ({ line, file })));
  const holders = groupBy(lines, ({ line }) => line);
  for (const file of from) {
    const shared = new Map<SourceFile, number>();
    for (const line of new Set(file.lines)) {
      const files = holders.get(line) ?? [];
      if (files.length > mostHolders) continue;
      for (const { file: other } of files) shared.set(other, (shared.get(other) ?? 0) + 1);
    }
    const candidates = [...shared]
      .filter(([other]) => extension(other.path) === extension(file.path))
      .toSorted(([, some], [, other]) => other - some)
      .slice(0, mostCandidates);
    for (const [other] of candidates) {
      const score = similarity(file.lines, other.lines);
      if (score >= leastSimilarity) yield { from: file.path, to: other.path, score };
    }
  }
}

function extension(path: string): string {
  return /[^/](\.[^./]+)$/.exec(path)?.[1] ?? '';
}

/**
 * @param some a text
 * @param other another text
 * @returns their similarity by lines, from 0 to 1
 */
export function similarityOf(some: string, other: string): number {
  return similarity(significantLines(some), significantLines(other));
}

/** The Sørensen–Dice coefficient of two lists of lines. Repeated lines count. */
function similarity(some: readonly string[], others: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const line of some) counts.set(line, (counts.get(line) ?? 0) + 1);
  let common = 0;
  for (const line of others) {
    const count = counts.get(line) ?? 0;
    if (count === 0) continue;
    counts.set(line, count - 1);
    common += 1;
  }
  return (2 * common) / (some.length + others.length);
}

/** Takes the best pairs first. A pair is uncertain when another pair scores almost as high. */
function settle(pairs: readonly Pair[], moved: Map<string, string>, ambiguous: Map<string, readonly string[]>): void {
  const byFrom = groupBy(pairs, (pair) => pair.from);
  const byTo = groupBy(pairs, (pair) => pair.to);
  const taken = new Set<string>();
  const ordered = pairs.toSorted((some, other) => other.score - some.score || (some.from < other.from ? -1 : 1));
  for (const pair of ordered) {
    if (moved.has(pair.from) || ambiguous.has(pair.from) || taken.has(pair.to)) continue;
    const isClose = (rival: Pair) =>
      rival !== pair && rival.score > pair.score - margin && !moved.has(rival.from) && !taken.has(rival.to);
    const elsewhere = (byFrom.get(pair.from) ?? []).filter(isClose);
    const rivals = (byTo.get(pair.to) ?? []).filter(isClose);
    if (elsewhere.length === 0 && rivals.length === 0) {
      moved.set(pair.from, pair.to);
      taken.add(pair.to);
    } else {
      ambiguous.set(pair.from, [pair.to, ...elsewhere.map((rival) => rival.to)].toSorted());
    }
  }
}

function groupBy<Item>(items: Iterable<Item>, keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
