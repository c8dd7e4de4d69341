import { loadCatalogue } from '../catalogue.ts';
import { changing, defineCommand } from '../command.ts';
import { badInput, SlipwayError } from '../engine/errors.ts';
import { manifestPath } from '../engine/manifest.ts';
import { type Joined, joinBranches } from '../engine/reconcile/joinBranches.ts';
import { fewOf } from '../engine/suggest.ts';
import { shellWord } from '../install.ts';
import type { Invocation } from '../invocation.ts';
import { findService, refuseIgnored } from '../io/service.ts';
import { manifestOf, packageManagerIn } from '../present.ts';
import { leftToDo } from '../report/left.ts';

const conflict = {
  ...changing.conflict,
  summary:
    'markers (default), ours, theirs, skip or stop, where people changed a file on both branches; may be repeated',
} as const;

export const command = defineCommand({
  usage: '',
  summary: 'during a merge or rebase of git: join both branches and settle their conflicts',
  flags: { ...changing, conflict },
  ask: (invocation) => {
    const root = findService(invocation.cwd);
    const catalogue = loadCatalogue(invocation.flags.catalogue, invocation.cwd);
    let plan: Plan | undefined;
    return {
      root,
      // The manifest is joined when this is needed.
      get packageManager() {
        return packageManagerIn(root);
      },
      get next() {
        return plan === undefined ? [] : nextSteps(plan);
      },
      resolves: true,
      prepare: async () => {
        const { readBranches } = await import('../io/branches.ts');
        const underWay = await readBranches(root);
        if (underWay === undefined) throw nothingToResolve();
        const { merge } = await import('../engine/reconcile/merge/merge.ts');
        const edit = (raw: unknown) => manifestOf(raw, catalogue);
        plan = {
          ...joinBranches(underWay.branches, { catalogue, edit, conflicts: invocation.flags.conflicts, merge }),
          goOn: underWay.goOn,
        };
        const present = plan.changes.flatMap(({ path, expect }) => (expect === null ? [] : [path]));
        await refuseIgnored(root, [...underWay.linked, ...present]);
        return plan;
      },
      afterwards: async () => (plan === undefined ? [] : stage(root, plan.settled, invocation)),
    };
  },
});

type Plan = Joined & { readonly goOn: string | undefined };

function nothingToResolve(): SlipwayError {
  return badInput(
    'no merge, rebase or cherry-pick of git is under way here',
    'after a merge that is committed, `slipway update` brings the files to slipway.json',
  );
}

async function stage(root: string, settled: readonly string[], { flags: { git } }: Invocation): Promise<string[]> {
  if (!git || settled.length === 0) return [];
  const { stageFiles } = await import('../io/git.ts');
  try {
    const leftOut = await stageFiles(root, settled);
    return [
      `${settled.length - leftOut.length} settled files are staged (git add)`,
      ...(leftOut.length === 0 ? [] : [`not staged, because git has a filter for them: ${fewOf(leftOut)}`]),
    ];
  } catch (error) {
    // The files are written already.
    if (error instanceof SlipwayError) return [`not staged: ${error.message}`];
    throw error;
  }
}

function nextSteps(plan: Plan): string[] {
  const left = [...new Set(leftToDo(plan).map(({ path }) => path))];
  if (left.includes(manifestPath)) return ['slipway resolve'];
  return [
    ...(left.length === 0 ? [] : [`git add ${left.map(shellWord).join(' ')}`]),
    ...(plan.goOn === undefined ? [] : [plan.goOn]),
  ];
}
