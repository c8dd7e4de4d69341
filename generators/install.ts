import path from 'node:path';
import { exitCodes, SlipwayError } from './engine/errors.ts';
import type { PackageManager } from './engine/model.ts';
import { packageManagerCommands } from './engine/template.ts';
import type { Invocation } from './invocation.ts';
import type { Aftermath } from './reconcile.ts';
import { visible } from './report/visible.ts';

/**
 * Installs a service's dependencies and shows progress on a terminal. The service is kept when this fails. No script runs
 * when a plan or a catalogue of someone else may have named the packages and the scripts.
 * @param root the service's folder
 * @param packageManager the package manager
 * @param invocation how the command was called
 * @returns the error with the reason and the next command, if it failed; a note when scripts were left out
 */
export async function install(
  root: string,
  packageManager: PackageManager,
  invocation: Invocation,
): Promise<Pick<Aftermath, 'fault' | 'notes'>> {
  const { install: whole, installOnly } = packageManagerCommands[packageManager];
  const isForeign = invocation.command === 'apply' || invocation.flags.catalogue !== undefined;
  const command = isForeign ? installOnly : whole;
  const way = path.relative(invocation.cwd, root);
  const hint = `the files are written; go on with: ${way === '' ? '' : `cd ${shellWord(way)} && `}${command}`;
  const tellInterrupted = (): void => {
    process.stderr.write(visible(`dependencies are not installed\n  ${hint}\n`));
  };
  process.once('exit', tellInterrupted);
  try {
    const { runWithProgress } = await import('./io/process.ts');
    const fault = await runWithProgress(command, root, 'installing dependencies', invocation);
    if (fault !== undefined)
      return { fault: new SlipwayError(exitCodes.failed, `dependencies are not installed: ${fault}`, { hint }) };
    const note = `no script of a package was run; look at package.json, then: ${packageManager} rebuild`;
    return isForeign ? { notes: [note] } : {};
  } finally {
    process.off('exit', tellInterrupted);
  }
}

/**
 * @param word any text
 * @returns the word, quoted for a shell where necessary
 */
export function shellWord(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
