import type { NodePlopAPI } from 'node-plop';
import { readArguments } from '../bin/arguments.ts';
import { commandNames, loadCommand } from './commands.ts';
import { badInput } from './engine/errors.ts';
import { type Answers, generatorOf, reconciling } from './generator.ts';
import type { Invocation } from './invocation.ts';
import { visible } from './report/visible.ts';
import { run } from './run.ts';

/**
 * Slipway as a plop pack. `await plop.load('create-slipway')` in a plopfile offers each command as the generator
 * `slipway-<command>`, and the action type `reconcile`. `{ type: 'reconcile', command: ['add', 'redis'] }` runs that
 * command as one step of your own generator. The step asks nothing, writes all or nothing, and fails with the
 * command's own error.
 * @param plop plop's API
 */
export default async function plopfile(plop: NodePlopAPI): Promise<void> {
  const interactive = process.stdin.isTTY && process.stdout.isTTY;
  plop.setActionType('reconcile', async (answers: Answers, config) => {
    const command: unknown = 'command' in config ? config['command'] : undefined;
    if (!Array.isArray(command)) return reconciling(answers, await invocationOf(['update'], false));
    const { exitCode, text } = await run(await invocationOf(command.map(String), false));
    if (exitCode !== 0) throw new Error(visible(text));
    return visible(text);
  });
  for (const name of commandNames.filter((each) => each !== 'plan')) {
    plop.setGenerator(`slipway-${name}`, generatorOf(await loadCommand(name), await invocationOf([name], interactive)));
  }
  plop.setDefaultInclude({ generators: true, actionTypes: true });
}

async function invocationOf(words: readonly string[], mayAsk: boolean): Promise<Invocation> {
  const request = await readArguments(words, process.cwd(), mayAsk);
  if (request.kind === 'run') return request.invocation;
  throw badInput(`"${words.join(' ')}" is no command of Slipway that a generator can run`);
}
