import { existsSync, lstatSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { badInput, exitCodes, SlipwayError } from './engine/errors.ts';
import { manifestPath } from './engine/manifest.ts';
import { fileNameFault } from './engine/names.ts';
import { fewOf } from './engine/suggest.ts';
import { osFault } from './io/faults.ts';
import { isInterrupted } from './io/transaction.ts';

/**
 * Names of what systems, editors and git put into a folder, and of licences. A folder with nothing else counts as empty, because a new
 * service has no such file. `.slipway` may come from an interrupted run; the next run recovers it.
 */
const furniture =
  /^(?:\.DS_Store|\.directory|Thumbs\.db|desktop\.ini|\.git|\.idea|\.vscode|\.vs|\.zed|\.fleet|\.slipway|LICEN[CS]E(?:\.\w+)?|COPYING)$/i;

/**
 * Refuses a name that some system cannot store, and a non-empty folder that is not a git repository. No existing file is changed.
 * @param directory folder of the new service, as the user named it
 * @param cwd folder that `directory` is relative to
 * @throws SlipwayError (exit code 2) when a service cannot be created there
 */
export function refuseForeignFolder(directory: string, cwd: string): void {
  if (directory.trim() === '') throw badInput('the folder has no name', 'for example: create-slipway orders');
  const root = path.resolve(cwd, directory);
  const names = namesIn(directory, root);
  const fault = existsSync(root) ? undefined : fileNameFault(path.basename(root));
  if (fault !== undefined)
    throw badInput(`no folder can be called ${directory} everywhere: ${fault}`, 'name another folder');
  if (names.includes(manifestPath)) throw alreadyService(directory);
  const foreign = names.filter((name) => !furniture.test(name));
  if (foreign.length === 0 || names.includes('.git') || isInterrupted(root)) return;
  throw badInput(
    `${directory} is not empty, and not a git repository: ${fewOf(foreign)}`,
    'name another folder, or run `git init` there first so that nothing can be lost',
  );
}

/**
 * @param directory folder of a service, as the user named it
 * @returns the error of a command that would create a service there
 */
export function alreadyService(directory: string): SlipwayError {
  return badInput(`${directory} is a service already`, 'change it with `slipway add`, `remove`, `ci` or `update`');
}

/**
 * The same check as `refuseForeignFolder`, for a prompt.
 * @param directory folder of the new service, as the user named it
 * @param cwd folder that `directory` is relative to
 * @returns why a service cannot be created there; undefined when it can
 */
export function newFolderFault(directory: string, cwd: string): string | undefined {
  try {
    refuseForeignFolder(directory, cwd);
    return undefined;
  } catch (error) {
    if (error instanceof SlipwayError) return error.message;
    throw error;
  }
}

/** Lists the names in a folder. The list is empty when the folder does not exist. */
function namesIn(directory: string, root: string): string[] {
  try {
    if (lstatSync(root, { throwIfNoEntry: false }) === undefined) return [];
    const target = statSync(root, { throwIfNoEntry: false });
    if (target === undefined) throw badInput(`${directory} is a link to nowhere`, 'delete it, or name another folder');
    if (!target.isDirectory()) throw badInput(`${directory} is a file`, 'name another folder');
    return readdirSync(root);
  } catch (error) {
    throw osFault(error, `cannot use ${directory}`, exitCodes.badInput);
  }
}
