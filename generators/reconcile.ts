import { exitCodes, type SlipwayError } from './engine/errors.ts';
import type { Change, PackageManager } from './engine/model.ts';
import { packageManagerCommands } from './engine/template.ts';
import { install } from './install.ts';
import type { Invocation } from './invocation.ts';
import { createTree, isVacant } from './io/freshTree.ts';
import { withServiceLock } from './io/lock.ts';
import { commit, recover, recoveryNotes, refuseInterrupted } from './io/transaction.ts';
import type { Prepared } from './engine/reconcile/prepare.ts';
import { planDocument } from './report/document.ts';
import { planText } from './report/planText.ts';
import type { Result } from './result.ts';
import { refuseUnresolved } from './unresolved.ts';

/** The outcome of the steps after the files were written. */
export interface Aftermath {
  readonly notes?: readonly string[];
  /** Next steps for the user, printed last. */
  readonly next?: readonly string[];
  /** A failure of these steps. The files are kept. */
  readonly fault?: SlipwayError | undefined;
}

/** The intent of a command, as its prompts return it. */
export interface Intent {
  readonly root: string;
  /** The package manager that installs the service's dependencies and runs its scripts. */
  readonly packageManager: PackageManager;
  /** Reads the service and makes the plan. It is called once; a run that writes calls it under the lock. */
  readonly prepare: () => Prepared | Promise<Prepared>;
  /** Notes on how the request was understood. */
  readonly notes?: readonly string[];
  /** Runs after the files are written. Default: install dependencies when they changed. */
  readonly afterwards?: () => Promise<Aftermath>;
  /** The command writes nothing. A plan that is not empty is drift. */
  readonly examine?: true;
  /** The plan was made elsewhere. Everything that it writes is shown. */
  readonly isForeign?: true;
}

/**
 * The one custom action: prepares a plan and carries it out, all or nothing.
 * @param intent the intent of the command
 * @param invocation how it was called
 * @returns the result for the user; with conflicts, exit code 3 and nothing is written
 */
export async function reconcile(intent: Intent, invocation: Invocation): Promise<Result> {
  const { flags } = invocation;
  if (intent.examine || flags.dryRun) {
    refuseInterrupted(intent.root);
    return tell(intent, invocation, await intent.prepare(), false);
  }
  if (isVacant(intent.root)) {
    return carryOut(intent, invocation, await intent.prepare(), (changes) => createTree(intent.root, written(changes)));
  }
  return withServiceLock(intent.root, async () => {
    const recovered = recoveryNotes(recover(intent.root));
    const prepared = await intent.prepare();
    await refuseUnresolved(intent.root, prepared, invocation);
    return carryOut(intent, invocation, prepared, (changes) => commit(intent.root, changes), recovered);
  });
}

async function carryOut(
  intent: Intent,
  invocation: Invocation,
  prepared: Prepared,
  land: (changes: readonly Change[]) => void,
  recovered: readonly string[] = [],
): Promise<Result> {
  const told = [...recovered];
  const { changes, entries } = prepared;
  if (entries.some((entry) => entry.action === 'conflict'))
    return tell(intent, invocation, prepared, false, { notes: told });
  if (changes.length > 0) {
    if (invocation.flags.verify) told.push(...(await verify(intent, changes, invocation)));
    land(changes);
  }
  const aftermath = await (intent.afterwards?.() ?? installAsNeeded(intent, changes, invocation));
  return tell(intent, invocation, prepared, true, { ...aftermath, notes: [...told, ...(aftermath.notes ?? [])] });
}

async function installAsNeeded(
  { root, packageManager }: Intent,
  changes: readonly Change[],
  invocation: Invocation,
): Promise<Aftermath> {
  const { lockfile, install: installing } = packageManagerCommands[packageManager];
  const changed = ['package.json', lockfile].find((file) => changes.some(({ path }) => path === file));
  if (changed === undefined) return {};
  if (invocation.flags.install) return install(root, packageManager, invocation);
  return { notes: [`${changed} has changed; go on with: ${installing}`] };
}

async function verify(
  { root, packageManager }: Intent,
  changes: readonly Change[],
  invocation: Invocation,
): Promise<readonly string[]> {
  const { untestedNotes, verifyInScratch } = await import('./verify.ts');
  await verifyInScratch(root, packageManager, changes, invocation);
  return untestedNotes(root, invocation);
}

async function tell(
  intent: Intent,
  { command, flags }: Invocation,
  prepared: Prepared,
  applied: boolean,
  { notes: told = [], next = [], fault }: Aftermath = {},
): Promise<Result> {
  const conflicts = prepared.entries.some((entry) => entry.action === 'conflict');
  const drift = intent.examine && (conflicts || prepared.changes.length > 0);
  const exitCode = drift ? exitCodes.drift : conflicts ? exitCodes.conflicts : (fault?.exitCode ?? exitCodes.done);
  const notes = [...(intent.notes ?? []), ...told];
  const diff = flags.diff
    ? { diff: (await import('./report/diff.ts')).planDiff(prepared, intent.isForeign === true) }
    : {};
  return {
    exitCode,
    text: planText(prepared, { applied, notes, next, command, ...diff }),
    json: planDocument(prepared, {
      applied,
      notes,
      command,
      exitCode,
      ...(fault && { error: { message: fault.message, hint: fault.hint } }),
    }),
    ...(fault && { fault }),
  };
}

function written(changes: readonly Change[]): { path: string; bytes: Uint8Array; mode: number }[] {
  return changes.flatMap((change) =>
    'write' in change ? [{ path: change.path, bytes: change.write, mode: change.mode }] : [],
  );
}
