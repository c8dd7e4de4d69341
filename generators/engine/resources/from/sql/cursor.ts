import type { Token } from './tokens.ts';

const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']' };

/** Reads tokens in order. */
export class Cursor {
  readonly #tokens: readonly Token[];
  #at = 0;

  /** @param tokens to read */
  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  isAtEnd(): boolean {
    return this.#at >= this.#tokens.length;
  }

  /**
   * @param texts keywords or signs
   * @returns whether the next token is one of them
   */
  isAt(...texts: readonly string[]): boolean {
    const token = this.#tokens[this.#at];
    return token !== undefined && (token.kind === 'sign' || token.kind === 'word') && texts.includes(token.text);
  }

  /** @returns the next token, which is read; undefined at the end */
  next(): Token | undefined {
    const token = this.#tokens[this.#at];
    this.#at += 1;
    return token;
  }

  /**
   * Reads the next token if it is one of these.
   * @param texts keywords or signs
   * @returns its text; undefined when it is another
   */
  take(...texts: readonly string[]): string | undefined {
    return this.isAt(...texts) ? this.next()?.text : undefined;
  }

  /**
   * Reads keywords that follow one another.
   * @param words the keywords
   * @returns whether all of them were there; otherwise nothing is read
   */
  words(...words: readonly string[]): boolean {
    const isThere = words.every((word, index) => {
      const token = this.#tokens[this.#at + index];
      return token?.kind === 'word' && token.text === word;
    });
    if (isThere) this.#at += words.length;
    return isThere;
  }

  /** @returns the next name, which is read, without the name of its schema; undefined when there is none */
  name(): string | undefined {
    let name: string | undefined;
    do {
      const kind = this.#tokens[this.#at]?.kind;
      if (kind !== 'word' && kind !== 'name') return name;
      name = this.next()?.text;
    } while (this.take('.') !== undefined);
    return name;
  }

  /**
   * Reads up to a keyword or a sign that is in no parentheses.
   * @param texts keywords or signs that end it; the end of the tokens does, too
   * @returns the tokens before
   */
  upTo(...texts: readonly string[]): Token[] {
    const start = this.#at;
    while (!this.isAtEnd() && !this.isAt(...texts)) if (this.group() === undefined) this.#at += 1;
    return this.#tokens.slice(start, this.#at);
  }

  /** @returns the tokens within the next parentheses, which are read; undefined when there are none */
  group(): Token[] | undefined {
    const open = this.take('(', '[');
    if (open === undefined) return undefined;
    const start = this.#at;
    for (let depth = 1; !this.isAtEnd();) {
      if (this.isAt(open)) depth += 1;
      if (this.isAt(closing[open] ?? '')) depth -= 1;
      this.#at += 1;
      if (depth === 0) return this.#tokens.slice(start, this.#at - 1);
    }
    return this.#tokens.slice(start);
  }
}

/**
 * @param tokens of a list
 * @returns the tokens of each item: what commas outside of parentheses separate
 */
export function itemsOf(tokens: readonly Token[]): Token[][] {
  const cursor = new Cursor(tokens);
  const items: Token[][] = [];
  while (!cursor.isAtEnd()) {
    items.push(cursor.upTo(','));
    cursor.next();
  }
  return items;
}

/**
 * @param tokens of SQL
 * @returns their text, for a message
 */
export function printed(tokens: readonly Token[]): string {
  const words = tokens.slice(0, 40).map(({ kind, text }) => {
    if (kind === 'string') return `'${text}'`;
    return kind === 'name' ? `"${text}"` : text;
  });
  const text = words
    .join(' ')
    .replaceAll(/ ?([(),.]|::) ?/g, '$1')
    .replaceAll(',', ', ');
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
