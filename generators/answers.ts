import type { Intent } from './reconcile.ts';
import type { Result } from './result.ts';

/** What a generator's prompts give to its action, and the action gives back. */
export interface Answers {
  readonly intent?: Intent;
  result?: Result;
  fault?: Error;
}

/**
 * Runs an action and leaves its result, or its fault, where `run` finds them.
 * @param answers of the generator
 * @param work the action
 * @returns the result's text, for plop
 */
export async function recorded(answers: Answers, work: () => Promise<Result>): Promise<string> {
  try {
    answers.result = await work();
    return answers.result.text;
  } catch (error) {
    answers.fault = error instanceof Error ? error : new Error(String(error));
    throw error;
  }
}
