import { closest, distance } from 'fastest-levenshtein';

/**
 * @param word what was written
 * @param known what could have been meant
 * @returns the known word that is near enough to be a misspelling of it, if any
 */
export function suggest(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const best = closest(word, [...known]);
  return distance(word, best) <= Math.max(1, Math.floor(best.length / 3)) ? best : undefined;
}

/**
 * The remedy for an unknown word.
 * @param word what was written
 * @param known what could have been meant
 * @returns `did you mean …?`, or the list of what there is
 */
export function didYouMean(word: string, known: readonly string[]): string {
  const best = suggest(word, known);
  return best === undefined ? `known: ${fewOf(known) || 'none'}` : `did you mean "${best}"?`;
}

/**
 * @param names any number of them
 * @returns the first dozen, separated by commas, and how many more there are
 */
export function fewOf(names: readonly string[]): string {
  return names.length > 12 ? `${names.slice(0, 11).join(', ')} and ${names.length - 11} more` : names.join(', ');
}
