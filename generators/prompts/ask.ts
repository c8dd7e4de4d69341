import Enquirer from 'enquirer';
import { exitCodes, SlipwayError } from '../engine/errors.ts';

/** What enquirer is asked with; its own types leave most of it out. */
export type Question = { readonly type: string; readonly message: string } & Readonly<Record<string, unknown>>;

/**
 * Asks one question on the terminal.
 * @param question for enquirer
 * @returns what the user answered
 * @throws SlipwayError (exit code 1) when the user gives up with Ctrl+C or Escape; nothing has been written by then
 */
export async function ask(question: Question): Promise<unknown> {
  const enquirer = new Enquirer<{ answer: unknown }>();
  try {
    const { answer } = await enquirer.prompt({ name: 'answer', ...question });
    return answer;
  } catch (error) {
    if (isCancelled(error))
      throw new SlipwayError(exitCodes.failed, 'cancelled; nothing was written', { cause: error });
    throw error;
  }
}

/** Ctrl+C rejects with an empty string, or, from Node 24.2 on, with a fault of readline, which is closed twice (enquirer issue 483). */
function isCancelled(error: unknown): boolean {
  if (error === '' || error === undefined) return true;
  return error instanceof Error && 'code' in error && error.code === 'ERR_USE_AFTER_CLOSE';
}
