import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import colors from 'picocolors';
import type { PlopGeneratorConfig } from 'node-plop';
import { loadCatalogue } from './catalogue.ts';
import { changing } from './changing.ts';
import type { Catalogue } from './engine/catalogue.ts';
import { setOptions } from './engine/edit.ts';
import { badInput } from './engine/errors.ts';
import { type Manifest, manifestPath, newManifest } from './engine/manifest.ts';
import { validateManifest } from './engine/parseManifest.ts';
import { packageManagerCommands } from './engine/template.ts';
import { install } from './install.ts';
import type { Invocation } from './invocation.ts';
import { newServiceAnswers } from './newService.ts';
import { prepare, type Prepared } from './engine/reconcile/prepare.ts';
import { openService } from './io/service.ts';

/**
 * @param invocation how the command was called
 * @returns the generator of `create-slipway [dir]`: reconciles against an empty tree
 */
export function createService(invocation: Invocation): Partial<PlopGeneratorConfig> {
  return changing('lay down a new service', async () => {
    const { flags, cwd } = invocation;
    const catalogue = loadCatalogue(flags.catalogue, cwd);
    const { directory, ...service } = await newServiceAnswers(invocation, catalogue);
    const root = path.resolve(cwd, directory);
    refuseForeignFolder(root, directory);
    const manifest = validateManifest(setOptions(newManifest(service, catalogue), flags.set, catalogue), catalogue);
    return {
      root,
      packageManager: manifest.packageManager,
      notes: pinnedNote(manifest),
      prepare: () => prepareNew(root, manifest, catalogue),
      afterwards: () => settleIn(root, manifest, invocation),
    };
  });
}

/** A folder that holds something is taken over only when it is the user's git repository, and no file of his is touched. */
function refuseForeignFolder(root: string, directory: string): void {
  if (!existsSync(root)) return;
  if (!statSync(root).isDirectory()) throw badInput(`${directory} is a file`, 'name another folder');
  // What an interrupted run has left is its own, and is cleared away by the next.
  const entries = readdirSync(root).filter((entry) => entry !== '.slipway');
  if (entries.includes(manifestPath))
    throw badInput(`${directory} is a service already`, 'change it with `slipway add`, `remove`, `ci` or `update`');
  if (entries.length === 0 || entries.includes('.git')) return;
  throw badInput(
    `${directory} is not empty, and not a git repository: ${listed(entries)}`,
    'name another folder, or run `git init` there first so that nothing can be lost',
  );
}

function prepareNew(root: string, manifest: Manifest, catalogue: Catalogue): Prepared {
  const prepared = prepare(openService(root), { catalogue, conflict: 'stop', edit: () => manifest });
  const taken = prepared.entries.filter((entry) => entry.action === 'conflict' || entry.reason === 'yours is kept');
  if (taken.length === 0) return prepared;
  throw badInput(
    `these files are there already: ${listed(taken.map((entry) => entry.path))}`,
    'move them away, or name another folder; nothing was written',
    { files: taken.map((entry) => entry.path) },
  );
}

/** Dependencies, the first commit, and what to do next. */
async function settleIn(root: string, manifest: Manifest, invocation: Invocation): Promise<readonly string[]> {
  const notes = await install(root, manifest.packageManager, invocation);
  const repository = invocation.flags.git ? await commitFirst(root) : [];
  return [...notes, ...repository, ...nextSteps(root, manifest, invocation)];
}

async function commitFirst(root: string): Promise<readonly string[]> {
  const { gitRoot, startRepository } = await import('./io/git.ts');
  if ((await gitRoot(root)) !== undefined) return ['inside a git repository: the commit is yours to make'];
  const fault = await startRepository(root);
  return fault === undefined ? [] : [`no first commit: ${fault}`];
}

function nextSteps(root: string, { packageManager }: Manifest, { cwd, flags }: Invocation): string[] {
  const commands = packageManagerCommands[packageManager];
  const steps = [
    ...(root === cwd ? [] : [`cd ${path.relative(cwd, root)}`]),
    ...(flags.install ? [] : [commands.install]),
    `${commands.run} dev`,
    'curl localhost:8080/items',
  ];
  return ['', colors.bold('Next:'), ...steps.map((step) => `  ${step}`), ''];
}

function pinnedNote({ node }: Manifest): string[] {
  const host = process.versions.node;
  return node === undefined ? [] : [`Node ${node.pinned} is pinned from npm, as the host has ${host}`];
}

/** The first few of many. */
function listed(names: readonly string[]): string {
  return names.length > 12 ? `${names.slice(0, 11).join(', ')} and ${names.length - 11} more` : names.join(', ');
}
