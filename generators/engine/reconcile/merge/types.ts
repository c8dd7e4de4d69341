/** How each conflicting place is shown in the merged text. */
export type ConflictStyle = 'ours' | 'theirs' | 'markers';

/** One place where both sides changed the same thing differently. */
export interface Conflict {
  /** `line 12` of yours, or a JSON pointer such as `/scripts/start`. */
  readonly at: string;
  readonly base: string;
  readonly yours: string;
  readonly theirs: string;
}

/** What a three-way merge gives. */
export interface Merged {
  readonly text: string;
  readonly conflicts: readonly Conflict[];
  /** What to record as the next base: theirs, less what the user had already written himself. */
  readonly base: string;
}

/** Something of each of the three sides of a merge. */
export interface Trio<Value> {
  readonly base: Value;
  readonly yours: Value;
  readonly theirs: Value;
}

/** One of the three sides. */
export type Side = keyof Trio<unknown>;

/** A three-way merge of one file, as `merge` in merge.ts documents it. */
export type Merge = (path: string, base: string, yours: string, theirs: string, style: ConflictStyle) => Merged;
