const entities = new WeakMap<object, object>();

/**
 * @param shown what callers get of an entity: some of its fields, or another shape
 * @param entity that it shows
 * @returns the same
 */
export function shownOf<Shown extends object>(shown: Shown, entity: object): Shown {
  entities.set(shown, entity);
  return shown;
}

/**
 * @param shown an object in a reply
 * @returns the entity that it shows; the object itself when it is no other
 */
export function entityOf(shown: object): object {
  return entities.get(shown) ?? shown;
}
