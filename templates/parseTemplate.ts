import Handlebars from 'handlebars';
import type { Expression, Template, TemplatePart } from '../generators/engine/model.ts';

/**
 * Parses a Handlebars template into data, so that rendering runs no code and loads no parser. It supports variables,
 * `#if` and `#unless` with `else`, and the helper `eq`. Handlebars' own parser handles syntax and white space.
 * @param text a Handlebars template
 * @param file path of the template, for errors
 * @returns the template in the format of the catalogue
 * @throws Error for bad syntax and for unsupported syntax, with file and line
 */
export function parseTemplate(text: string, file: string): Template {
  return partsOf(Handlebars.parse(text, { srcName: file }), file);
}

function partsOf(program: hbs.AST.Program | undefined, file: string): Template {
  return (program?.body ?? []).flatMap((statement) => partOf(statement, file));
}

function partOf(statement: hbs.AST.Statement, file: string): TemplatePart[] {
  if (isContent(statement)) return statement.value === '' ? [] : [statement.value];
  if (isComment(statement)) return [];
  if (isMustache(statement)) return [{ value: callOf(statement, file) }];
  if (isBlock(statement)) {
    const { original } = pathOf(statement.path, file);
    const [condition, ...more] = statement.params;
    if ((original !== 'if' && original !== 'unless') || condition === undefined || more.length > 0) {
      throw unknown(`the block "${original}"`, statement, file);
    }
    const [yes, no] = [partsOf(statement.program, file), partsOf(statement.inverse, file)];
    const test = expressionOf(condition, file);
    return [original === 'if' ? { if: test, yes, no } : { if: test, yes: no, no: yes }];
  }
  throw unknown(statement.type, statement, file);
}

function expressionOf(expression: hbs.AST.Expression, file: string): Expression {
  if (isSubExpression(expression)) return callOf(expression, file);
  if (isLiteral(expression)) return { literal: expression.value };
  return { path: pathOf(expression, file).parts };
}

function callOf(call: hbs.AST.MustacheStatement | hbs.AST.SubExpression, file: string): Expression {
  const path = pathOf(call.path, file);
  if (call.params.length === 0) return { path: path.parts };
  const [left, right, ...more] = call.params.map((param) => expressionOf(param, file));
  if (path.original !== 'eq' || left === undefined || right === undefined || more.length > 0) {
    throw unknown(`the helper "${path.original}"`, call, file);
  }
  return { eq: [left, right] };
}

function pathOf(expression: hbs.AST.Node, file: string): { original: string; parts: string[] } {
  if (expression.type !== 'PathExpression') throw unknown(expression.type, expression, file);
  // The type of the node guarantees this.
  const { original, parts, data, depth } = expression as hbs.AST.PathExpression;
  if (data || depth > 0) throw unknown(`the path "${original}"`, expression, file);
  return { original, parts };
}

function unknown(what: string, { loc }: hbs.AST.Node, file: string): Error {
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

function isLiteral(node: hbs.AST.Node): node is hbs.AST.StringLiteral | hbs.AST.BooleanLiteral {
  return node.type === 'StringLiteral' || node.type === 'BooleanLiteral';
}
