import { changing, defineCommand, set as setFlag } from '../command.ts';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { loadCatalogue } from '../catalogue.ts';
import { setOptions } from '../engine/edit.ts';
import { badInput, SlipwayError } from '../engine/errors.ts';
import { newManifest } from '../engine/manifest.ts';
import type { Manifest } from '../engine/model.ts';
import { packageManagerDefinitions } from '../engine/packageManagers/index.ts';
import { validateManifest } from '../engine/parseManifest.ts';
import { fewOf } from '../engine/suggest.ts';
import { monorepoOf } from '../io/monorepo.ts';
import { monorepoNotes } from '../monorepo.ts';
import { alreadyService } from '../newFolder.ts';
import { newServiceAnswers } from '../newService.ts';
import { type ConflictRule, ruleFor } from '../engine/reconcile/policy.ts';
import type { Prepared } from '../engine/reconcile/prepare.ts';
import { planning } from '../planning.ts';

export const command = defineCommand({
  usage: '[dir]',
  summary: 'create a new service (also: create-slipway)',
  flags: {
    ...changing,
    name: { type: 'string', value: 'name', summary: 'the service’s name (default: the folder’s)' },
    description: { type: 'string', value: 'text', summary: 'one line about the service' },
    preset: {
      type: 'string',
      value: 'name',
      summary: 'a named set of modules (slipway list); the default is "default"',
    },
    modules: { type: 'string', value: 'a,b', summary: 'modules in addition to the preset' },
    ...setFlag,
    'package-manager': {
      type: 'string',
      value: 'name',
      summary: 'npm, pnpm, yarn or bun; default: the one that runs this',
    },
    ci: { type: 'string', value: 'a,b', summary: 'github, gitlab, both, or none' },
    answers: { type: 'string', value: 'file', summary: 'read the answers from a JSON file' },
    'pin-node': { type: 'boolean', summary: 'install Node from npm even if your Node is new enough' },
    'platform-tests': { type: 'boolean', summary: 'also copy the tests of the platform code' },
  },
  ask: async (invocation) => {
    const { flags, cwd } = invocation;
    const catalogue = loadCatalogue(flags.catalogue, cwd);
    const { directory, set, ...service } = await newServiceAnswers(invocation, catalogue);
    const root = path.resolve(cwd, directory);
    const monorepo = await monorepoOf(root, flags.git);
    const { cannotPinInWorkspace } = packageManagerDefinitions[service.packageManager ?? 'npm'];
    const cannotPin = cannotPinInWorkspace === true && monorepo?.workspace !== undefined;
    const pinNode = service.pinNode === true && !cannotPin;
    const first = newManifest({ ...service, pinNode, monorepo }, catalogue);
    const manifest = validateManifest(setOptions(first, set, catalogue), catalogue);
    // Settings of the editor do not make a folder a project of its own: they stay, and get what they lack.
    const conflicts = [{ paths: '.vscode/', choice: 'ours' } as const, ...flags.conflicts];
    return {
      root,
      packageManager: manifest.packageManager,
      notes: [
        ...pinnedNote(manifest),
        ...(cannotPin && service.pinNode ? ['no Node is pinned: Yarn would install it for every platform'] : []),
        ...monorepoNotes(manifest, monorepo),
      ],
      isNew: true,
      prepare: async (settled) => {
        const prepared = await planning(
          root,
          catalogue,
          { ...invocation, flags: { ...flags, conflicts } },
          (present) => {
            // Another run may have created a service here. A service with the same manifest comes from this command,
            // interrupted; it is finished.
            if (present !== undefined && !isDeepStrictEqual(present, manifest)) throw alreadyService(directory);
            return manifest;
          },
        )(settled);
        refuseTaken(prepared, conflicts);
        return prepared;
      },
      afterwards: async () => (flags.git ? commitFirst(root, manifest) : []),
      next: nextSteps(manifest),
    };
  },
});

/** Refuses files that are in the way and that no rule is for. */
function refuseTaken({ entries }: Prepared, rules: readonly ConflictRule[]): void {
  const taken = entries.filter(
    ({ action, reason, path: file }) =>
      (action === 'conflict' || reason === 'yours is kept') && (ruleFor([file], rules)?.choice ?? 'stop') === 'stop',
  );
  if (taken.length === 0) return;
  throw badInput(
    `these files are there already: ${fewOf(taken.map((entry) => entry.path))}`,
    'move them away, name another folder, or say which side wins: --conflict=ours or --conflict=theirs; nothing was written',
    { files: taken.map((entry) => entry.path) },
  );
}

async function commitFirst(root: string, { monorepo }: Manifest): Promise<readonly string[]> {
  // A repository in a workspace would hide the service from the repository of the workspace.
  if (monorepo !== undefined) return ['in a repository with other projects: the commit is yours to make'];
  const { isInRepository, startRepository } = await import('../io/git.ts');
  try {
    if (await isInRepository(root)) return ['inside a git repository: the commit is yours to make'];
  } catch (error) {
    // The files are written already. A refusal of git becomes a note, and no repository is created inside another
    // one.
    if (error instanceof SlipwayError) return [`no first commit: ${error.message}`];
    throw error;
  }
  const goOn = 'go on with: git init && git add --all && git commit';
  // A signal ends the process before notes are printed.
  const tellInterrupted = (): void =>
    void process.stderr.write(`the files are written, without a first commit; ${goOn}\n`);
  process.once('exit', tellInterrupted);
  try {
    const fault = await startRepository(root);
    return fault === undefined ? [] : [`no first commit: ${fault}`, goOn];
  } finally {
    process.off('exit', tellInterrupted);
  }
}

function nextSteps({ packageManager, resources = {} }: Manifest): readonly string[] {
  const { run, dashes } = packageManagerDefinitions[packageManager];
  const [first] = Object.values(resources);
  return [
    `${run} dev`,
    `curl localhost:8080/${first?.plural ?? 'version'}`,
    `${run} slipway${dashes} resource order sku:string quantity:int`,
    'read README.md, docs/modules.md',
  ];
}

function pinnedNote({ node }: Manifest): string[] {
  const host = process.versions.node;
  return node === undefined ? [] : [`Node ${node.pinned} is pinned from npm, as the host has ${host}`];
}
