/**
 * Data of JSON or YAML in a form for comparison. A scalar is a string; two are equal when their values are equal. In JSON it is the text
 * of the scalar, so large numbers keep all digits. An object is a Map, so no key (`__proto__`) has a special meaning.
 */
export type Tree = string | readonly Tree[] | TreeMap;
export type TreeMap = ReadonlyMap<string, Tree>;
export type Path = readonly string[];

/** @returns whether the value is an object */
export function isMap(tree: Tree | undefined): tree is TreeMap {
  return tree instanceof Map;
}

/** @returns whether the value is an array */
export function isList(tree: Tree | undefined): tree is readonly Tree[] {
  return Array.isArray(tree);
}

/** @returns whether the value is an array of distinct scalars: an ordered set */
export function isSet(tree: Tree | undefined): tree is readonly string[] {
  return isList(tree) && tree.every((item) => typeof item === 'string') && new Set(tree).size === tree.length;
}

/**
 * @param some a value, or undefined for none
 * @param other a value, or undefined for none
 * @returns whether both are the same value; the order of an object's keys has no effect
 */
export function equal(some: Tree | undefined, other: Tree | undefined): boolean {
  if (some === other) return true;
  if (isList(some) && isList(other)) {
    return some.length === other.length && some.every((item, index) => equal(item, other[index]));
  }
  if (!isMap(some) || !isMap(other) || some.size !== other.size) return false;
  return [...some].every(([key, item]) => other.has(key) && equal(item, other.get(key)));
}

/**
 * @param path keys from the root
 * @returns the JSON pointer (RFC 6901)
 */
export function pointer(path: Path): string {
  return path.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/**
 * @param tree a value
 * @param place a JSON pointer
 * @returns the value there, if any
 */
export function lookUp(tree: Tree, place: string): Tree | undefined {
  let found: Tree | undefined = tree;
  for (const part of place.split('/').slice(1)) {
    found = isMap(found) ? found.get(part.replaceAll('~1', '/').replaceAll('~0', '~')) : undefined;
  }
  return found;
}

/** Keys that can identify an item in a list of objects. */
const identities = ['name', 'id', 'path'];

/**
 * @param item a scalar of an array, as in a {@link Tree}
 * @returns the name in a setting such as `LOG_LEVEL=debug`, as Compose and kustomize write them in lists; undefined for other scalars
 */
export function settingName(item: string): string | undefined {
  return /^(?:string |")?([A-Za-z_][\w.-]*)=/.exec(item)?.[1];
}

/**
 * @param lists arrays to match with each other
 * @returns the key that identifies the items of all of them; undefined when there is none
 */
export function identityOf(lists: readonly (readonly Tree[])[]): string | undefined {
  return identities.find((key) =>
    lists.every((list) => isSet(list.map((item) => (isMap(item) ? (item.get(key) ?? []) : [])))),
  );
}

/**
 * @param list an array of objects
 * @param identity the key that identifies them
 * @returns the items as one object, by the value of that key
 */
export function byIdentity(list: readonly Tree[], identity: string): TreeMap {
  return new Map(list.map((item) => [scalarAt(item, identity), item]));
}

function scalarAt(item: Tree, key: string): string {
  const value = isMap(item) ? item.get(key) : undefined;
  return typeof value === 'string' ? value : '';
}
