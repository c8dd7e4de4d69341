import { parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';
import type { Fault } from './format.ts';
import { tokens } from './jsonText.ts';
import { isMap, type Tree, type TreeMap } from './tree.ts';

/** A parsed JSON text whose root is an object. Comments and trailing commas are allowed. */
export interface JsonDocument {
  readonly root: Node;
  readonly tree: TreeMap;
  /** The objects and arrays that are on one line. */
  readonly inline: ReadonlySet<Tree>;
}

/** Maximum depth. The parser is recursive, and no real file is this deep, so deeper texts are not parsed. */
const deepest = 200;

/**
 * @param text JSON, with or without comments
 * @returns the document; undefined when it is not valid, repeats a key, is nested too deep, or its root is not an object
 */
export function parseJson(text: string): JsonDocument | undefined {
  if (tooDeepAt(text) !== undefined) return undefined;
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  if (root === undefined || errors.length > 0) return undefined;
  const inline = new Set<Tree>();
  const tree = toTree(root, text, inline);
  return isMap(tree) ? { root, tree, inline } : undefined;
}

/**
 * @param text JSON
 * @param options whether comments and trailing commas are allowed
 * @returns why the text is not valid: a syntax error, a repeated key, or too many levels; undefined when it is valid
 */
export function jsonFault(text: string, { comments }: { readonly comments: boolean }): Fault | undefined {
  const fault = (at: number, message: string): Fault => ({ line: text.slice(0, at).split('\n').length, message });
  const deep = tooDeepAt(text);
  if (deep !== undefined) return fault(deep, `more than ${deepest} levels`);
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: comments, disallowComments: !comments });
  const [error] = errors;
  if (error !== undefined) return fault(error.offset, inWords(printParseErrorCode(error.error)));
  const repeated = root && repeatedKey(root);
  return repeated && fault(repeated.offset, `the key "${keyOf(repeated)}" is repeated`);
}

/** Turns `CommaExpected` into `comma expected`. */
function inWords(code: string): string {
  return code.replaceAll(/(?<=.)[A-Z]/g, ' $&').toLowerCase();
}

function repeatedKey(node: Node): Node | undefined {
  const keys = new Set<string>();
  for (const child of node.children ?? []) {
    if (node.type === 'object' && keys.size === keys.add(keyOf(child)).size) return child;
    const inside = repeatedKey(child);
    if (inside !== undefined) return inside;
  }
  return undefined;
}

/** Returns the position at which the text is nested too deep. */
function tooDeepAt(text: string): number | undefined {
  let depth = 0;
  for (const { source, start } of tokens(text, 0, text.length)) {
    if (source === '{' || source === '[') depth += 1;
    if (source === '}' || source === ']') depth -= 1;
    if (depth > deepest) return start;
  }
  return undefined;
}

/** @returns the value; undefined when an object repeats a key */
function toTree(node: Node, text: string, inline: Set<Tree>): Tree | undefined {
  const source = text.slice(node.offset, node.offset + node.length);
  if (node.type === 'string') return JSON.stringify(node.value);
  if (node.type !== 'object' && node.type !== 'array') return source;
  const children = node.children ?? [];
  const tree = node.type === 'object' ? toMap(children, text, inline) : toList(children, text, inline);
  if (tree !== undefined && !source.includes('\n')) inline.add(tree);
  return tree;
}

function toMap(properties: readonly Node[], text: string, inline: Set<Tree>): TreeMap | undefined {
  const map = new Map<string, Tree>();
  for (const property of properties) {
    const value = valueOf(property);
    const tree = value === undefined ? undefined : toTree(value, text, inline);
    if (tree === undefined) return undefined;
    map.set(keyOf(property), tree);
  }
  return map.size === properties.length ? map : undefined;
}

function toList(items: readonly Node[], text: string, inline: Set<Tree>): readonly Tree[] | undefined {
  const list: Tree[] = [];
  for (const item of items) {
    const tree = toTree(item, text, inline);
    if (tree === undefined) return undefined;
    list.push(tree);
  }
  return list;
}

/** @returns the key of an object's property */
export function keyOf(property: Node): string {
  return String(property.children?.[0]?.value);
}

/** @returns the value of an object's property */
export function valueOf(property: Node): Node | undefined {
  return property.children?.[1];
}

/** How to write values. */
export interface Style {
  readonly endOfLine: string;
  /** One step of indentation. */
  readonly step: string;
  readonly inline: ReadonlySet<Tree>;
}

/**
 * @param tree a value
 * @param indent of the line on which it begins; undefined to write it on one line
 * @param style line ends, indentation, and which values are written on one line
 * @returns its JSON
 */
export function printJson(tree: Tree, indent: string | undefined, style: Style): string {
  if (typeof tree === 'string') return tree;
  const flat = indent === undefined || style.inline.has(tree);
  const inner = flat ? undefined : indent + style.step;
  const items = isMap(tree)
    ? [...tree].map(([key, value]) => `${JSON.stringify(key)}: ${printJson(value, inner, style)}`)
    : tree.map((item) => printJson(item, inner, style));
  const [open, close] = isMap(tree) ? ['{', '}'] : ['[', ']'];
  if (items.length === 0) return `${open}${close}`;
  if (flat) return isMap(tree) ? `{ ${items.join(', ')} }` : `[${items.join(', ')}]`;
  const gap = `${style.endOfLine}${inner}`;
  return `${open}${gap}${items.join(`,${gap}`)}${style.endOfLine}${indent}${close}`;
}
