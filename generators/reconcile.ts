import { exitCodes, SlipwayError } from './engine/errors.ts';
import { manifestPath } from './engine/manifest.ts';
import type { Change, PackageManager } from './engine/model.ts';
import { packageManagerDefinitions } from './engine/packageManagers/index.ts';
import { fewOf } from './engine/suggest.ts';
import { install, shellWord } from './install.ts';
import { followWorkflow } from './monorepo.ts';
import type { Invocation } from './invocation.ts';
import { createTree, isVacant } from './io/freshTree.ts';
import { withServiceLock } from './io/lock.ts';
import { recover, recoveryNotes, refuseInterrupted } from './io/transaction.ts';
import type { ConflictRule } from './engine/reconcile/policy.ts';
import type { Prepared } from './engine/reconcile/prepare.ts';
import { commitRun } from './lastRun.ts';
import { catalogueChange, commandsAfter, factsAfter, jsonAfter } from './next.ts';
import { planDocument } from './report/document.ts';
import { leftToDo } from './report/left.ts';
import { planText } from './report/planText.ts';
import type { Result } from './result.ts';
import { refuseFaulty, refuseUnmerged, refuseUnresolved } from './unresolved.ts';

/** The intent of a command, as its prompts return it. */
export interface Intent {
  readonly root: string;
  /** The package manager that installs the service's dependencies and runs its scripts. */
  readonly packageManager: PackageManager;
  /**
   * Reads the service and makes the plan. A run that writes calls it under the lock, and again with what the user chose for the
   * conflicts that the first plan has.
   */
  readonly prepare: (settled?: readonly ConflictRule[]) => Prepared | Promise<Prepared>;
  /** Notes on how the request was understood. */
  readonly notes?: readonly string[];
  /** The command creates the service. Dependencies are installed in any case. */
  readonly isNew?: true;
  /** Runs after the files are written and before dependencies are installed. Returns notes. */
  readonly afterwards?: () => Promise<readonly string[]>;
  /** Next steps for the user, printed last. */
  readonly next?: readonly string[];
  /** The command writes nothing. A plan that is not empty is drift. */
  readonly examine?: true;
  /** The plan was made elsewhere. Everything that it writes is shown. */
  readonly isForeign?: true;
  /** The command works on files with conflicts of git. */
  readonly resolves?: true;
}

/** The outcome of a plan. */
interface Outcome {
  readonly applied: boolean;
  readonly notes?: readonly string[];
  /** What is left to do with the dependencies. */
  readonly next?: readonly string[];
  /** A failure after the files were written. The files are kept. */
  readonly fault?: SlipwayError | undefined;
}

/**
 * The one custom action: prepares a plan and carries it out, all or nothing.
 * @param intent the intent of the command
 * @param invocation how it was called
 * @returns the result for the user; with conflicts that are not settled, exit code 3 and nothing is written
 */
export async function reconcile(intent: Intent, invocation: Invocation): Promise<Result> {
  const { flags } = invocation;
  if (intent.examine || flags.dryRun) {
    refuseInterrupted(intent.root);
    const prepared = await intent.prepare();
    if (!intent.resolves && !isVacant(intent.root)) await refuseUnmerged(intent.root, prepared, invocation);
    refuseFaulty(prepared);
    return tell(intent, invocation, prepared, { applied: false });
  }
  if (isVacant(intent.root)) {
    return carryOut(intent, invocation, await intent.prepare(), (changes) => {
      createTree(intent.root, written(changes));
      return [];
    });
  }
  return withServiceLock(intent.root, async () => {
    const recovered = recoveryNotes(recover(intent.root));
    const prepared = await intent.prepare();
    if (!intent.resolves) await refuseUnresolved(intent.root, prepared, invocation);
    refuseFaulty(prepared);
    const noted = [...recovered, ...(intent.resolves ? [] : await uncommittedNotes(intent.root, prepared, invocation))];
    const land = (changes: readonly Change[]) => commitRun(intent.root, changes, invocation.command);
    return carryOut(intent, invocation, prepared, land, noted);
  });
}

/** A run on top of uncommitted edits is hard to take back with git. */
async function uncommittedNotes(root: string, prepared: Prepared, { flags }: Invocation): Promise<string[]> {
  if (prepared.changes.length === 0 || hasConflicts(prepared) || !flags.git) return [];
  const { hasUncommittedEdits } = await import('./io/git.ts');
  return (await hasUncommittedEdits(root))
    ? ['there were uncommitted edits before this run; `slipway undo` takes back this run alone']
    : [];
}

async function carryOut(
  intent: Intent,
  invocation: Invocation,
  planned: Prepared,
  land: (changes: readonly Change[]) => readonly string[],
  recovered: readonly string[] = [],
): Promise<Result> {
  const { flags, interactive } = invocation;
  const notes = [...recovered];
  const prepared =
    interactive && hasConflicts(planned)
      ? await (await import('./settle.ts')).settleByAsking(intent.prepare, invocation, planned)
      : planned;
  if (hasConflicts(prepared)) return tell(intent, invocation, prepared, { applied: false, notes });
  const { changes } = prepared;
  if (changes.length > 0) {
    if (flags.verify.length > 0) notes.push(...(await verify(intent, prepared, invocation)));
    notes.push(...land(changes));
    // After `undo` of `resolve`, slipway.json may hold conflicts of git again.
    const hasManifest = jsonAfter(manifestPath, prepared) !== undefined;
    if (!intent.isForeign && hasManifest)
      notes.push(...(await followWorkflow(intent.root, prepared, invocation.flags.git)));
  }
  notes.push(...((await intent.afterwards?.()) ?? []));
  if (flags.git && changes.length > 0) notes.push(...(await ignoredNotes(intent.root, changes)));
  const installed = await installAsNeeded(intent, prepared, invocation);
  return tell(intent, invocation, prepared, { applied: true, notes, ...installed });
}

function hasConflicts({ entries }: Prepared): boolean {
  return entries.some(({ action }) => action === 'conflict');
}

/** Names the written files that git ignores. A clone would lack them. */
async function ignoredNotes(root: string, changes: readonly Change[]): Promise<string[]> {
  const { ignoredFiles } = await import('./io/git.ts');
  const files = changes.flatMap((change) => ('write' in change ? [change.path] : []));
  // The files are written: when git refuses to answer, there is no note.
  const ignored = await ignoredFiles(root, files).catch((): string[] => []);
  const [first] = ignored;
  if (first === undefined) return [];
  return [
    `git ignores ${fewOf(ignored)}: a commit and a clone lack ${ignored.length === 1 ? 'it' : 'them'}`,
    `this shows the rule of a .gitignore: git check-ignore --verbose ${shellWord(first)}`,
  ];
}

/**
 * Installs dependencies when a plan has changed them. It does not while conflicts are left, or when package.json is not JSON.
 * @param service its folder, and the package manager that installs
 * @param prepared the plan
 * @param invocation how the command was called
 * @returns the fault, if any, and the command that is left to run
 */
export async function installAsNeeded(
  { root, packageManager, isNew, resolves }: Pick<Intent, 'root' | 'packageManager' | 'isNew' | 'resolves'>,
  prepared: Prepared,
  invocation: Invocation,
): Promise<Pick<Outcome, 'next' | 'fault'>> {
  const { lockfile, install: installing } = packageManagerDefinitions[packageManager];
  const isNeeded = isNew || prepared.changes.some(({ path }) => path === 'package.json' || path === lockfile);
  if (!isNeeded) return {};
  const isBroken = jsonAfter('package.json', prepared) === undefined;
  // After `undo` of `resolve`, package.json holds conflicts of git again.
  const isLeft = leftToDo(prepared).length > 0 || (isBroken && resolves);
  if (!invocation.flags.install || isLeft) return { next: [installing] };
  if (isBroken) {
    const fault = new SlipwayError(exitCodes.failed, 'dependencies are not installed: package.json is not JSON', {
      hint: `the files are written; correct it, then go on with: ${installing}`,
    });
    return { next: [installing], fault };
  }
  const { fault, next } = await install(root, packageManager, invocation);
  return fault === undefined ? { ...(next && { next }) } : { next: [installing], fault };
}

async function verify(
  { root, packageManager, resolves }: Intent,
  prepared: Prepared,
  invocation: Invocation,
): Promise<readonly string[]> {
  const [left] = leftToDo(prepared);
  if (left !== undefined) {
    throw new SlipwayError(exitCodes.conflicts, `--verify cannot check ${left.path}, whose conflicts are left to you`, {
      hint: 'settle them with --conflict=ours or theirs, or leave out --verify; nothing was written',
    });
  }
  const { untestedNotes, verifyInScratch } = await import('./verify.ts');
  const passed = await verifyInScratch(root, packageManager, prepared.changes, invocation);
  // The manifest may hold conflicts of git.
  const untested = resolves ? [] : untestedNotes(root, invocation);
  return [`these pass in a copy of the service: ${passed.join(', ')}`, ...untested];
}

async function tell(
  intent: Intent,
  invocation: Invocation,
  prepared: Prepared,
  { applied, notes: ofRun = [], next: installing = [], fault }: Outcome,
): Promise<Result> {
  const { command, flags } = invocation;
  const left = leftToDo(prepared);
  const catalogue = catalogueChange(prepared);
  const conflicts = hasConflicts(prepared);
  const isOpen = conflicts || left.length > 0;
  const drift = intent.examine && (isOpen || prepared.changes.length > 0);
  const exitCode = drift ? exitCodes.drift : isOpen ? exitCodes.conflicts : (fault?.exitCode ?? exitCodes.done);
  const notes = [
    ...(intent.notes ?? []),
    ...(catalogue === undefined ? [] : [`catalogue ${catalogue.from} → ${catalogue.to}`]),
    ...ofRun,
  ];
  const facts = conflicts || intent.examine ? [] : factsAfter(intent, invocation, prepared);
  const next = [...facts, ...(applied ? commandsAfter(intent, prepared, installing) : [])];
  const diff = flags.diff
    ? { diff: (await import('./report/diff.ts')).planDiff(prepared, intent.isForeign === true) }
    : {};
  return {
    exitCode,
    text: planText(prepared, { applied, notes, next, left, catalogue, command, ...diff }),
    json: planDocument(prepared, {
      applied,
      notes,
      next,
      left,
      ...(catalogue && { catalogue }),
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
