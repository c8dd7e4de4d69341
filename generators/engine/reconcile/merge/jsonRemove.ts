import type { Edit, Node } from 'jsonc-parser';
import { breaks, comments, Container, endOfLine, lineIndent, type Token } from './jsonText.ts';

/**
 * The exact reverse of `insertItems`: removing inserted items restores the same bytes. Comments stay.
 * @param text JSON
 * @param node an object or array in it
 * @param isGone whether to remove the item at an index
 * @param dropped comments that may be removed
 * @returns the edits that remove these items
 */
export function removeItems(
  text: string,
  node: Node,
  isGone: (index: number) => boolean,
  dropped: ReadonlySet<string>,
): Edit[] {
  const container = new Container(text, node);
  const edits: Edit[] = [];
  for (let first = 0; first < container.items.length; first += 1) {
    if (!isGone(first)) continue;
    let last = first;
    while (last + 1 < container.items.length && isGone(last + 1)) last += 1;
    edits.push(...removeRun(container, first, last, dropped));
    first = last;
  }
  return edits;
}

function removeRun(container: Container, first: number, last: number, dropped: ReadonlySet<string>): Edit[] {
  const { text, items, open, close } = container;
  const gapStart = container.gapStart(first);
  const end = container.afterComma(last) ?? container.end(last);
  const keep = ({ source }: Token) => !dropped.has(source);
  const leading = comments(text, gapStart, container.start(first)).findLast(keep);
  const inside = comments(text, container.start(first), end).filter(keep);
  const from = leading?.end ?? gapStart;
  const rest = keepComments(text, container.start(first), leading, inside, end);
  const isLast = last === items.length - 1;

  if (first === 0 && isLast) {
    const commented = leading !== undefined || inside.length > 0 || comments(text, end, close).length > 0;
    return [commented ? replace(from, end, rest) : replace(open, close, emptied(container, end))];
  }
  if (first === 0 && !isLast && inside.length === 0 && isInline(container, last)) {
    return [replace(container.start(0), container.start(last + 1), '')];
  }
  const edit = replace(from, end, rest);
  if (!isLast || container.afterComma(last) !== undefined) return [edit];
  return [replace(gapStart - 1, gapStart, ''), edit];
}

/** Returns the text between the brackets after the removal of all items, when there is no comment. */
function emptied({ text, open, close, items }: Container, end: number): string {
  const first = items[0]?.offset ?? open;
  const after = text.slice(end, close);
  if (first === open) return after;
  const closing = `${endOfLine(text)}${lineIndent(text, open)}`;
  return breaks(text, open, first) && after.startsWith(closing) ? after.slice(closing.length) : '';
}

function isInline(container: Container, last: number): boolean {
  const { text, open } = container;
  const [from, to] = [container.gapStart(last + 1), container.start(last + 1)];
  return !breaks(text, open, container.start(0)) && !breaks(text, from, to) && comments(text, from, to).length === 0;
}

/** Returns the comments that replace the removed items. A line comment gets a line end, so it does not comment out the text after it. */
function keepComments(text: string, at: number, leading: Token | undefined, inside: Token[], end: number): string {
  const newLine = `${endOfLine(text)}${lineIndent(text, at)}`;
  const kept = inside.map(({ source }) => `${newLine}${source}`).join('');
  const last = inside.at(-1) ?? leading;
  const swallows = last?.source.startsWith('//') === true && !/^[ \t]*\r?\n/.test(text.slice(end));
  return swallows ? `${kept}${newLine}` : kept;
}

function replace(from: number, to: number, content: string): Edit {
  return { offset: from, length: to - from, content };
}
