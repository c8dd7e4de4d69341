import { mapTrio } from './align.ts';
import { describeFault, type Fault, type Format } from './format.ts';
import { type MergedTree, mergeTree, plainRules } from './mergeTree.ts';
import { compareScalars } from './scalars.ts';
import { joinTouching, mergeText, wholeConflict } from './text.ts';
import { equal, isMap, pointer, type Tree, type TreeMap } from './tree.ts';
import type { ConflictStyle, Merged, Trio } from '../../model.ts';

const nothing: TreeMap = new Map();

/**
 * Merges a text that has a syntax. It merges by lines, which keeps comments and layout, and reads the result again. It merges by key
 * when lines conflict, or when the merged lines are not valid, repeat a key, or lack a change of one side. When that is not possible
 * either, it is a conflict.
 * @param texts base, yours and theirs
 * @param style how the merged text shows a conflict
 * @param format how this kind of file is read and written
 * @returns the merged text
 */
export function mergeKeyed(texts: Trio<string>, style: ConflictStyle, format: Format): Merged {
  const byLine = mergeText(texts, style);
  const isClean = byLine.conflicts.length === 0;
  const { base, yours, theirs } = mapTrio(texts, format.read);
  // Only yours has changed, or what Slipway writes is not valid either: then the file only has the name of its kind.
  if (texts.base === texts.theirs || 'line' in theirs) return byLine;
  if ('line' in yours) {
    if (format.write === undefined) return byLine;
    const why = `${describeFault(yours)}; correct it first`;
    return isClean ? wholeConflict(texts, style, why) : withReason(byLine, why);
  }

  const values = 'line' in base ? undefined : { base, yours, theirs };
  const merged = isClean ? format.read(byLine.text) : [];
  const found = values && compareScalars(values, 'line' in merged ? [] : merged);
  const isWhole = isClean && !('line' in merged) && (found === undefined || (found.isWhole && !found.repeats));
  const byKey = values && mergeValues(values, style, format);
  const record = { base: (byKey && format.write?.(texts, 'theirs', byKey.recorded)) ?? byLine.base };
  if (isWhole) return { ...byLine, ...record };

  const isSettled = byKey?.conflicts.length === 0;
  const text = byKey && (isSettled || style !== 'markers') ? layOut(texts, byKey.tree, format) : undefined;
  if (isSettled && text !== undefined) return { text, conflicts: [], ...record };
  const isValid = (side: ConflictStyle): boolean => {
    const read = format.read(mergeText(texts, side).text);
    return !('line' in read) && (values === undefined || !compareScalars(values, read).repeats);
  };
  if (!isClean && isValid('ours') && isValid('theirs')) return { ...byLine, ...record };
  const whole = wholeConflict(texts, style, whyNot(byKey, merged));
  return text === undefined ? whole : { ...whole, ...record, text };
}

function withReason(merged: Merged, why: string): Merged {
  return { ...merged, conflicts: merged.conflicts.map((conflict) => ({ ...conflict, why })) };
}

function whyNot(byKey: MergedTree | undefined, merged: readonly Tree[] | Fault): string {
  const places = byKey?.conflicts.map(({ path }) => pointer(path)) ?? [];
  if (places.length > 0) return `both sides changed ${places.join(', ')}`;
  return 'line' in merged
    ? `the merged text would not be valid: ${describeFault(merged)}`
    : 'both sides changed the same place';
}

/** Merges by key. Returns undefined when a side is not one mapping. */
function mergeValues(values: Trio<readonly Tree[]>, style: ConflictStyle, { rules }: Format): MergedTree | undefined {
  const { base, yours, theirs } = mapTrio(values, (trees, side): TreeMap | undefined => {
    const [only] = trees.length === 0 && side === 'base' ? [nothing] : trees;
    return trees.length <= 1 && isMap(only) ? only : undefined;
  });
  if (base === undefined || yours === undefined || theirs === undefined) return undefined;
  const allRules = { ...plainRules, matchItems: true, ...rules };
  return mergeTree({ base, yours, theirs }, nothing, allRules, (conflict) =>
    style === 'theirs' ? conflict.theirs : conflict.yours,
  );
}

/** Returns whether every comment of the user is in the text, including comments at removed keys. */
function keepsComments({ base, yours }: Trio<string>, text: string): boolean {
  const known = new Set(base.split('\n'));
  return yours.split('\n').every((line) => {
    const comment = known.has(line) ? undefined : /(?:^|\s)(#.*)$/.exec(line)?.[1];
    return comment === undefined || text.includes(comment.trimEnd());
  });
}

/** Writes the merged value. Keeps every line when the changes only touch. Otherwise writes by key. Keeps every comment of the user. */
function layOut(texts: Trio<string>, target: TreeMap, format: Format): string | undefined {
  const candidates = [
    () => joinTouching(texts, 'theirs'),
    () => joinTouching(texts, 'yours'),
    () => format.write?.(texts, 'yours', target),
  ];
  for (const candidate of candidates) {
    const text = candidate();
    const read = text === undefined ? [] : format.read(text);
    if (text === undefined || 'line' in read || read.length !== 1 || !equal(read[0], target)) continue;
    if (keepsComments(texts, text)) return text;
  }
  return undefined;
}
