import { statSync } from 'node:fs';
import nodePlop from 'node-plop';
import { badInput, exitCodes, SlipwayError } from './engine/errors.ts';
import { loadCommand } from './commands.ts';
import { type Answers, generatorOf, reconciling } from './generator.ts';
import type { Invocation } from './invocation.ts';
import { codeOf, osFault } from './io/faults.ts';
import type { Result } from './result.ts';

/**
 * Runs one command as a plop generator.
 * @param invocation how the command was called
 * @returns the result for the user
 * @throws SlipwayError for an expected failure; any other error is a fault of Slipway itself
 */
export async function run(invocation: Invocation): Promise<Result> {
  refuseMissingFolder(invocation.cwd);
  try {
    return await generate(invocation);
  } catch (error) {
    throw explained(error, invocation.flags.catalogue);
  }
}

/** Reports an unexpected error as a fault of the catalogue when the user named a catalogue. Its content may be of any quality. */
function explained(error: unknown, catalogue: string | undefined): unknown {
  if (catalogue === undefined || error instanceof SlipwayError || codeOf(error) !== undefined) return error;
  const message = error instanceof Error ? error.message : String(error);
  return badInput(`the catalogue ${catalogue} does not hold together: ${message}`, 'ask its author for a correct one');
}

async function generate(invocation: Invocation): Promise<Result> {
  const { command: name } = invocation;
  // Plop loads the package.json of this folder. The folder must not be a service, which may come from a stranger.
  const plop = await nodePlop('', { destBasePath: import.meta.dirname, force: false });
  plop.setActionType('reconcile', (answers: Answers) => reconciling(answers, invocation));
  plop.setGenerator(name, generatorOf(await loadCommand(name), invocation));
  const generator = plop.getGenerator(name);
  // Plop returns the result of the prompts as an untyped object.
  const answers = (await generator.runPrompts()) as Answers;
  await generator.runActions(answers);
  if (answers.fault !== undefined) throw answers.fault;
  if (answers.result === undefined) throw new SlipwayError(exitCodes.failed, `${name} did nothing`);
  return answers.result;
}

function refuseMissingFolder(folder: string): void {
  try {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  } catch (error) {
    throw osFault(error, `cannot use the folder ${folder}`, exitCodes.badInput);
  }
  throw badInput(`there is no folder ${folder}`, 'name one that is there with --cwd');
}
