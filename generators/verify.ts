import { badInput, exitCodes, SlipwayError } from './engine/errors.ts';
import { fieldOf, objectIn } from './engine/json.ts';
import type { Change, PackageManager } from './engine/model.ts';
import { packageManagerDefinitions } from './engine/packageManagers/index.ts';
import { parseJson } from './engine/parseManifest.ts';
import { isUntested } from './engine/platformTests.ts';
import { didYouMean, fewOf } from './engine/suggest.ts';
import type { Invocation } from './invocation.ts';
import { openService } from './io/service.ts';
import { manifestOf } from './present.ts';
import { loadCatalogue } from './catalogue.ts';
import { completeInstall, runWithProgress } from './io/process.ts';
import { scratchCopy } from './io/scratch.ts';
import { commit } from './io/transaction.ts';
import { quoted } from './report/visible.ts';

/**
 * Applies changes to a copy of the service, in a copy of its repository, and runs npm scripts of the service there.
 * @param root the service's folder
 * @param packageManager the package manager that installs and runs
 * @param changes the changes to check
 * @param invocation how the command was called; it names the scripts
 * @returns the commands that passed
 * @throws SlipwayError when a command fails (exit code 1), or there is no such script (exit code 2); the service is never changed
 */
export async function verifyInScratch(
  root: string,
  packageManager: PackageManager,
  changes: readonly Change[],
  invocation: Invocation,
): Promise<readonly string[]> {
  const { service, original, clear } = await scratchCopy(root);
  process.once('exit', clear);
  const { install, run } = packageManagerDefinitions[packageManager];
  try {
    commit(service, changes);
    refuseUnknownScripts(invocation.flags.verify, service);
    const commands = invocation.flags.verify.map((script) => `${run} ${script}`);
    for (const line of [install, ...commands]) {
      const what = `verify, in a copy of the service: ${line}`;
      const fault = await runWithProgress(line, service, what, invocation, completeInstall());
      if (fault === undefined) continue;
      const failed = line === install ? 'the changes cannot be verified' : 'the changes do not pass';
      throw new SlipwayError(exitCodes.failed, `${failed}: ${fault}`, {
        hint: `nothing was written; see the change with --dry-run --diff, or land it without --verify; the checks ran in a copy of ${original}, without what git ignores`,
      });
    }
    return commands;
  } finally {
    process.off('exit', clear);
    clear();
  }
}

function refuseUnknownScripts(scripts: readonly string[], folder: string): void {
  const pack = objectIn(openService(folder).read('package.json')?.bytes);
  const known = Object.keys(fieldOf(pack, 'scripts') ?? {});
  const unknown = scripts.find((script) => !known.includes(script));
  if (unknown === undefined) return;
  throw badInput(
    `--verify: there is no npm script ${quoted(unknown)}; nothing was written`,
    didYouMean(unknown, known),
  );
}

/**
 * @param root the service's folder, before the changes
 * @param invocation how the command was called
 * @returns a note that names edited platform files whose tests the service does not have; empty when there are none
 */
export function untestedNotes(root: string, { flags, cwd }: Invocation): string[] {
  const { lock, read, manifestText } = openService(root);
  const catalogue = loadCatalogue(flags.catalogue, cwd);
  const raw = manifestText === undefined ? undefined : parseJson(manifestText);
  if (fieldOf(raw, 'catalogue') !== catalogue.version) return [];
  const manifest = manifestOf(raw, catalogue);
  const edited = Object.entries(lock.files).filter(([home, { hash, ownership, at }]) => {
    const present = ownership === 'merged' ? read(at ?? home) : undefined;
    return present !== undefined && present.hash !== hash && isUntested(home, manifest, catalogue);
  });
  if (edited.length === 0) return [];
  return [`checked without the platform's tests, though you have edited ${fewOf(edited.map(([home]) => home))}`];
}
