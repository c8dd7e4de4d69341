import path from 'node:path';
import { exitCodes, SlipwayError } from './engine/errors.ts';
import type { PackageManager } from './engine/model.ts';
import { packageManagerDefinitions } from './engine/packageManagers/index.ts';
import type { Invocation } from './invocation.ts';
import { visible } from './report/visible.ts';

/**
 * Installs a service's dependencies and shows progress on a terminal. The service is kept when this fails. No script runs
 * when a plan or a catalogue of someone else may have named the packages and the scripts.
 * @param root the service's folder
 * @param packageManager the package manager
 * @param invocation how the command was called
 * @returns the error with the reason and the next command, if it failed; the next step when scripts were left out
 */
export async function install(
  root: string,
  packageManager: PackageManager,
  invocation: Invocation,
): Promise<{ readonly fault?: SlipwayError; readonly next?: readonly string[] }> {
  const { install: whole, installOnly, rebuild } = packageManagerDefinitions[packageManager];
  const isForeign = invocation.command === 'apply' || invocation.flags.catalogue !== undefined;
  if (isForeign && installOnly === undefined) {
    return {
      next: [`${whole}   # not done, because it may run code of the service: read package.json and the settings first`],
    };
  }
  const command = (isForeign ? installOnly : undefined) ?? whole;
  const hint = `the files are written; go on with: ${[...wayTo(root), command].join(' && ')}`;
  const tellInterrupted = (): void => {
    process.stderr.write(visible(`dependencies are not installed\n  ${hint}\n`));
  };
  process.once('exit', tellInterrupted);
  try {
    const { completeInstall, runWithProgress } = await import('./io/process.ts');
    const fault = await runWithProgress(command, root, 'installing dependencies', invocation, completeInstall());
    if (fault !== undefined)
      return { fault: new SlipwayError(exitCodes.failed, `dependencies are not installed: ${fault}`, { hint }) };
    return isForeign
      ? {
          next: [`${rebuild}   # runs the scripts of packages, which were left out: read package.json first`],
        }
      : {};
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
