import {
  isAlias,
  isCollection,
  isMap as isYamlMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  visit,
  type Document,
  type ParsedNode,
} from 'yaml';
import type { Fault } from './format.ts';
import { isMap, type Tree, type TreeMap } from './tree.ts';

/** A parsed document of a YAML text. */
export interface YamlDocument<Value extends Tree = Tree> {
  readonly document: Document.Parsed;
  readonly tree: Value;
}

/** Maximum depth. No real file is this deep, and the library is recursive. */
const deepest = 100;

/**
 * @param text YAML
 * @returns its documents; or why it is not valid: a syntax error, a repeated key, an alias without its anchor, or too many levels
 */
export function readYaml(text: string): readonly YamlDocument[] | Fault {
  const line = tooDeepLine(text);
  if (line !== undefined) return { line, message: `more than ${deepest} levels` };
  const lineCounter = new LineCounter();
  const parsed = parseAllDocuments(text, { logLevel: 'silent', lineCounter, prettyErrors: false, uniqueKeys: false });
  const documents: readonly Document.Parsed[] = Array.isArray(parsed) ? parsed : [];
  for (const document of documents) {
    const [error] = document.errors;
    const fault = error === undefined ? faultIn(document) : { at: error.pos[0], message: error.message };
    if (fault !== undefined) return { line: Math.max(lineCounter.linePos(fault.at).line, 1), message: fault.message };
  }
  return documents.map((document) => ({ document, tree: yamlTree(document.contents) }));
}

/**
 * @param text YAML
 * @returns its document; undefined when the text is not valid, or is not one mapping
 */
export function mappingIn(text: string): YamlDocument<TreeMap> | undefined {
  const read = readYaml(text);
  const [only, ...more] = 'line' in read ? [] : read;
  return only !== undefined && more.length === 0 && isMap(only.tree)
    ? { document: only.document, tree: only.tree }
    : undefined;
}

function tooDeepLine(text: string): number | undefined {
  let depth = 0;
  for (const { 0: bracket, index } of text.matchAll(/[[\]{}]/g)) {
    depth += bracket === '[' || bracket === '{' ? 1 : -1;
    if (depth > deepest) return lineOf(text, index);
  }
  const indented = /^ {400}/m.exec(text) ?? /(?:[-?] +){100}/.exec(text);
  return indented === null ? undefined : lineOf(text, indented.index);
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/**
 * Finds what the library accepts while it parses: a repeated key, which it finds in quadratic time only, and an unknown alias.
 * @param document parsed, and perhaps edited
 * @returns the position (offset) and what is wrong; undefined when nothing is
 */
export function faultIn(document: Document.Parsed): { readonly at: number; readonly message: string } | undefined {
  const anchors = new Set<string>();
  let fault: { at: number; message: string } | undefined;
  visit(document, (_key, node) => {
    if (isAlias(node) && !anchors.has(node.source)) {
      fault = { at: node.range?.[0] ?? 0, message: `no anchor &${node.source} before *${node.source}` };
    }
    if (isNode(node) && 'anchor' in node && node.anchor !== undefined) anchors.add(node.anchor);
    const keys = new Set<string>();
    for (const { key } of isYamlMap(node) ? node.items : []) {
      if (!isScalar(key)) continue;
      const name = yamlKey(key.value);
      if (keys.has(name)) fault ??= { at: key.range?.[0] ?? 0, message: `the key "${String(key.value)}" is repeated` };
      keys.add(name);
    }
    return fault === undefined ? undefined : visit.BREAK;
  });
  return fault;
}

/**
 * @param node of a YAML document
 * @returns its value; an alias is a scalar, and an anchor is no part of the value
 */
export function yamlTree(node: unknown): Tree {
  if (isAlias(node)) return `*${node.source}`;
  if (isScalar(node)) return `${tagOf(node)}${typeof node.value} ${String(node.value)}`;
  if (!isCollection(node)) return 'none';
  const tree = isYamlMap(node) ? mapTree(node.items) : isSeq(node) ? node.items.map(yamlTree) : 'none';
  const tag = tagOf(node);
  return tag === '' ? tree : [tag, tree];
}

function mapTree(pairs: readonly unknown[]): TreeMap {
  return new Map(
    pairs.flatMap((pair): [string, Tree][] => {
      if (!isPair(pair)) return [];
      const key = isScalar(pair.key) ? yamlKey(pair.key.value) : `? ${JSON.stringify(pair.key)}`;
      return [[key, yamlTree(pair.value)]];
    }),
  );
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
