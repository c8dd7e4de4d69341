import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fs from 'fs-extra';
import { badInput, exitCodes, SlipwayError } from './engine/errors.ts';
import { fieldOf, objectIn } from './engine/json.ts';
import type { Change, PackageManager } from './engine/model.ts';
import { packageManagerCommands } from './engine/template.ts';
import { parseJson } from './engine/parseManifest.ts';
import { isUntested } from './engine/platformTests.ts';
import { didYouMean, fewOf } from './engine/suggest.ts';
import type { Invocation } from './invocation.ts';
import { openService } from './io/service.ts';
import { manifestOf } from './present.ts';
import { loadCatalogue } from './catalogue.ts';
import { runWithProgress } from './io/process.ts';
import { commit } from './io/transaction.ts';
import { quoted } from './report/visible.ts';

/** Paths that are not copied: git's folder, and dependencies and output, which the checks create again. */
const leftOut = /(?:^|[\\/])(?:node_modules|\.git)$|^(?:dist|coverage)$/;

/**
 * Applies changes to a copy of the service and runs npm scripts of the service there.
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
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'slipway-verify-'));
  const clear = (): void => rmSync(scratch, { recursive: true, force: true });
  process.once('exit', clear);
  const { install, run } = packageManagerCommands[packageManager];
  try {
    if (fs.pathExistsSync(root)) {
      fs.copySync(root, scratch, {
        filter: (file) => !leftOut.test(path.relative(root, file)) && isCopied(fs.lstatSync(file)),
      });
    }
    commit(scratch, changes);
    refuseUnknownScripts(invocation.flags.verify, scratch);
    const commands = invocation.flags.verify.map((script) => `${run} ${script}`);
    for (const line of [install, ...commands]) {
      const fault = await runWithProgress(line, scratch, `verify, in a copy of the service: ${line}`, invocation);
      if (fault === undefined) continue;
      const failed = line === install ? 'the changes cannot be verified' : 'the changes do not pass';
      throw new SlipwayError(exitCodes.failed, `${failed}: ${fault}`, {
        hint: 'nothing was written; see the change with --dry-run --diff, or land it without --verify',
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

/** Leaves out pipes, sockets and devices. They are not part of a service, and reading one may never end. */
function isCopied(stat: fs.Stats): boolean {
  return stat.isFile() || stat.isDirectory() || stat.isSymbolicLink();
}
