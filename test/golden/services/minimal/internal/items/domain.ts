/** A thing that is kept in stock. */
export interface Item {
  readonly id: string;
  readonly name: string;
  readonly quantity: number;
  readonly createdAt: Date;
}

/** What is chosen when an item is created. */
export type NewItem = Pick<Item, 'name' | 'quantity'>;

/** Where items are kept; each adapter implements it. */
export interface ItemRepository {
  add(item: Item): Promise<void>;
  find(id: string): Promise<Item | undefined>;
  /** The newest first. */
  list(limit: number): Promise<readonly Item[]>;
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
