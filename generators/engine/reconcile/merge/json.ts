import { mapTrio } from './align.ts';
import { readBefore, writeBefore } from './before.ts';
import { contractRules } from './contract.ts';
import type { Format } from './format.ts';
import { commentsOf, patchJson } from './jsonPatch.ts';
import { jsonFault, parseJson, printJson } from './jsonTree.ts';
import { markConflicts, placeholder } from './jsonMarkers.ts';
import { mergeKeyed } from './keyed.ts';
import { mergeTree, plainRules, type Rules, type TreeConflict } from './mergeTree.ts';
import { packageJsonRules } from './packageJson.ts';
import { pointer, type Tree } from './tree.ts';
import type { ConflictStyle, Merged, Trio } from '../../model.ts';

/**
 * Merges JSON by key and writes the result into yours. The comments, the layout and the key order of yours stay.
 * Texts that are not JSON objects are merged by lines. A text that is not JSON, or that repeats a key, is a conflict.
 * @param path the file's path: `package.json` and `openapi.json` have their own rules
 * @param texts base (empty for none), yours and theirs
 * @param style how the merged text shows a conflict
 * @returns the merged text, and theirs without the user's own keys as the next base
 */
export function mergeJson(path: string, texts: Trio<string>, style: ConflictStyle): Merged {
  const { text: baseText, before } = readBefore(texts.base);
  const sources = { ...texts, base: baseText };
  const { base, yours, theirs } = mapTrio(sources, (text, side) =>
    parseJson(side === 'base' && text.trim() === '' ? '{}' : text),
  );
  if (base === undefined || yours === undefined || theirs === undefined) {
    const byLine = mergeKeyed(sources, style, linesOfJson);
    return { ...byLine, base: writeBefore(byLine.base, before) };
  }

  const rules = rulesOf(path);
  const trees = { base: base.tree, yours: yours.tree, theirs: theirs.tree };
  const inline = new Set<Tree>([...base.inline, ...yours.inline, ...theirs.inline]);
  const theirComments = commentsOf(texts.theirs);
  const dropped = new Set([...commentsOf(baseText)].filter((comment) => !theirComments.has(comment)));
  const open: TreeConflict[] = [];
  const merged = mergeTree(trees, before, rules, (conflict) => {
    if (style !== 'markers') return style === 'ours' ? conflict.yours : conflict.theirs;
    open.push(conflict);
    return placeholder(open.length - 1);
  });
  const text = patchJson(texts.yours, yours, merged.tree, inline, dropped);
  return {
    text: open.length === 0 ? text : markConflicts(text, open, inline),
    conflicts: merged.conflicts.map((conflict) => ({
      at: pointer(conflict.path),
      base: print(conflict.base),
      yours: print(conflict.yours),
      theirs: print(conflict.theirs),
    })),
    base: writeBefore(patchJson(texts.theirs, theirs, merged.recorded, inline, theirComments), merged.before),
    ...(merged.notes.length > 0 && { notes: merged.notes }),
  };
}

/** JSON whose values are not merged by key. */
const linesOfJson: Format = { read: (text) => jsonFault(text, { comments: true }) ?? [], write: () => undefined };

function rulesOf(path: string): Rules {
  if (/(^|\/)package\.json$/.test(path)) return packageJsonRules;
  return /(^|\/)openapi\.json$/.test(path) ? contractRules : plainRules;
}

const printing = { endOfLine: '\n', step: '  ', inline: new Set<never>() };

function print(tree: Tree | undefined): string {
  return tree === undefined ? '' : printJson(tree, '', printing);
}
