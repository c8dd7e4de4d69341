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
 * @returns the numbers of the lines, from 1, on which an unresolved merge conflict begins
 */
export function conflictLines(text: string): number[] {
  const found: number[] = [];
  let begins: number | undefined;
  let isHalf = false;
  for (const [index, line] of text.split('\n').entries()) {
    if (/^<{7} /.test(line)) [begins, isHalf] = [index + 1, false];
    else if (/^={7}\r?$/.test(line)) isHalf = begins !== undefined;
    else if (begins !== undefined && isHalf && /^>{7} /.test(line)) {
      found.push(begins);
      begins = undefined;
      isHalf = false;
    }
  }
  return found;
}

/**
 * @param text content of a file
 * @returns whether it contains an unresolved merge conflict
 */
export function hasConflictMarkers(text: string): boolean {
  return conflictLines(text).length > 0;
}
