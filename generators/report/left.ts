import { conflictLines, decode } from '../engine/text.ts';
import type { Prepared } from '../engine/reconcile/prepare.ts';

/** A conflict that a plan leaves to the user. */
export interface Left {
  readonly path: string;
  /** `line 12`, or a JSON pointer. */
  readonly at?: string;
  /**
   * `markers`: the file will hold both sides between conflict markers. `skipped`: the file stays as it is. `unmerged`: the file stays
   * as a merge of git has left it.
   */
  readonly how: 'markers' | 'skipped' | 'unmerged';
}

/**
 * @param prepared a plan
 * @returns the conflicts that it leaves to the user, in the order of its entries
 */
export function leftToDo({ entries }: Pick<Prepared, 'entries'>): Left[] {
  return entries.flatMap(({ path, action, changes, conflicts, skipped }): Left[] => {
    if (skipped) {
      return conflicts.length === 0
        ? [{ path, how: 'skipped' }]
        : conflicts.map(({ at }) => ({ path, at, how: 'skipped' }));
    }
    if (action === 'keep') return conflicts.map(({ at }) => ({ path, at, how: 'unmerged' }));
    if (action !== 'merge') return [];
    const texts = changes.map((change) => ('write' in change ? decode(change.write) : undefined) ?? '');
    return texts.flatMap(conflictLines).map((line) => ({ path, at: `line ${line}`, how: 'markers' }));
  });
}
