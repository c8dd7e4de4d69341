/** A thing in stock. */
export interface Item {
  readonly id: string;
  readonly name: string;
  readonly quantity: number;
  readonly createdAt: Date;
}

/** The fields that a caller chooses. */
export type NewItem = Pick<Item, 'name' | 'quantity'>;

/** The position of an item in the list: newest first, then by descending id. */
export type Position = Pick<Item, 'createdAt' | 'id'>;

export interface ItemQuery {
  /** Max number of items. */
  readonly limit: number;
  /** Only items after this position. */
  readonly after?: Position;
  /** Only items whose name contains this text, in any case. */
  readonly name?: string;
}

/** Stores items. Each adapter implements it. */
export interface ItemRepository {
  add(item: Item): Promise<void>;
  find(id: string): Promise<Item | undefined>;
  /** In list order. */
  list(query: ItemQuery): Promise<readonly Item[]>;
}

/**
 * @param a position in the list
 * @param b another
 * @returns a negative number when `a` comes first
 */
export function inListOrder(a: Position, b: Position): number {
  return b.createdAt.getTime() - a.createdAt.getTime() || b.id.localeCompare(a.id);
}

/**
 * @param fields chosen by the caller
 * @param id a new id
 * @param now time of creation
 * @returns the item, with its name trimmed
 */
export function createItem({ name, quantity }: NewItem, id: string, now: Date): Item {
  return { id, name: name.trim(), quantity, createdAt: now };
}
