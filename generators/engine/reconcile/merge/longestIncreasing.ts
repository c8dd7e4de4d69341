/**
 * Returns the longest increasing subsequence of items by their keys (patience sorting, O(n log n)).
 * @param items in order
 * @param keyOf returns each item's key; all keys are distinct
 * @returns the selected items, in order
 */
export function longestIncreasing<Item>(items: readonly Item[], keyOf: (item: Item) => number): Item[] {
  interface Card {
    readonly item: Item;
    readonly key: number;
    readonly below: Card | undefined;
  }
  const piles: Card[] = [];
  for (const item of items) {
    const key = keyOf(item);
    let low = 0;
    let high = piles.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((piles[middle]?.key ?? Infinity) < key) low = middle + 1;
      else high = middle;
    }
    piles[low] = { item, key, below: piles[low - 1] };
  }
  const kept: Item[] = [];
  for (let card = piles.at(-1); card !== undefined; card = card.below) kept.push(card.item);
  return kept.toReversed();
}
