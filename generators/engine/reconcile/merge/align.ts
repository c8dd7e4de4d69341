import { diff3MergeRegions } from 'node-diff3';
import { longestIncreasing } from './longestIncreasing.ts';
import type { Side, Trio } from '../../model.ts';

/** A range of lines: from (inclusive) and to (exclusive). */
export type Range = readonly [from: number, to: number];

/** A part of three texts: either from one side, or changed by both. */
export type Region =
  | { readonly from: Side; readonly range: Range }
  | { readonly from: 'both'; readonly ranges: Trio<Range> };

type Lines = Trio<readonly string[]>;

/**
 * The maximum number of pairs of equal lines for node-diff3, which takes cubic time for repeated lines.
 * Above it, equal lines are distinguished by how often they have occurred before.
 */
const mostPairs = 20_000;
/** The maximum number of pairs of lines in a part without an anchor. Above it, the whole part counts as changed. */
const mostCells = 25_000_000;
const deepest = 16;

/**
 * Aligns three texts and returns the source of each part. Lines that occur once in each text are anchors (patience diff, Cohen 2003).
 * node-diff3 (Khanna, Kunal, Pierce 2007) aligns the lines between them. The cost is almost linear.
 * @param lines the lines of each side
 * @returns the regions in order; together they cover the merged text
 */
export function align(lines: Lines): Region[] {
  const regions: Region[] = [];
  alignPart(lines, { base: 0, yours: 0, theirs: 0 }, regions, 0, false);
  return regions;
}

/** @param at where the part begins in each text; `numbered` is true when the lines contain their occurrence number */
function alignPart(lines: Lines, at: Trio<number>, regions: Region[], depth: number, numbered: boolean): void {
  const { base, yours, theirs } = lines;
  const shortest = Math.min(base.length, yours.length, theirs.length);
  let head = 0;
  while (head < shortest && base[head] === yours[head] && base[head] === theirs[head]) head += 1;
  let tail = 0;
  while (
    tail < shortest - head &&
    base[base.length - 1 - tail] === yours[yours.length - 1 - tail] &&
    base[base.length - 1 - tail] === theirs[theirs.length - 1 - tail]
  ) {
    tail += 1;
  }
  if (head > 0) regions.push({ from: 'base', range: [at.base, at.base + head] });
  const middle = mapTrio(lines, (side) => side.slice(head, side.length - tail));
  alignMiddle(
    middle,
    mapTrio(at, (start) => start + head),
    regions,
    depth,
    numbered,
  );
  if (tail > 0) regions.push({ from: 'base', range: [at.base + base.length - tail, at.base + base.length] });
}

function alignMiddle(lines: Lines, at: Trio<number>, regions: Region[], depth: number, numbered: boolean): void {
  const { base, yours, theirs } = lines;
  const ranges = mapTrio(lines, (side, name): Range => [at[name], at[name] + side.length]);
  if (sameLines(yours, base)) {
    if (theirs.length > 0) regions.push({ from: 'theirs', range: ranges.theirs });
    return;
  }
  if (sameLines(theirs, base)) {
    if (yours.length > 0) regions.push({ from: 'yours', range: ranges.yours });
    return;
  }
  const anchors = depth < deepest ? findAnchors(lines) : [];
  if (anchors.length > 0) {
    let start: Trio<number> = { base: 0, yours: 0, theirs: 0 };
    for (const anchor of [...anchors, mapTrio(lines, (side) => side.length)]) {
      const part = mapTrio(lines, (side, name) => side.slice(start[name], anchor[name]));
      const partAt = mapTrio(at, (offset, name) => offset + start[name]);
      alignPart(part, partAt, regions, depth + 1, numbered);
      if (anchor.base < base.length) {
        regions.push({ from: 'base', range: [at.base + anchor.base, at.base + anchor.base + 1] });
      }
      start = mapTrio(anchor, (index) => index + 1);
    }
    return;
  }
  if (!numbered && equalPairs(base, yours) + equalPairs(base, theirs) > mostPairs) {
    alignPart(mapTrio(lines, numberOccurrences), at, regions, 0, true);
    return;
  }
  if (base.length * Math.max(yours.length, theirs.length) > mostCells) {
    regions.push({ from: 'both', ranges });
    return;
  }
  const names = { a: 'yours', o: 'base', b: 'theirs' } as const;
  for (const region of diff3MergeRegions([...yours], [...base], [...theirs])) {
    if (region.stable) {
      const from = names[region.buffer];
      const start = at[from] + region.bufferStart;
      regions.push({ from, range: [start, start + region.bufferLength] });
    } else {
      const range = (name: Side, start: number, length: number): Range => [at[name] + start, at[name] + start + length];
      regions.push({
        from: 'both',
        ranges: {
          base: range('base', region.oStart, region.oLength),
          yours: range('yours', region.aStart, region.aLength),
          theirs: range('theirs', region.bStart, region.bLength),
        },
      });
    }
  }
}

/** Returns the lines that occur exactly once in each text and that are in the same order in all three. */
function findAnchors(lines: Lines): Trio<number>[] {
  const { base, yours, theirs } = mapTrio(lines, onlyPlaces);
  const common: Trio<number>[] = [];
  for (const [line, index] of base) {
    const inYours = yours.get(line);
    const inTheirs = theirs.get(line);
    if (index === undefined || inYours === undefined || inTheirs === undefined) continue;
    common.push({ base: index, yours: inYours, theirs: inTheirs });
  }
  return longestIncreasing(
    longestIncreasing(common, (anchor) => anchor.yours),
    (anchor) => anchor.theirs,
  );
}

/** Returns line → its index, or undefined when it occurs more than once. The order is that of the first occurrence. */
function onlyPlaces(lines: readonly string[]): Map<string, number | undefined> {
  const places = new Map<string, number | undefined>();
  for (const [index, line] of lines.entries()) places.set(line, places.has(line) ? undefined : index);
  return places;
}

function equalPairs(some: readonly string[], others: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const line of some) counts.set(line, (counts.get(line) ?? 0) + 1);
  let pairs = 0;
  for (const line of others) pairs += counts.get(line) ?? 0;
  return pairs;
}

function numberOccurrences(lines: readonly string[]): string[] {
  const counts = new Map<string, number>();
  return lines.map((line) => {
    const count = (counts.get(line) ?? 0) + 1;
    counts.set(line, count);
    return `${count} ${line}`;
  });
}

/**
 * @param some lines
 * @param others lines
 * @returns whether both are equal
 */
export function sameLines(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((line, index) => line === others[index]);
}

/**
 * @param trio one value for each side
 * @param change returns the new value of one side
 * @returns the new value of each side
 */
export function mapTrio<From, To>(trio: Trio<From>, change: (value: From, side: Side) => To): Trio<To> {
  return {
    base: change(trio.base, 'base'),
    yours: change(trio.yours, 'yours'),
    theirs: change(trio.theirs, 'theirs'),
  };
}
