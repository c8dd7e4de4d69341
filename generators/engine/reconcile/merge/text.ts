import { align, mapTrio, sameLines, type Range } from './align.ts';
import type { Conflict, ConflictStyle, Merged, Trio } from './types.ts';

/** A text as lines; an ending newline is kept apart, so that no line is ever glued to another. */
interface Text {
  readonly lines: readonly string[];
  readonly ended: boolean;
}

/**
 * Merges three texts by lines (diff3). Where both sides insert the same lines they are the user's own, and so stay out
 * of the recorded base (unless there was no base at all); where both change lines to the same, they agree.
 * @param texts base, yours and theirs
 * @param style how a conflicting place is shown
 * @returns the merged text; the law holds that every line of yours that is not in base is in it or in a conflict
 */
export function mergeText(texts: Trio<string>, style: ConflictStyle): Merged {
  const sides = mapTrio(texts, read);
  const first = mergeLines(sides, (place) => show(place, style));
  const ended = sides.yours.ended === sides.base.ended ? sides.theirs.ended : sides.yours.ended;
  const text = write({ lines: first.lines, ended });
  const base = write({ lines: first.base, ended: sides.theirs.ended });
  // Repeated lines may align otherwise the next time: then what the user had written first is not told apart.
  const steady = texts.base !== '' && againstBase(base, text, texts.theirs) === text;
  return { text, conflicts: first.conflicts, base: steady ? base : texts.theirs };
}

/**
 * Merges three texts by lines where, at each conflicting place, the user only inserted lines beside what theirs changes.
 * @param texts base, yours and theirs
 * @param beside on which side of what theirs changes the user's lines stand
 * @returns the merged text; undefined when the sides conflict in any other way
 */
export function joinInsertions(texts: Trio<string>, beside: 'before' | 'after'): string | undefined {
  const sides = mapTrio(texts, read);
  let isJoined = true;
  const { lines } = mergeLines(sides, ({ base, yours, theirs }) => {
    const cut = beside === 'after' ? base.length : yours.length - base.length;
    const [head, tail] = [yours.slice(0, cut), yours.slice(cut)];
    isJoined &&= sameLines(beside === 'after' ? head : tail, base);
    return beside === 'after' ? [...theirs, ...tail] : [...head, ...theirs];
  });
  return isJoined ? write({ lines, ended: sides.yours.ended }) : undefined;
}

function againstBase(base: string, yours: string, theirs: string): string | undefined {
  if (base === theirs) return yours;
  const sides = mapTrio({ base, yours, theirs }, read);
  const { lines, conflicts } = mergeLines(sides, (place) => place.yours);
  return conflicts.length === 0 ? write({ lines, ended: sides.yours.ended }) : undefined;
}

type Place = Trio<readonly string[]>;

function mergeLines(sides: Trio<Text>, settle: (place: Place) => readonly string[]) {
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

function read(text: string): Text {
  const ended = text === '' || text.endsWith('\n');
  return { lines: text === '' ? [] : (ended ? text.slice(0, -1) : text).split('\n'), ended };
}

function write({ lines, ended }: Text): string {
  return lines.length === 0 ? '' : `${lines.join('\n')}${ended ? '\n' : ''}`;
}

/** Not `push(...more)`: a long list of arguments overflows the stack. */
function append(list: string[], more: readonly string[]): void {
  for (const item of more) list.push(item);
}
