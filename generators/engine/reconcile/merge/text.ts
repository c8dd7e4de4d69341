import { align, mapTrio, sameLines, type Range } from './align.ts';
import { append, readLines, writeLines, type Lines } from './lines.ts';
import type { Conflict, ConflictStyle, Merged, Trio } from '../../model.ts';

/**
 * Merges three texts by lines (diff3). When both sides insert the same lines, the lines are the user's. They stay out of the recorded
 * base, unless there was no base. When both sides change lines to the same text, there is no conflict.
 * @param texts base, yours and theirs
 * @param style how the merged text shows a conflict
 * @returns the merged text; every line of yours that is not in base is in the text or in a conflict
 */
export function mergeText(texts: Trio<string>, style: ConflictStyle): Merged {
  const sides = mapTrio(texts, readLines);
  const first = mergeLines(sides, (place) => show(place, style));
  const ended = sides.yours.ended === sides.base.ended ? sides.theirs.ended : sides.yours.ended;
  const text = writeLines({ lines: first.lines, ended });
  const base = writeLines({ lines: first.base, ended: sides.theirs.ended });
  // Repeated lines may align in another way next time. Then the merge cannot recognize lines that the user wrote first.
  const steady = texts.base !== '' && againstBase(base, text, texts.theirs) === text;
  return { text, conflicts: first.conflicts, base: steady ? base : texts.theirs };
}

/**
 * Makes one conflict of everything between the first and the last line that differs.
 * @param texts base, yours and theirs
 * @param style how the text shows the conflict
 * @param why the reason, for the user
 * @returns the text with the conflict
 */
export function wholeConflict(texts: Trio<string>, style: ConflictStyle, why: string): Merged {
  const sides = mapTrio(texts, readLines);
  const { base, yours, theirs } = mapTrio(sides, ({ lines }) => lines);
  const head = Math.min(commonPrefix(yours, base), commonPrefix(yours, theirs));
  const rests = mapTrio(sides, ({ lines }) => lines.slice(head).toReversed());
  const tail = Math.min(commonPrefix(rests.yours, rests.base), commonPrefix(rests.yours, rests.theirs));
  const place = mapTrio(sides, ({ lines }) => lines.slice(head, lines.length - tail));
  const lines = [...yours.slice(0, head), ...show(place, style), ...yours.slice(yours.length - tail)];
  return {
    text: writeLines({ lines, ended: sides[style === 'theirs' ? 'theirs' : 'yours'].ended }),
    conflicts: [{ at: `line ${head + 1}`, why, ...mapTrio(place, (side) => side.join('\n')) }],
    base: texts.theirs,
  };
}

/**
 * Merges three texts by lines. At each conflict, the changed lines of the sides may touch but not overlap: for example, two insertions
 * at one place.
 * @param texts base, yours and theirs
 * @param first the side whose change comes first
 * @returns the merged text; undefined when the changes overlap or are in the other order
 */
export function joinTouching(texts: Trio<string>, first: 'yours' | 'theirs'): string | undefined {
  const sides = mapTrio(texts, readLines);
  let isJoined = true;
  const { lines } = mergeLines(sides, ({ base, yours, theirs }) => {
    const [upper, lower] = first === 'yours' ? [yours, theirs] : [theirs, yours];
    const kept = base.length - commonPrefix(base.toReversed(), upper.toReversed());
    const same = commonPrefix(base, lower);
    isJoined &&= kept <= same;
    return [...upper.slice(0, upper.length - base.length + kept), ...base.slice(kept, same), ...lower.slice(same)];
  });
  return isJoined ? writeLines({ lines, ended: sides.yours.ended }) : undefined;
}

function commonPrefix(a: readonly string[], b: readonly string[]): number {
  const differs = a.findIndex((line, index) => line !== b[index]);
  return differs === -1 ? a.length : differs;
}

function againstBase(base: string, yours: string, theirs: string): string | undefined {
  if (base === theirs) return yours;
  const sides = mapTrio({ base, yours, theirs }, readLines);
  const { lines, conflicts } = mergeLines(sides, (place) => place.yours);
  return conflicts.length === 0 ? writeLines({ lines, ended: sides.yours.ended }) : undefined;
}

type Place = Trio<readonly string[]>;

function mergeLines(sides: Trio<Lines>, settle: (place: Place) => readonly string[]) {
  const lines: string[] = [];
  const conflicts: Conflict[] = [];
  const base: string[] = [];
  let baseReaches = 0;
  const slice = (side: keyof typeof sides, [from, to]: Range) => sides[side].lines.slice(from, to);
  for (const region of align(mapTrio(sides, (side) => side.lines))) {
    if (region.from !== 'both') {
      append(lines, slice(region.from, region.range));
      continue;
    }
    const place = mapTrio(region.ranges, (range, side) => slice(side, range));
    if (sameLines(place.yours, place.theirs)) {
      append(lines, place.yours);
      if (place.base.length > 0) continue;
      const [from, to] = region.ranges.theirs;
      append(base, slice('theirs', [baseReaches, from]));
      baseReaches = to;
      continue;
    }
    conflicts.push({ at: `line ${region.ranges.yours[0] + 1}`, ...mapTrio(place, (side) => side.join('\n')) });
    append(lines, settle(place));
  }
  append(base, slice('theirs', [baseReaches, sides.theirs.lines.length]));
  return { lines, conflicts, base };
}

function show(place: Place, style: ConflictStyle): readonly string[] {
  if (style === 'ours') return place.yours;
  if (style === 'theirs') return place.theirs;
  return [
    '<<<<<<< yours',
    ...place.yours,
    '||||||| base',
    ...place.base,
    '=======',
    ...place.theirs,
    '>>>>>>> slipway',
  ];
}
