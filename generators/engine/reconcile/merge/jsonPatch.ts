import type { Edit, Node } from 'jsonc-parser';
import { insertItems, type Write } from './jsonInsert.ts';
import { removeItems } from './jsonRemove.ts';
import { comments, endOfLine, lineIndent } from './jsonText.ts';
import { parseJson, printJson, valueOf, type JsonDocument, type Style } from './jsonTree.ts';
import { equal, isMap, isSet, type Tree, type TreeMap } from './tree.ts';

interface Patch {
  readonly text: string;
  readonly style: Style;
  /** Comments that may be removed with the value that they describe. */
  readonly dropped: ReadonlySet<string>;
}

/**
 * Edits a JSON text in place until it contains a value. Comments and layout stay. jsonc-parser finds the places. Its own `modify`
 * formats lines again, so it cannot undo its own insertions.
 * @param text JSON
 * @param document the parsed text
 * @param target the value to write
 * @param inline objects and arrays of the target that are written on one line
 * @param dropped comments that may be removed with their value
 * @returns the edited text
 */
export function patchJson(
  text: string,
  document: JsonDocument,
  target: TreeMap,
  inline: ReadonlySet<Tree>,
  dropped: ReadonlySet<string>,
): string {
  if (equal(document.tree, target)) return text;
  const first = document.root.children?.[0];
  const step = (first === undefined ? '' : lineIndent(text, first.offset)) || '  ';
  const style = { endOfLine: endOfLine(text), step, inline };
  const removals: Edit[] = [];
  shrink({ text, style, dropped }, document.root, document.tree, target, removals);
  const shrunk = applyEdits(text, removals);
  const rest = parseJson(shrunk);
  if (rest === undefined) throw new Error('removing values left text that is not JSON');
  const insertions: Edit[] = [];
  grow({ text: shrunk, style, dropped }, rest.root, rest.tree, target, insertions);
  return applyEdits(shrunk, insertions);
}

/** Applies edits that do not overlap. The library's own function copies the whole text for each edit. */
function applyEdits(text: string, edits: readonly Edit[]): string {
  const parts: string[] = [];
  let end = 0;
  for (const { offset, length, content } of edits.toSorted((a, b) => a.offset - b.offset || a.length - b.length)) {
    parts.push(text.slice(end, offset), content);
    end = offset + length;
  }
  return parts.join('') + text.slice(end);
}

/** Returns whether item-by-item edits can turn one value into the other. At least one item must stay, or the layout would be lost. */
function isAlike(present: Tree, target: Tree): boolean {
  const wantedKeys = new Set(itemsOf(target).map(([key]) => key));
  const had = itemsOf(present);
  if (had.length > 0 && wantedKeys.size > 0 && !had.some(([key]) => wantedKeys.has(key))) return false;
  if (isMap(present) && isMap(target)) return true;
  if (!isSet(present) || !isSet(target)) return false;
  const [wanted, known] = [new Set<Tree>(target), new Set<Tree>(present)];
  return equal(
    present.filter((item) => wanted.has(item)),
    target.filter((item) => known.has(item)),
  );
}

/** Returns the items of an object or array that is edited item by item, in order. The key of an item in a set is the item itself. */
function itemsOf(tree: Tree): [string, Tree][] {
  if (isMap(tree)) return [...tree];
  return isSet(tree) ? tree.map((item) => [item, item]) : [];
}

function shrink(patch: Patch, node: Node, present: Tree, target: Tree, edits: Edit[]): void {
  const { text, style, dropped } = patch;
  const items = itemsOf(present);
  const wanted = new Map(itemsOf(target));
  const isGone = (index: number) => !wanted.has(items[index]?.[0] ?? '');
  for (const edit of removeItems(text, node, isGone, dropped)) edits.push(edit);
  for (const [index, [key, value]] of items.entries()) {
    const child = node.children?.[index];
    const childNode = isMap(present) && child !== undefined ? valueOf(child) : child;
    const wantedValue = wanted.get(key);
    if (childNode === undefined || wantedValue === undefined || equal(value, wantedValue)) continue;
    if (isAlike(value, wantedValue)) shrink(patch, childNode, value, wantedValue, edits);
    else edits.push(replaceValue(text, childNode, wantedValue, style, dropped));
  }
}

function replaceValue(text: string, node: Node, value: Tree, style: Style, dropped: ReadonlySet<string>): Edit {
  const { offset, length } = node;
  const indent = lineIndent(text, offset);
  const kept = comments(text, offset, offset + length)
    .filter(({ source }) => !dropped.has(source))
    .map(({ source }) => `${source}${style.endOfLine}${indent}`);
  const isFlat = (node.children?.length ?? 0) > 0 && !text.slice(offset, offset + length).includes('\n');
  return { offset, length, content: kept.join('') + printJson(value, isFlat ? undefined : indent, style) };
}

function grow(patch: Patch, node: Node, present: Tree, target: Tree, edits: Edit[]): void {
  const { text, style } = patch;
  const items = itemsOf(present);
  const indexes = new Map(items.map(([key], index) => [key, index]));
  const groups = new Map<number, Write[]>();
  let next = 0;
  for (const [key, value] of itemsOf(target)) {
    const index = indexes.get(key);
    if (index === undefined) {
      const name = isMap(target) ? `${JSON.stringify(key)}: ` : '';
      const group = groups.get(next) ?? [];
      groups.set(next, [...group, (indent) => name + printJson(value, indent, style)]);
      continue;
    }
    next = index + 1;
    const child = node.children?.[index];
    const childNode = isMap(present) && child !== undefined ? valueOf(child) : child;
    const childTree = items[index]?.[1];
    if (childNode === undefined || childTree === undefined || equal(childTree, value)) continue;
    grow(patch, childNode, childTree, value, edits);
  }
  for (const [index, writes] of groups) edits.push(...insertItems(text, node, index, writes, style));
}

/** @returns the texts of all comments in a JSON text */
export function commentsOf(text: string): Set<string> {
  return new Set(comments(text, 0, text.length).map(({ source }) => source));
}
