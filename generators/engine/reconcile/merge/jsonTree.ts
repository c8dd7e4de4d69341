import { parseTree, type Node, type ParseError } from 'jsonc-parser';
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
  if (isTooDeep(text)) return undefined;
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  if (root === undefined || errors.length > 0) return undefined;
  const inline = new Set<Tree>();
  const tree = toTree(root, text, inline);
  return isMap(tree) ? { root, tree, inline } : undefined;
}

function isTooDeep(text: string): boolean {
  let depth = 0;
  for (const { source } of tokens(text, 0, text.length)) {
    if (source === '{' || source === '[') depth += 1;
    if (source === '}' || source === ']') depth -= 1;
    if (depth > deepest) return true;
  }
  return false;
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
