import {
  isAlias,
  isCollection,
  isMap as isYamlMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  parseAllDocuments,
  visit,
  type Document,
  type ParsedNode,
} from 'yaml';
import { isMap, type Tree, type TreeMap } from './tree.ts';

/** A parsed YAML text that contains one mapping. */
export interface YamlDocument {
  readonly document: Document.Parsed;
  readonly tree: TreeMap;
}

/** Maximum depth. No real file is this deep, and the library is recursive. */
const deepest = 100;

/**
 * @param text YAML
 * @returns the document; undefined when it is not valid, is not one mapping, or contains what cannot be merged by key:
 *   several documents, anchors, keys that are not scalars
 */
export function parseYaml(text: string): YamlDocument | undefined {
  if (isTooDeep(text)) return undefined;
  // The library looks for repeated keys in quadratic time. `mapTree` finds them, too.
  const documents = parseAllDocuments(text, { logLevel: 'silent', uniqueKeys: false });
  const [document] = documents;
  if (!Array.isArray(documents) || documents.length > 1 || document === undefined) return undefined;
  if (document.errors.length > 0 || hasAnchors(document)) return undefined;
  const tree = yamlTree(document.contents);
  return isMap(tree) ? { document, tree } : undefined;
}

function isTooDeep(text: string): boolean {
  let depth = 0;
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    depth += bracket === '[' || bracket === '{' ? 1 : -1;
    if (depth > deepest) return true;
  }
  return /^ {400}/m.test(text) || /(?:[-?] +){100}/.test(text);
}

function hasAnchors(document: Document.Parsed): boolean {
  let found = false;
  visit(document, (_key, node) => {
    found = isAlias(node) || (isNode(node) && 'anchor' in node && node.anchor !== undefined);
    return found ? visit.BREAK : undefined;
  });
  return found;
}

/**
 * @param node of a YAML document
 * @returns its value; undefined when a key is not a scalar
 */
export function yamlTree(node: unknown): Tree | undefined {
  if (isScalar(node)) return `${tagOf(node)}${typeof node.value} ${String(node.value)}`;
  if (!isCollection(node)) return 'none';
  const tree = isYamlMap(node) ? mapTree(node.items) : isSeq(node) ? listTree(node.items) : undefined;
  const tag = tagOf(node);
  return tag === '' || tree === undefined ? tree : [tag, tree];
}

function mapTree(pairs: readonly unknown[]): TreeMap | undefined {
  const map = new Map<string, Tree>();
  for (const pair of pairs) {
    if (!isPair(pair) || !isScalar(pair.key)) return undefined;
    const value = yamlTree(pair.value);
    if (value === undefined) return undefined;
    map.set(yamlKey(pair.key.value), value);
  }
  return map.size === pairs.length ? map : undefined;
}

function listTree(items: readonly unknown[]): readonly Tree[] | undefined {
  const list: Tree[] = [];
  for (const item of items) {
    const tree = yamlTree(item);
    if (tree === undefined) return undefined;
    list.push(tree);
  }
  return list;
}

/**
 * @param key of a mapping
 * @returns a name for it that no key of another type has
 */
export function yamlKey(key: unknown): string {
  return typeof key === 'string' ? key : `!${typeof key} ${String(key)}`;
}

function tagOf(node: Pick<ParsedNode, 'tag'>): string {
  return node.tag === undefined || node.tag.startsWith('tag:yaml.org,2002:') ? '' : `${node.tag} `;
}
