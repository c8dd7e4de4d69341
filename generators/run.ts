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
 * @returns what to tell the user
 * @throws SlipwayError what went wrong; anything else is a fault of Slipway itself
 */
export async function run(invocation: Invocation): Promise<Result> {
  refuseMissingFolder(invocation.cwd);
  try {
    return await generate(invocation);
  } catch (error) {
    throw explained(error, invocation.flags.catalogue);
  }
}

/** A catalogue from elsewhere is data of unknown quality: when something breaks over it, that is where to look first. */
function explained(error: unknown, catalogue: string | undefined): unknown {
  if (catalogue === undefined || error instanceof SlipwayError || codeOf(error) !== undefined) return error;
  const message = error instanceof Error ? error.message : String(error);
  return badInput(`the catalogue ${catalogue} does not hold together: ${message}`, 'ask its author for a correct one');
}

async function generate(invocation: Invocation): Promise<Result> {
  const { command: name } = invocation;
  // Plop requires the package.json of its folder: not that of a service, which may be a stranger's.
  const plop = await nodePlop('', { destBasePath: import.meta.dirname, force: false });
  plop.setActionType('reconcile', (answers: Answers) => reconciling(answers, invocation));
  plop.setGenerator(name, generatorOf(await loadCommand(name), invocation));
  const generator = plop.getGenerator(name);
  // Plop passes on what the generator's prompts gave, typed as anything.
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
