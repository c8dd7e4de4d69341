import type { Change } from '../../../../generators/engine/model.ts';
import type { NewFile } from '../../../../generators/io/freshTree.ts';
import { hashOf } from '../../../../generators/io/tree.ts';

/** A change as text: what must be there now, what is to be there; null is nothing. */
export interface Edit {
  readonly path: string;
  readonly old: string | null;
  readonly new: string | null;
  readonly mode?: number;
}

const encoder = new TextEncoder();

/**
 * @param edits changes as text
 * @returns the changes for `commit`
 */
export function changes(edits: readonly Edit[]): Change[] {
  return edits.map(({ path, old, new: text, mode }) => {
    const expect = old === null ? null : hashOf(encoder.encode(old));
    return text === null
      ? { path, expect, remove: true }
      : { path, expect, write: encoder.encode(text), mode: mode ?? 0o644 };
  });
}

/**
 * @param value edits as they came through JSON
 * @returns the changes for `commit`
 */
export function changesFrom(value: unknown): Change[] {
  return changes(Array.isArray(value) ? value.filter(isEdit) : []);
}

/**
 * @param value edits as they came through JSON
 * @returns the files for `createTree`
 */
export function filesFrom(value: unknown): NewFile[] {
  return changesFrom(value).flatMap((it) => ('write' in it ? [{ path: it.path, bytes: it.write, mode: it.mode }] : []));
}

function isEdit(value: unknown): value is Edit {
  return typeof value === 'object' && value !== null && 'path' in value && 'old' in value && 'new' in value;
}
