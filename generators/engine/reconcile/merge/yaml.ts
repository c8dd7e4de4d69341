import { mapTrio } from './align.ts';
import { graft } from './graft.ts';
import { mergeTree, plainRules } from './mergeTree.ts';
import { joinTouching, mergeText } from './text.ts';
import { equal, isList, isMap, nameOf, type Tree, type TreeMap } from './tree.ts';
import type { ConflictStyle, Merged, Trio } from '../../model.ts';
import { patchYaml } from './yamlPatch.ts';
import { parseYaml, type YamlDocument } from './yamlTree.ts';

const rules = { ...plainRules, matchItems: true };
const sides: readonly ConflictStyle[] = ['ours', 'theirs'];
const nothing: TreeMap = new Map();

/**
 * Merges YAML by lines, which keeps comments and layout. It merges by key only when lines conflict, or when the merged lines are not
 * YAML or repeat a name.
 * @param texts base, yours and theirs
 * @param style how the merged text shows a conflict
 * @returns the merged text
 */
export function mergeYaml(texts: Trio<string>, style: ConflictStyle): Merged {
  const byLine = mergeText(texts, style);
  const isClean = byLine.conflicts.length === 0;
  const { base, yours, theirs } = mapTrio(texts, (text, side) =>
    parseYaml(side === 'base' && text.trim() === '' ? '{}' : text),
  );
  if (base === undefined || yours === undefined || theirs === undefined) return byLine;
  const trees = { base: base.tree, yours: yours.tree, theirs: theirs.tree };
  const byKey = mergeTree(trees, nothing, rules, (conflict) => conflict.yours);
  const recorded = rewrite(texts.theirs, byKey.recorded, theirs) ?? texts.theirs;

  const mayRepeat = repeats(yours.tree) || repeats(theirs.tree);
  const makesSense = (text: string) => {
    const tree = parseYaml(text)?.tree;
    return tree !== undefined && (mayRepeat || !repeats(tree));
  };
  if (isClean && makesSense(byLine.text)) return { ...byLine, base: recorded };
  const text = byKey.conflicts.length === 0 ? layOut(texts, byKey.tree, theirs) : undefined;
  if (text !== undefined && keepsComments(texts, text)) return { text, conflicts: [], base: recorded };
  // The lines merge without a conflict, but the result is not valid. The whole file is then the conflict.
  const isWhole = isClean || !sides.every((side) => makesSense(mergeText(texts, side).text));
  return { ...(isWhole ? mergeText({ ...texts, base: '' }, style) : byLine), base: recorded };
}

/** Returns whether a list contains a name twice. */
function repeats(tree: Tree): boolean {
  if (typeof tree === 'string') return false;
  if ((isMap(tree) ? [...tree.values()] : tree).some(repeats)) return true;
  const names = isList(tree) ? tree.flatMap((item) => nameOf(item) ?? []) : [];
  return new Set(names).size < names.length;
}

/** Returns whether every comment of the user is in the text, including comments at removed keys. */
function keepsComments({ base, yours }: Trio<string>, text: string): boolean {
  const known = new Set(base.split('\n'));
  const kept = new Set([undefined, ...text.split('\n').map(commentOf)]);
  return yours.split('\n').every((line) => known.has(line) || kept.has(commentOf(line)));
}

function commentOf(line: string): string | undefined {
  return /(?:^|\s)(#.*)$/.exec(line)?.[1]?.trimEnd();
}

/** Writes the merged value. Keeps every line when the changes only touch. Otherwise writes by key. */
function layOut(texts: Trio<string>, target: TreeMap, theirs: YamlDocument): string | undefined {
  const joined = [joinTouching(texts, 'theirs'), joinTouching(texts, 'yours')];
  const asItWas = joined.find((text) => text !== undefined && equal(parseYaml(text)?.tree, target));
  return asItWas ?? rewrite(texts.yours, target, theirs);
}

/** Writes a value into a YAML text. Returns undefined when that is not possible. */
function rewrite(text: string, target: TreeMap, theirs: YamlDocument): string | undefined {
  const parsed = parseYaml(text);
  if (parsed === undefined) return undefined;
  if (equal(parsed.tree, target)) return text;
  const options = { lineWidth: 0, indent: indentOf(text), indentSeq: !/^( *)[^\s#-].*:[ \t]*\n\1- /m.test(text) };
  const laidOut = parsed.document.toString(options);
  if (!patchYaml(parsed.document.contents, target, theirs.document.contents)) return undefined;
  const patched = parsed.document.toString(options);
  // The library formats the whole document again. Only the lines that the edits changed are copied into the original text.
  const inPlace = graft({ base: laidOut, yours: text, theirs: patched });
  return [inPlace, patched].find((candidate) => equal(parseYaml(candidate)?.tree, target));
}

function indentOf(text: string): number {
  const step = /^[^\s#-].*:[ \t]*(?:#.*)?\n( +)[^\s#]/m.exec(text)?.[1]?.length ?? 2;
  return step > 8 ? 2 : step;
}
