import type { Trio } from '../../model.ts';
import type { Rules } from './mergeTree.ts';
import type { Tree, TreeMap } from './tree.ts';

/** The first thing that makes a text invalid. */
export interface Fault {
  /** Counted from 1. */
  readonly line: number;
  readonly message: string;
}

/** @returns the line and what is wrong there */
export function describeFault({ line, message }: Fault): string {
  return `line ${line}: ${message}`;
}

/** A file of the service that is not valid. */
export interface FaultyFile extends Fault {
  readonly path: string;
}

/** A kind of file that is merged by lines, and whose merged text is read again before it counts. */
export interface Format {
  /**
   * Reads a text.
   * @returns its values (several documents of YAML are several values), none when the kind has no keys; or why it is not valid
   */
  readonly read: (text: string) => readonly Tree[] | Fault;
  /** Rules of a merge by key that differ from the general ones. */
  readonly rules?: Partial<Rules>;
  /**
   * Writes a mapping into a text, and keeps its layout and comments. It is absent for a kind of which only the tokens are known: an invalid
   * text of the user is then merged by lines, as the merge may be what completes it.
   * @param texts base, yours and theirs; new values are copied from theirs
   * @param side the text to write into
   * @returns the new text; undefined when that is not possible
   */
  readonly write?: (texts: Trio<string>, side: 'yours' | 'theirs', target: TreeMap) => string | undefined;
}
