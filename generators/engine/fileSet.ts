import type { Ownership } from './module.ts';

/** How a file is printed from another one. */
export interface Derivation {
  /** Path of that other file. */
  readonly from: string;
  /** Gives the text; undefined when nothing can be printed from the other's. */
  readonly print: (text: string) => string | undefined;
  /**
   * Of a file that others write to as well: changes the one on disk as the other file changes, and keeps what is not Slipway's.
   * @param raise whether the catalogue is another than last time
   */
  readonly adapt?: (yours: string, source: { before: string; after: string }, raise: boolean) => Adaptation;
  /** Files that do this one's job: where one of them is, this one is not created. */
  readonly rivals?: readonly string[];
}

/** A file that has been fitted to another; otherwise why it stays as it is. */
export type Adaptation = { readonly text: string } | { readonly reason: string };

/** One file as Slipway would write it today. */
export interface RenderedFile {
  readonly bytes: Uint8Array;
  /** POSIX permission bits: 0o644, or 0o755 for what is run. */
  readonly mode: number;
  readonly ownership: Ownership;
  /** Id of the module that owns the file; `base` for what every service has. */
  readonly module: string;
  /** Of a derived file. */
  readonly derivation?: Derivation;
}

/** Path, relative to the service's root with `/` between parts, → file: what `render` returns. */
export type FileSet = ReadonlyMap<string, RenderedFile>;

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
 * @returns its text, byte order mark included; undefined when the bytes are not UTF-8 text
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
 * @returns whether both hold the same bytes
 */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
