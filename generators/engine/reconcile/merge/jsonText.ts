import type { Node } from 'jsonc-parser';

/** A string, a comment or a punctuation character. */
export interface Token {
  readonly source: string;
  readonly start: number;
  readonly end: number;
}

/** The beginning of a string, or another token. A pattern for long strings would need too much memory. */
const token = /"|\/\/[^\r\n]*|\/\*[^]*?(?:\*\/|$)|[[\]{},]/g;

/**
 * @param text JSON, with or without comments
 * @param from start position, outside strings and comments
 * @param to end position
 * @returns the strings, comments, brackets and commas between the positions
 */
export function* tokens(text: string, from: number, to: number): Generator<Token> {
  const part = text.slice(from, to);
  const pattern = new RegExp(token);
  for (let match = pattern.exec(part); match !== null; match = pattern.exec(part)) {
    if (match[0] === '"') pattern.lastIndex = stringEnd(part, match.index);
    const source = part.slice(match.index, pattern.lastIndex);
    yield { source, start: from + match.index, end: from + pattern.lastIndex };
  }
}

function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '"') return at + 1;
    if (character === '\\') at += 1;
  }
  return text.length;
}

/** @returns the comments between two positions; see {@link tokens} */
export function comments(text: string, from: number, to: number): Token[] {
  return [...tokens(text, from, to)].filter(({ source }) => source.startsWith('//') || source.startsWith('/*'));
}

/** @returns whether there is a line end between two positions */
export function breaks(text: string, from: number, to: number): boolean {
  return text.slice(from, to).includes('\n');
}

/** @returns the white space at the start of the line of a position */
export function lineIndent(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
  return /^[ \t]*/.exec(line)?.[0] ?? '';
}

/** @returns the line end of the text's first line */
export function endOfLine(text: string): string {
  return /\r?\n/.exec(text)?.[0] ?? '\n';
}

/** An object or array in a text, with the positions of its items. */
export class Container {
  readonly text: string;
  readonly items: readonly Node[];
  /** Position after the opening bracket. */
  readonly open: number;
  /** Position before the closing bracket. */
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

  /** Returns the position after the comma that follows an item. Returns undefined for a last item without a comma. */
  afterComma(index: number): number | undefined {
    for (const { source, end } of tokens(this.text, this.end(index), this.start(index + 1))) {
      if (source === ',') return end;
    }
    return undefined;
  }

  /** Returns the start of the gap before an item: after the comma before it, or after the opening bracket. */
  gapStart(index: number): number {
    return index === 0 ? this.open : (this.afterComma(index - 1) ?? this.end(index - 1));
  }
}
