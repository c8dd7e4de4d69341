import type { Edit, Node } from 'jsonc-parser';
import { breaks, comments, Container, lineIndent } from './jsonText.ts';
import type { Style } from './jsonTree.ts';

/** Writes an item with the indentation of its line. Writes it on one line when the indentation is undefined. */
export type Write = (indent: string | undefined) => string;

/** Items to insert at one place. */
interface Insertion {
  readonly container: Container;
  /** Index of the item before which to insert. */
  readonly index: number;
  readonly items: readonly Write[];
  readonly style: Style;
}

/**
 * Inserts items into an object or array in the layout of the neighbouring items. It only adds bytes, so `removeItems` can restore the text.
 * @param text JSON
 * @param node an object or array in it
 * @param index of the item before which to insert
 * @param items to insert
 * @param style of the text
 * @returns the edits
 */
export function insertItems(text: string, node: Node, index: number, items: readonly Write[], style: Style): Edit[] {
  const insertion = { container: new Container(text, node), index, items, style };
  if (insertion.container.items.length === 0) return [intoEmpty(insertion)];
  return index < insertion.container.items.length ? [before(insertion)] : atEnd(insertion);
}

function intoEmpty({ container, items, style }: Insertion): Edit {
  const { text, open, close } = container;
  if (!container.isObject || !text.trim().includes('\n')) {
    return insert(open, items.map((write) => write(undefined)).join(', '));
  }
  const outer = lineIndent(text, open);
  const [gap, ...written] = lines(items, outer + style.step, style);
  const content = gap + written.join(`,${gap}`);
  if (comments(text, open, close).length > 0) return insert(endOfComments(container, open, close), content);
  return insert(open, `${content}${style.endOfLine}${outer}`);
}

function before({ container, index, items, style }: Insertion): Edit {
  const { text } = container;
  const [from, to] = [container.gapStart(index), container.start(index)];
  if (breaks(text, from, to)) {
    const [gap, ...written] = lines(items, lineIndent(text, to), style);
    return insert(endOfComments(container, from, to), written.map((item) => `${gap}${item},`).join(''));
  }
  const written = items.map((write) => write(undefined));
  if (index > 0) return insert(from, written.map((item) => `${spaces(text, from, to)}${item},`).join(''));
  const gap = container.items.length > 1 ? spaces(text, container.gapStart(1), container.start(1)) : ' ';
  return insert(to, written.map((item) => `${item},${gap}`).join(''));
}

function atEnd({ container, items, style }: Insertion): Edit[] {
  const { text, close } = container;
  const last = container.items.length - 1;
  const [end, comma] = [container.end(last), container.afterComma(last)];
  const [from, to] = [container.gapStart(last), container.start(last)];
  const isBroken = breaks(text, from, to);
  const multiline = isBroken || breaks(text, end, close);
  const indent = isBroken ? lineIndent(text, to) : lineIndent(text, container.open) + style.step;
  const [gap, ...written] = multiline
    ? lines(items, indent, style)
    : [last > 0 ? spaces(text, from, to) : ' ', ...items.map((write) => write(undefined))];
  const at = multiline ? endOfComments(container, comma ?? end, close) : (comma ?? end);
  if (comma !== undefined) return [insert(at, written.map((item) => `${gap}${item},`).join(''))];
  const content = gap + written.join(`,${gap}`);
  return at === end ? [insert(end, `,${content}`)] : [insert(end, ','), insert(at, content)];
}

/** @returns the gap before each item, then the items */
function lines(items: readonly Write[], indent: string, style: Style): [string, ...string[]] {
  return [`${style.endOfLine}${indent}`, ...items.map((write) => write(indent))];
}

/** Returns the position after the comments at the end of the line. They belong to the text before them. */
function endOfComments({ text }: Container, from: number, to: number): number {
  let end = from;
  for (const comment of comments(text, from, to)) {
    if (breaks(text, end, comment.end)) break;
    end = comment.end;
  }
  return end;
}

/** Returns the gap between two items on one line. */
function spaces(text: string, from: number, to: number): string {
  const gap = text.slice(from, to);
  return gap.trim() === '' && !gap.includes('\n') ? gap : ' ';
}

function insert(offset: number, content: string): Edit {
  return { offset, length: 0, content };
}
