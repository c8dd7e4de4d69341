import { closest, distance } from 'fastest-levenshtein';

/**
 * @param word what the user wrote
 * @param known the valid words
 * @returns the known word that the user probably misspelled, if any
 */
export function suggest(word: string, known: readonly string[]): string | undefined {
  // The distance takes quadratic time.
  if (known.length === 0 || word.length > 100) return undefined;
  // Two letters that changed places count as two mistakes, which is too much for a short word.
  const swapped = known.find((each) => isSwapped(word, each));
  if (swapped !== undefined) return swapped;
  const best = closest(word, [...known]);
  return distance(word, best) <= Math.max(1, Math.floor(best.length / 3)) ? best : undefined;
}

/** Whether two neighbouring letters of a word are swapped in the other. */
function isSwapped(word: string, other: string): boolean {
  let at = 0;
  while (at < other.length && other.charAt(at) === word.charAt(at)) at += 1;
  return other !== word && other === word.slice(0, at) + word.charAt(at + 1) + word.charAt(at) + word.slice(at + 2);
}

/**
 * Returns the hint for an unknown word.
 * @param word what the user wrote
 * @param known the valid words
 * @returns `did you mean …?`, or the list of valid words
 */
export function didYouMean(word: string, known: readonly string[]): string {
  const best = suggest(word, known);
  return best === undefined ? `known: ${fewOf(known) || 'none'}` : `did you mean "${best}"?`;
}

/**
 * @param names any number of names
 * @returns all names, separated by commas; of more than twelve, the first eleven and the number of the others
 */
export function fewOf(names: readonly string[]): string {
  return names.length > 12 ? `${names.slice(0, 11).join(', ')} and ${names.length - 11} more` : names.join(', ');
}
