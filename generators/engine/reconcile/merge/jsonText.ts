import type { Node } from 'jsonc-parser';

/** A string, comment or piece of punctuation. */
export interface Token {
  readonly source: string;
  readonly start: number;
  readonly end: number;
}

const token = /"(?:[^"\\]|\\.)*"?|\/\/[^\r\n]*|\/\*[^]*?(?:\*\/|$)|[[\]{},]/g;

/**
 * @param text JSON, with comments or without
 * @param from where to begin, outside strings and comments
 * @param to where to end
 * @returns the strings, comments, brackets and commas there
 */
export function* tokens(text: string, from: number, to: number): Generator<Token> {
  for (const match of text.slice(from, to).matchAll(token)) {
    const start = from + match.index;
    yield { source: match[0], start, end: start + match[0].length };
  }
}

/** @returns the comments between two places; see {@link tokens} */
export function comments(text: string, from: number, to: number): Token[] {
  return [...tokens(text, from, to)].filter(({ source }) => source.startsWith('//') || source.startsWith('/*'));
}

/** @returns whether there is a line end between two places */
export function breaks(text: string, from: number, to: number): boolean {
  return text.slice(from, to).includes('\n');
}

/** @returns the white space that begins the line of a place */
export function lineIndent(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
  return /^[ \t]*/.exec(line)?.[0] ?? '';
}

/** @returns the line end of a text: that of its first line */
export function endOfLine(text: string): string {
  return /\r?\n/.exec(text)?.[0] ?? '\n';
}

/** An object or array in a text: where its items are. */
export class Container {
  readonly text: string;
  readonly items: readonly Node[];
  /** Behind the opening bracket. */
  readonly open: number;
  /** Before the closing bracket. */
  readonly close: number;
  readonly isObject: boolean;

  constructor(text: string, node: Node) {
    this.text = text;
    this.items = node.children ?? [];
    this.open = node.offset + 1;
    this.close = node.offset + node.length - 1;
    this.isObject = node.type === 'object';
  }

  start(index: number): number {
    return this.items[index]?.offset ?? this.close;
  }

  end(index: number): number {
    const item = this.items[index];
    return item === undefined ? this.open : item.offset + item.length;
  }

  /** Behind the comma that follows an item; undefined for a last item without one. */
  afterComma(index: number): number | undefined {
    for (const { source, end } of tokens(this.text, this.end(index), this.start(index + 1))) {
      if (source === ',') return end;
    }
    return undefined;
  }

  /** Where the gap before an item begins: behind the comma before it, or behind the opening bracket. */
  gapStart(index: number): number {
    return index === 0 ? this.open : (this.afterComma(index - 1) ?? this.end(index - 1));
  }
}
