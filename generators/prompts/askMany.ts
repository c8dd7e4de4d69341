import { ask } from './ask.ts';

/** One thing to tick. */
export interface Choice {
  readonly name: string;
  /** What is shown for it, when that is not its name. */
  readonly message?: string;
  /** A few words about it. */
  readonly hint?: string;
}

/** Marks that can be told apart without colours. */
const marks = { indicator: { on: '◉', off: '◯' }, pointer: '▸' };

/**
 * @param message what is asked
 * @param choices to choose from
 * @param ticked names of those that are ticked at first
 * @returns the names of those that are ticked in the end, any number of them
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

/** A hint that would not fit beside its name is cut: enquirer redraws by counting lines. */
function clipped({ name, hint = '' }: Choice): string {
  const room = (process.stdout.columns || 80) - name.length - 6;
  return hint.length <= room ? hint : `${hint.slice(0, Math.max(0, room - 1))}…`;
}
