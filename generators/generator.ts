import type { PlopGeneratorConfig } from 'node-plop';
import { badInput, exitCodes, SlipwayError } from './engine/errors.ts';
import type { Command } from './command.ts';
import type { Invocation } from './invocation.ts';
import type { Intent } from './reconcile.ts';
import { visible } from './report/visible.ts';
import type { Result } from './result.ts';

/** The plop answers: the prompts set the intent, and the action sets the result or the fault. */
export interface Answers {
  readonly intent?: Intent;
  result?: Result;
  fault?: Error;
}

/**
 * @param command the command
 * @param invocation how it was called
 * @returns the command as a plop generator: its prompts return the intent, and its action carries it out
 */
export function generatorOf(command: Command, invocation: Invocation): Partial<PlopGeneratorConfig> {
  const { summary: description, ask, read } = command;
  if (ask !== undefined) {
    return { description, prompts: async () => ({ intent: await ask(invocation) }), actions: [{ type: 'reconcile' }] };
  }
  if (read === undefined) throw badInput('slipway plan needs a command', 'for example: slipway plan add postgres');
  const actions = [(answers: Answers) => recorded(answers, async () => read(invocation))];
  return { description, prompts: () => Promise.resolve({}), actions };
}

/**
 * The action type `reconcile`: carries out the intent that the prompts returned.
 * @param answers the answers of the generator
 * @param invocation how the command was called
 * @returns the text for the user
 */
export function reconciling(answers: Answers, invocation: Invocation): Promise<string> {
  return recorded(answers, async () => {
    if (answers.intent === undefined) throw new SlipwayError(exitCodes.failed, `${invocation.command} has no intent`);
    const { reconcile } = await import('./reconcile.ts');
    return reconcile(answers.intent, invocation);
  });
}

/** Runs an action and stores its result or its error in the answers for `run`. Plop keeps only the message of an error. */
async function recorded(answers: Answers, work: () => Promise<Result>): Promise<string> {
  try {
    answers.result = await work();
    return visible(answers.result.text);
  } catch (error) {
    answers.fault = error instanceof Error ? error : new Error(String(error));
    throw error;
  }
}
