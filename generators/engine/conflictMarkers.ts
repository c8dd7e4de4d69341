/**
 * @param text content of a file
 * @returns whether it holds an unresolved conflict of a merge
 */
export function hasConflictMarkers(text: string): boolean {
  return /^<{7} .*$[^]*^={7}\r?$[^]*^>{7} /m.test(text);
}
