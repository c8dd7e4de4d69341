/**
 * @param text content of a file
 * @returns whether it holds a conflict that a merge has marked and nobody has resolved
 */
export function hasConflictMarkers(text: string): boolean {
  return /^<{7} .*$[^]*^={7}\r?$[^]*^>{7} /m.test(text);
}
