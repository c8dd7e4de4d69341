import { changing, defineCommand } from '../command.ts';
import { badInput, exitCodes, SlipwayError } from '../engine/errors.ts';
import type { Change } from '../engine/model.ts';
import { findService } from '../io/service.ts';
import { readFileInside } from '../io/tree.ts';
import { type LastRun, lastRun } from '../lastRun.ts';
import { packageManagerIn } from '../present.ts';
import { parsePlan } from '../report/document.ts';

// A run is taken back whole or not at all: there is nothing to choose for a file that has changed since.
const { conflict: _conflict, ...flags } = changing;

export const command = defineCommand({
  usage: '',
  summary: 'take back the last run, while the files that it wrote are unchanged',
  flags,
  ask: (invocation) => {
    const root = findService(invocation.cwd);
    const last = lastRun(root);
    if (last === undefined) {
      throw badInput(
        'there is no run to take back in this service',
        'git diff shows what has changed since the last commit',
      );
    }
    const { entries, changes } = parsePlan(last.text, 'the record of the last run');
    return {
      root,
      get packageManager() {
        return packageManagerIn(root);
      },
      notes: [`takes back: slipway ${last.command}`],
      // After `resolve`, files may be unmerged.
      resolves: true,
      prepare: () => {
        refuseEdited(root, changes, last);
        // The content is read now, because it is shown after the changes are written.
        const before = new Map(changes.map(({ path }) => [path, readFileInside(root, path)?.bytes]));
        return {
          entries,
          changes,
          before: (path) => (before.has(path) ? before.get(path) : readFileInside(root, path)?.bytes),
        };
      },
      afterwards: async () => {
        if (last.command === 'resolve' && invocation.flags.git) await restoreIndex(root, changes);
        return [];
      },
    };
  },
});

function refuseEdited(root: string, changes: readonly Change[], { command: name }: LastRun): void {
  const edited = changes.filter(({ path, expect }) => (readFileInside(root, path)?.hash ?? null) !== expect);
  if (edited.length === 0) return;
  const files = edited.map(({ path }) => path);
  throw new SlipwayError(exitCodes.conflicts, `changed since \`slipway ${name}\`: ${files.join(', ')}`, {
    hint:
      'put these files back as that run wrote them (git diff and git log show your changes), or take the change back ' +
      'with another command; nothing was written',
    details: { files },
  });
}

/** After `resolve`, brings git's index back too. */
async function restoreIndex(root: string, changes: readonly Change[]): Promise<void> {
  const { stageFiles, unstageResolved } = await import('../io/git.ts');
  const paths = changes.map(({ path }) => path);
  const unmerged = await unstageResolved(root, paths);
  await stageFiles(
    root,
    paths.filter((path) => !unmerged.includes(path)),
  );
}
