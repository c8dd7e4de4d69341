import path from 'node:path';
import { exitCodes, SlipwayError } from './engine/errors.ts';
import type { PackageManager } from './engine/model.ts';
import { packageManagerCommands } from './engine/template.ts';
import type { Invocation } from './invocation.ts';

/**
 * Installs a service's dependencies and shows progress on a terminal. The service is kept when this fails.
 * @param root the service's folder
 * @param packageManager the package manager
 * @param invocation how the command was called
 * @returns undefined on success, otherwise an error with the reason and the next command
 */
export async function install(
  root: string,
  packageManager: PackageManager,
  invocation: Invocation,
): Promise<SlipwayError | undefined> {
  const command = packageManagerCommands[packageManager].install;
  const hint = `the files are written; go on with: ${[...wayTo(root), command].join(' && ')}`;
  const tellInterrupted = (): void => {
    process.stderr.write(`dependencies are not installed\n  ${hint}\n`);
  };
  process.once('exit', tellInterrupted);
  try {
    const { completeInstall, runWithProgress } = await import('./io/process.ts');
    const fault = await runWithProgress(command, root, 'installing dependencies', invocation, completeInstall());
    return fault === undefined
      ? undefined
      : new SlipwayError(exitCodes.failed, `dependencies are not installed: ${fault}`, { hint });
  } finally {
    process.off('exit', tellInterrupted);
  }
}

/**
 * @param root a service's folder
 * @returns the command that leads there from the folder of the user's shell; empty when it is the same folder
 */
export function wayTo(root: string): string[] {
  const way = path.relative(process.cwd(), root);
  return way === '' ? [] : [`cd ${shellWord(way)}`];
}

/**
 * @param word any text
 * @returns the word, quoted for a shell where necessary
 */
export function shellWord(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
