import { ask } from './ask.ts';

/** One choice of a multiple-choice question. */
export interface Choice {
  readonly name: string;
  /** The displayed text; default: the name. */
  readonly message?: string;
  /** A short description. */
  readonly hint?: string;
}

/** Marks that differ without colours. */
const marks = { indicator: { on: '◉', off: '◯' }, pointer: '▸' };

/**
 * @param message the question
 * @param choices to choose from
 * @param ticked names of the choices that are selected at first
 * @returns the names of the selected choices, any number of them
 */
export async function askMany(
  message: string,
  choices: readonly Choice[],
  ticked: readonly string[],
): Promise<string[]> {
  const answer = await ask({
    type: 'multiselect',
    message: `${message} (space ticks, enter goes on)`,
    choices: choices.map((choice) => ({ ...choice, ...(choice.hint && { hint: clipped(choice) }) })),
    initial: ticked,
    ...marks,
  });
  return Array.isArray(answer) ? answer.map(String) : [];
}

/** Cuts a hint that does not fit beside its name. Enquirer counts lines to redraw, so no line may wrap. */
function clipped({ name, hint = '' }: Choice): string {
  const room = (process.stdout.columns || 80) - name.length - 6;
  return hint.length <= room ? hint : `${hint.slice(0, Math.max(0, room - 1))}…`;
}
