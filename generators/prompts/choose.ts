import { ask } from './ask.ts';

/** One choice of a question. */
export interface Choice<Name extends string = string> {
  readonly name: Name;
  /** The displayed text; default: the name. */
  readonly message?: string;
  /** A short description. */
  readonly hint?: string;
}

/** Marks that differ without colours. */
const marks = { indicator: { on: '◉', off: '◯' }, pointer: '▸' };

/**
 * @param message the question
 * @param choices to choose from, at least one
 * @param initial name of the choice that is selected at first; default: the first
 * @returns the name of the selected choice
 */
export async function askOne<Name extends string>(
  message: string,
  choices: readonly Choice<Name>[],
  initial?: Name,
): Promise<Name> {
  const answer = await ask({
    type: 'select',
    message,
    choices: choices.map(shown),
    ...(initial && { initial }),
    ...marks,
  });
  const found = choices.find(({ name }) => name === answer);
  if (found === undefined) throw new Error(`${String(answer)} was not offered`);
  return found.name;
}

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
    choices: choices.map(shown),
    initial: ticked,
    ...marks,
  });
  return Array.isArray(answer) ? answer.map(String) : [];
}

/** Enquirer changes the objects of choices, so each question gets its own. */
function shown(choice: Choice): Choice {
  return { ...choice, ...(choice.hint && { hint: clipped(choice) }) };
}

/** Cuts a hint that does not fit beside its name. Enquirer counts lines to redraw, so no line may wrap. */
function clipped({ name, hint = '' }: Choice): string {
  const room = (process.stdout.columns || 80) - name.length - 6;
  return hint.length <= room ? hint : `${hint.slice(0, Math.max(0, room - 1))}…`;
}
