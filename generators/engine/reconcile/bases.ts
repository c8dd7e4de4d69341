import { fieldOf } from '../json.ts';
import { decode, encode } from '../text.ts';

/**
 * @param bases hash → bytes
 * @returns the text of `.slipway/base.jsonl`: one line for each content, sorted by hash
 */
export function printBases(bases: ReadonlyMap<string, Uint8Array>): string {
  return [...bases]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([hash, bytes]) => {
      const text = decode(bytes);
      const content =
        text === undefined
          ? { base64: btoa(Array.from(bytes, (byte) => String.fromCodePoint(byte)).join('')) }
          : { text };
      return `${JSON.stringify({ hash, ...content })}\n`;
    })
    .join('');
}

/**
 * Indexes `.slipway/base.jsonl`. Anyone may have edited the file. A line is parsed only when its base is requested.
 * @param text its content, with lines in any order
 * @param hash SHA-256, in hex
 * @returns a function that returns the base with a hash, or undefined when no line contains exactly these bytes
 */
export function indexBases(
  text: string,
  hash: (bytes: Uint8Array) => string,
): (wanted: string) => Uint8Array | undefined {
  const lines = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const name = /^\{\s*"hash":\s*"([0-9a-f]{64})"/.exec(line)?.[1];
    if (name === undefined) continue;
    const same = lines.get(name);
    if (same === undefined) lines.set(name, [line]);
    else same.push(line);
  }
  return (wanted) =>
    lines
      .get(wanted)
      ?.map(bytesIn)
      .find((bytes) => bytes !== undefined && hash(bytes) === wanted);
}

function bytesIn(line: string): Uint8Array | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const [text, base64] = [fieldOf(value, 'text'), fieldOf(value, 'base64')];
    if (typeof text === 'string') return encode(text);
    return typeof base64 === 'string' ? Uint8Array.from(atob(base64), (char) => char.codePointAt(0) ?? 0) : undefined;
  } catch {
    return undefined;
  }
}
