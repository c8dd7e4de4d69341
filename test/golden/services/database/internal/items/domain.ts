/** A thing that is kept in stock. */
export interface Item {
  readonly id: string;
  readonly name: string;
  readonly quantity: number;
  readonly createdAt: Date;
}

/** What is chosen when an item is created. */
export type NewItem = Pick<Item, 'name' | 'quantity'>;

/** Where an item stands in the list: the newest first; of two that are equally new, the one with the greater id. */
export type Position = Pick<Item, 'createdAt' | 'id'>;

/** Which items are listed. */
export interface ItemQuery {
  /** At most as many. */
  readonly limit: number;
  /** Only those behind this one. */
  readonly after?: Position;
  /** Only those whose name contains it, in whatever case. */
  readonly name?: string;
}

/** Where items are kept; each adapter implements it. */
export interface ItemRepository {
  add(item: Item): Promise<void>;
  find(id: string): Promise<Item | undefined>;
  /** In the order of their positions. */
  list(query: ItemQuery): Promise<readonly Item[]>;
}

/**
 * @param a position in the list
 * @param b another
 * @returns below zero when `a` comes first
 */
export function inListOrder(a: Position, b: Position): number {
  return b.createdAt.getTime() - a.createdAt.getTime() || b.id.localeCompare(a.id);
}

/**
 * @param chosen name and quantity
 * @param id a new one
 * @param now time of creation
 * @returns the item, its name without blanks around it
 */
export function createItem({ name, quantity }: NewItem, id: string, now: Date): Item {
  return { id, name: name.trim(), quantity, createdAt: now };
}
