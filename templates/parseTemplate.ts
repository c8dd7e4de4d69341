import Handlebars from 'handlebars';
import {
  type Break,
  breaks,
  type Expression,
  type Helper,
  helpers,
  type Template,
  type TemplatePart,
} from '../generators/engine/model.ts';

/**
 * Parses a Handlebars template into data, so that rendering runs no code and loads no parser. It supports variables,
 * `#if` and `#unless` with `else`, `#each` with `else`, `@first`, `@last`, `@index` and `as |name|`, `#fit` with `soft`, `line`, `comma`,
 * `dedent`, `close`, `fill` and `hug`, the helpers of `helpers` in model.ts, and `{{"{"}}` for a brace beside a brace. Handlebars' own parser handles syntax and white space.
 * @param text a Handlebars template
 * @param file path of the template, for errors
 * @returns the template in the format of the catalogue
 * @throws Error for bad syntax and for unsupported syntax, with file and line
 */
export function parseTemplate(text: string, file: string): Template {
  return partsOf(Handlebars.parse(text, { srcName: file }), { file, isInFit: false });
}

/** Where a part of a template is. */
interface Where {
  readonly file: string;
  /** Whether a `#fit` is around it. */
  readonly isInFit: boolean;
}

function partsOf(program: hbs.AST.Program | undefined, where: Where): Template {
  return (program?.body ?? []).flatMap((statement) => partOf(statement, where));
}

function partOf(statement: hbs.AST.Statement, where: Where): TemplatePart[] {
  if (isContent(statement)) return statement.value === '' ? [] : [statement.value];
  if (isComment(statement)) return [];
  if (isMustache(statement)) {
    const found = where.isInFit ? breakOf(statement) : undefined;
    return [found === undefined ? { value: callOf(statement, where) } : { break: found }];
  }
  if (isBlock(statement)) return [blockOf(statement, where)];
  throw unknown(statement.type, statement, where);
}

function blockOf(block: hbs.AST.BlockStatement, where: Where): TemplatePart {
  const { original } = pathOf(block.path, where);
  const [first, ...more] = block.params;
  if (original === 'fit' && first === undefined && block.inverse === undefined)
    return { fit: partsOf(block.program, { ...where, isInFit: true }) };
  if (first === undefined || more.length > 0) throw unknown(`the block "${original}"`, block, where);
  const value = expressionOf(first, where);
  const [yes, no] = [partsOf(block.program, where), partsOf(block.inverse, where)];
  if (original === 'if') return { if: value, yes, no };
  if (original === 'unless') return { if: value, yes: no, no: yes };
  if (original !== 'each') throw unknown(`the block "${original}"`, block, where);
  const [name] = block.program.blockParams ?? [];
  return { each: value, ...(name === undefined ? {} : { as: name }), body: yes, none: no };
}

function breakOf({ path, params }: hbs.AST.MustacheStatement): Break | undefined {
  const name = 'original' in path && params.length === 0 ? path.original : undefined;
  return breaks.find((known) => known === name);
}

function expressionOf(expression: hbs.AST.Expression, where: Where): Expression {
  if (isSubExpression(expression)) return callOf(expression, where);
  if (isLiteral(expression)) return { literal: expression.value };
  return { path: pathOf(expression, where).parts };
}

function callOf(call: hbs.AST.MustacheStatement | hbs.AST.SubExpression, where: Where): Expression {
  if (isLiteral(call.path)) return { literal: call.path.value };
  const { original, parts } = pathOf(call.path, where);
  if (call.params.length === 0) return { path: parts };
  if (!isHelper(original) || call.params.length !== helpers[original])
    throw unknown(`the helper "${original}" with ${call.params.length} values`, call, where);
  return { call: original, with: call.params.map((param) => expressionOf(param, where)) };
}

function isHelper(name: string): name is Helper {
  return Object.hasOwn(helpers, name);
}

const positions = new Set(['first', 'last', 'index']);

function pathOf(expression: hbs.AST.Node, where: Where): { original: string; parts: string[] } {
  if (expression.type !== 'PathExpression') throw unknown(expression.type, expression, where);
  // The type of the node guarantees this.
  const { original, parts, data, depth } = expression as hbs.AST.PathExpression;
  if (data && parts.length === 1 && positions.has(parts[0] ?? '')) return { original, parts: [original] };
  if (data || depth > 0) throw unknown(`the path "${original}"`, expression, where);
  return { original, parts: /^this\b/.test(original) ? ['this', ...parts] : parts };
}

function unknown(what: string, { loc }: hbs.AST.Node, { file }: Where): Error {
  return new Error(`${file}:${loc.start.line}: ${what} is not understood in templates`);
}

function isContent(node: hbs.AST.Node): node is hbs.AST.ContentStatement {
  return node.type === 'ContentStatement';
}

function isComment(node: hbs.AST.Node): node is hbs.AST.CommentStatement {
  return node.type === 'CommentStatement';
}

function isMustache(node: hbs.AST.Node): node is hbs.AST.MustacheStatement {
  return node.type === 'MustacheStatement';
}

function isBlock(node: hbs.AST.Node): node is hbs.AST.BlockStatement {
  return node.type === 'BlockStatement';
}

function isSubExpression(node: hbs.AST.Node): node is hbs.AST.SubExpression {
  return node.type === 'SubExpression';
}

function isLiteral(node: hbs.AST.Node): node is hbs.AST.StringLiteral | hbs.AST.BooleanLiteral | hbs.AST.NumberLiteral {
  return node.type === 'StringLiteral' || node.type === 'NumberLiteral' || node.type === 'BooleanLiteral';
}
