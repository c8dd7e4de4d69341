import { askOne } from './choose.ts';

const hints = {
  ours: 'keep your version',
  theirs: 'take Slipway’s version',
  edit: 'open both in your editor ($VISUAL, $EDITOR)',
  markers: 'write both between conflict markers, to resolve later',
  skip: 'leave this file as it is, write the others',
} as const;

/** What the user can do with the conflicts of one file. */
export type ConflictAnswer = keyof typeof hints;

/**
 * @param question names the conflict
 * @param isWhole whether the conflict is about the whole file, so that no text shows both sides
 * @returns what to do with the file
 */
export async function askConflict(question: string, isWhole: boolean): Promise<ConflictAnswer> {
  const answers = Object.keys(hints) as ConflictAnswer[];
  const offered = isWhole ? answers.filter((answer) => answer !== 'edit' && answer !== 'markers') : answers;
  return askOne(
    question,
    offered.map((name) => ({ name, message: name.padEnd('markers'.length), hint: hints[name] })),
  );
}
