import { isMap as isYamlMap, isNode, isPair, isScalar, isSeq, type Pair, type YAMLMap, type YAMLSeq } from 'yaml';
import { byIdentity, equal, identityOf, isList, isMap, isSet, type Tree, type TreeMap } from './tree.ts';
import { yamlKey, yamlTree } from './yamlTree.ts';

/**
 * Edits a YAML node in place until it contains a value. Comments stay with their values.
 * @param node of yours
 * @param target the value to write
 * @param source the same place in theirs: new values and their comments come from there
 * @returns whether it was possible
 */
export function patchYaml(node: unknown, target: Tree, source: unknown): boolean {
  const present = yamlTree(node);
  if (equal(present, target)) return true;
  if (isYamlMap(node) && isMap(target)) return patchMap(node, target, source);
  if (isSeq(node) && isList(present) && isList(target)) return patchList(node, present, target, source);
  return false;
}

function patchMap(node: YAMLMap, target: TreeMap, source: unknown): boolean {
  const pairs = pairsOf(node);
  const theirs = pairsOf(source);
  const items: Pair[] = [];
  for (const [key, value] of target) {
    const pair = pairs.get(key);
    const theirPair = theirs.get(key);
    if (pair === undefined) {
      if (theirPair === undefined || !equal(yamlTree(theirPair.value), value)) return false;
      items.push(theirPair.clone());
      continue;
    }
    if (!patchYaml(pair.value, value, theirPair?.value)) {
      if (theirPair === undefined || !equal(yamlTree(theirPair.value), value)) return false;
      pair.value = replaced(pair.value, theirPair.value);
    }
    items.push(pair);
  }
  node.items = items;
  return true;
}

function patchList(node: YAMLSeq, present: readonly Tree[], target: readonly Tree[], source: unknown): boolean {
  const theirs = isSeq(source) ? source.items : [];
  if (isSet(present) && isSet(target)) {
    const [yourItems, theirItems] = [byValue(node.items), byValue(theirs)];
    const items = target.map((value) => yourItems.get(value) ?? copy(theirItems.get(value)));
    if (items.includes(undefined)) return false;
    node.items = items;
    return true;
  }
  const identity = identityOf([present, target]);
  if (identity === undefined) return false;
  const yourItems = itemsBy(node.items, identity);
  const theirItems = itemsBy(theirs, identity);
  const items: unknown[] = [];
  for (const [name, value] of byIdentity(target, identity)) {
    const [yours, their] = [yourItems.get(name), theirItems.get(name)];
    if (yours !== undefined && patchYaml(yours, value, their)) items.push(yours);
    else if (their !== undefined && equal(yamlTree(their), value)) items.push(replaced(yours, copy(their)));
    else return false;
  }
  node.items = items;
  return true;
}

function byValue(items: readonly unknown[]): Map<Tree | undefined, unknown> {
  return new Map(items.map((item) => [yamlTree(item), item]));
}

function pairsOf(node: unknown): Map<string, Pair> {
  const pairs = new Map<string, Pair>();
  for (const pair of isYamlMap(node) ? node.items : []) {
    if (isPair(pair) && isScalar(pair.key)) pairs.set(yamlKey(pair.key.value), pair);
  }
  return pairs;
}

function itemsBy(items: readonly unknown[], identity: string): Map<string, unknown> {
  return new Map(
    items.map((item) => {
      const value = yamlTree(pairsOf(item).get(identity)?.value);
      return [typeof value === 'string' ? value : '', item];
    }),
  );
}

function copy(node: unknown): unknown {
  return isNode(node) ? node.clone() : node;
}

/** Copies their value, with the comments of yours. */
function replaced(yours: unknown, theirs: unknown): unknown {
  const value = copy(theirs);
  if (isNode(value) && isNode(yours)) {
    if (typeof yours.comment === 'string') value.comment = yours.comment;
    if (typeof yours.commentBefore === 'string') value.commentBefore = yours.commentBefore;
  }
  return value;
}
