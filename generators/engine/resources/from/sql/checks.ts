import { type Expression, expressionOf } from './expression.ts';
import type { Token } from './tokens.ts';

/** What a check says about one column. */
export interface Rule {
  readonly column: string;
  /** `values`: one of these. `min`, `max`: the value. `minLength`, `maxLength`: the length of a text or a list. */
  readonly kind: 'values' | 'min' | 'max' | 'minLength' | 'maxLength';
  readonly value: string;
  /** Whether the bound itself is not allowed. */
  readonly isStrict?: boolean;
  readonly values?: readonly string[];
}

/** Functions that give the length of a text or of a list. */
const lengths = new Set(['char_length', 'character_length', 'length', 'cardinality', 'array_length']);
const mirrored: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/**
 * @param tokens the expression of a check
 * @returns its rules; undefined when it says something that no field can say
 */
export function rulesOf(tokens: readonly Token[]): Rule[] | undefined {
  const expression = expressionOf(tokens);
  if (expression === undefined) return undefined;
  const rules = parts(expression, 'and').map((part) => ruleOf(withoutNull(part)));
  return rules.includes(undefined) ? undefined : rules.flatMap((rule) => rule ?? []);
}

/** Returns the operands of an operator. A chain of thousands is as deep to the left. */
function parts(expression: Expression, operator: 'and' | 'or'): Expression[] {
  const open = [expression];
  const found: Expression[] = [];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    if (part.kind === 'call' && part.name === operator) open.push(...part.args);
    else found.push(part);
  }
  return found.toReversed();
}

/** A check of `column is null or …` says the same without the first part: null passes every check. */
function withoutNull(expression: Expression): Expression {
  const others = parts(expression, 'or').filter((part) => part.kind !== 'call' || part.name !== 'is null');
  return others.length === 1 && others[0] !== undefined ? others[0] : expression;
}

function ruleOf(expression: Expression): Rule[] | undefined {
  if (expression.kind !== 'call') return undefined;
  const { name, args } = expression;
  const [left, right] = args;
  if (name === 'and') {
    const rules = parts(expression, 'and').map(ruleOf);
    return rules.includes(undefined) ? undefined : rules.flatMap((rule) => rule ?? []);
  }
  if (left === undefined || right === undefined) return undefined;
  if (right.kind === 'list' && (name === 'in' || name === '=')) return valuesOf(left, right.items);
  const operator = mirrored[name];
  if (operator !== undefined && (left.kind === 'number' || left.kind === 'text')) return boundOf(operator, right, left);
  if (name === '<>' || name === '!=') {
    const isEmptyText = right.kind === 'text' && right.value === '' && left.kind === 'column';
    return isEmptyText ? [{ column: left.name, kind: 'minLength', value: '1' }] : undefined;
  }
  return operator === undefined ? undefined : boundOf(name, left, right);
}

function valuesOf(left: Expression, items: readonly Expression[]): Rule[] | undefined {
  const values = items.flatMap((item) => (item.kind === 'text' ? item.value : []));
  const isEnum = left.kind === 'column' && values.length === items.length && values.length > 0;
  return isEnum ? [{ column: left.name, kind: 'values', value: '', values }] : undefined;
}

/** A bound of a column, or of its length. */
function boundOf(operator: string, left: Expression, right: Expression): Rule[] | undefined {
  if (right.kind !== 'number' && right.kind !== 'text') return undefined;
  const column = left.kind === 'call' && lengths.has(left.name) ? left.args[0] : left;
  if (column?.kind !== 'column') return undefined;
  const side = operator.startsWith('>') ? 'min' : 'max';
  const kind = column === left ? side : (`${side}Length` as const);
  return [{ column: column.name, kind, value: right.value, isStrict: !operator.endsWith('=') }];
}
