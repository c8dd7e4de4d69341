import { Cursor } from './cursor.ts';
import type { Token } from './tokens.ts';

/** An expression of SQL. Casts and parentheses are left out. */
export type Expression =
  | { readonly kind: 'column'; readonly name: string }
  | { readonly kind: 'text' | 'number'; readonly value: string }
  | { readonly kind: 'word'; readonly value: 'true' | 'false' | 'null' }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  /** A function or an operator: `and`, `>=`, `in`, `char_length`. */
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] };

const deepest = 50;
const levels: readonly (readonly string[])[] = [
  ['or'],
  ['and'],
  ['=', '<>', '!=', '<', '<=', '>', '>=', '~', '~*', '!~', '!~*'],
];

/** The expression is of a kind that is not read. */
class Unread extends Error {}

/**
 * Parses the expressions that checks and defaults mostly have.
 * @param tokens of an expression
 * @returns the expression; undefined when it has something else
 */
export function expressionOf(tokens: readonly Token[]): Expression | undefined {
  try {
    const reader = new Reader(tokens);
    const expression = reader.binary(0, 0);
    return reader.isAtEnd() ? expression : undefined;
  } catch (error) {
    if (error instanceof Unread) return undefined;
    throw error;
  }
}

class Reader extends Cursor {
  /** Reads operators of a level and those that bind closer. */
  binary(level: number, depth: number): Expression {
    if (depth > deepest) throw new Unread();
    const operators = levels[level];
    if (operators === undefined) return this.#operand(depth);
    let left = this.binary(level + 1, depth);
    for (;;) {
      const name = this.take(...operators);
      if (name !== undefined) left = call(name, left, this.binary(level + 1, depth));
      else if (level === 2 && this.take('between') !== undefined) {
        const least = this.#operand(depth);
        this.#expect('and');
        left = call('and', call('>=', left, least), call('<=', left, this.#operand(depth)));
      } else if (level === 2 && this.take('in') !== undefined) left = call('in', left, this.#list('(', ')', depth));
      else if (level === 2 && this.take('is') !== undefined) {
        const not = this.take('not') === undefined ? '' : 'not ';
        this.#expect('null');
        left = call(`is ${not}null`, left);
      } else return left;
    }
  }

  /** Reads one operand with its casts. */
  #operand(depth: number): Expression {
    const operand = this.#primary(depth + 1);
    while (this.take('::') !== undefined) this.#type();
    return operand;
  }

  #primary(depth: number): Expression {
    const token = this.next();
    if (depth > deepest || token === undefined) throw new Unread();
    const { kind, text } = token;
    if (kind === 'string') return { kind: 'text', value: text };
    if (kind === 'number') return { kind, value: text };
    if (kind === 'sign') return this.#signed(text, depth);
    if (kind === 'word' && (text === 'true' || text === 'false' || text === 'null'))
      return { kind: 'word', value: text };
    if (kind === 'word' && text === 'array') return this.#list('[', ']', depth);
    if (kind === 'word' && text === 'cast') {
      this.#expect('(');
      const operand = this.binary(0, depth);
      this.#expect('as');
      this.#type();
      this.#expect(')');
      return operand;
    }
    if (this.isAt('(')) return this.#call(text, depth);
    // The name of a table before that of a column.
    return this.take('.') === undefined ? { kind: 'column', name: text } : this.#primary(depth + 1);
  }

  #signed(sign: string, depth: number): Expression {
    if (sign === '(') {
      const inner = this.binary(0, depth);
      this.#expect(')');
      return inner;
    }
    const operand = sign === '-' ? this.#primary(depth) : undefined;
    if (operand?.kind !== 'number') throw new Unread();
    return { ...operand, value: `-${operand.value}` };
  }

  #call(name: string, depth: number): Expression {
    const { items } = this.#list('(', ')', depth);
    // `= any (array[…])` is `in`.
    return name === 'any' && items[0]?.kind === 'list' ? items[0] : call(name, ...items);
  }

  #list(open: string, close: string, depth: number): Extract<Expression, { kind: 'list' }> {
    this.#expect(open);
    const items: Expression[] = [];
    if (this.take(close) !== undefined) return { kind: 'list', items };
    do items.push(this.binary(0, depth));
    while (this.take(',') !== undefined);
    this.#expect(close);
    return { kind: 'list', items };
  }

  /** Skips the type of a cast. */
  #type(): void {
    this.name();
    while (
      this.words('varying') ||
      this.words('precision') ||
      this.words('with', 'time', 'zone') ||
      this.words('without', 'time', 'zone')
    );
    while (this.group() !== undefined || this.words('with', 'time', 'zone') || this.words('without', 'time', 'zone'));
  }

  #expect(text: string): void {
    if (this.take(text) === undefined) throw new Unread();
  }
}

function call(name: string, ...args: readonly Expression[]): Expression {
  return { kind: 'call', name, args };
}
