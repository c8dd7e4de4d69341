/** The encoding of text files. */
const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * @param text any string
 * @returns its UTF-8 bytes
 */
export function encode(text: string): Uint8Array {
  return utf8.encode(text);
}

/**
 * @param bytes the content of a file
 * @returns its text, with the byte order mark if there is one; undefined when the bytes are not UTF-8 text
 */
export function decode(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * @param a some bytes
 * @param b other bytes
 * @returns whether both are equal
 */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/**
 * @param text content of a file
 * @returns whether it contains an unresolved merge conflict
 */
export function hasConflictMarkers(text: string): boolean {
  // One pass: a pattern for the three lines together takes cubic time.
  let found = 0;
  for (const [line] of text.matchAll(/^(?:<{7} |={7}\r?$|>{7} )/gm)) {
    if (line.charAt(0) === '<=>'.charAt(found)) found += 1;
  }
  return found === 3;
}
