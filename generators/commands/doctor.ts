import { defineCommand } from '../command.ts';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import colors from '../report/colors.ts';
import { loadCatalogue } from '../catalogue.ts';
import { badInput, exitCodes, SlipwayError } from '../engine/errors.ts';
import { workflowPath } from '../engine/compose/ci/github.ts';
import { fieldOf } from '../engine/json.ts';
import { manifestPath } from '../engine/manifest.ts';
import type { Monorepo, PackageManager } from '../engine/model.ts';
import { parseJson } from '../engine/parseManifest.ts';
import { faultyFiles, describeFaultyFile } from '../engine/reconcile/faults.ts';
import { basesPath, lockPath } from '../engine/reconcile/lock.ts';
import { fewOf } from '../engine/suggest.ts';
import { decode } from '../engine/text.ts';
import { shellWord } from '../install.ts';
import type { Invocation } from '../invocation.ts';
import { gitVersion, ignoredFiles, unmergedFiles } from '../io/git.ts';
import { withServiceLock } from '../io/lock.ts';
import { monorepoOf } from '../io/monorepo.ts';
import { runProcess } from '../io/process.ts';
import { findService, withPast } from '../io/service.ts';
import { recover, recoveryNotes } from '../io/transaction.ts';
import { readFileInside } from '../io/tree.ts';
import { isSame, rootWorkflow } from '../monorepo.ts';
import { manifestOf, presentService } from '../present.ts';
import { hintOfMerge, isUnresolved } from '../unresolved.ts';

/** The result of one check. */
interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** The oldest Node that the command line runs on. */
const oldestNode = [20, 19] as const;

export const command = defineCommand({
  usage: '',
  summary: 'find problems of the service and this machine; finish an interrupted run',
  flags: {},
  read: async (invocation) => {
    const findings = [...(await machine()), ...(await service(invocation))];
    const sick = findings.filter((finding) => !finding.ok);
    return {
      exitCode: sick.length === 0 ? exitCodes.done : exitCodes.failed,
      json: { findings },
      text: findings
        .map(({ ok, what, detail }) => `  ${ok ? colors.green('✓') : colors.red('✗')} ${what.padEnd(12)} ${detail}`)
        .join('\n'),
    };
  },
});

/** Programs run in a neutral folder, because the settings of a service could change their output. */
const neutral = path.dirname(process.execPath);

async function machine(): Promise<Finding[]> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const fits = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
  const node = {
    what: 'node',
    ok: fits,
    detail: `${process.versions.node}${fits ? '' : `; at least ${oldestNode.join('.')} is needed`}`,
  };
  return [
    node,
    await tool('git', gitVersion(neutral), 'changes cannot be undone by version control'),
    await packageManager('npm'),
  ];
}

function packageManager(name: string): Promise<Finding> {
  return tool(name, runProcess([name, '--version'], neutral), 'dependencies cannot be installed');
}

async function tool(name: string, version: Promise<string>, without: string): Promise<Finding> {
  try {
    return { what: name, ok: true, detail: await version };
  } catch {
    return { what: name, ok: false, detail: `not found: ${without}` };
  }
}

async function service(invocation: Invocation): Promise<Finding[]> {
  const root = await examine('service', () => findService(invocation.cwd));
  if (!root.ok) return [root];
  const folder = root.detail;
  const transaction = await examine('transaction', () => finish(folder));
  const others = new Set<PackageManager>();
  const manifest = await examine('manifest', () => {
    const { raw, catalogue } = presentService(invocation);
    const { modules, packageManager: name } = manifestOf(raw, catalogue);
    others.add(name).delete('npm');
    return `${Object.keys(modules).length} modules, catalogue ${catalogue.version}`;
  });
  const tools = await Promise.all([...others].map(packageManager));
  return [
    ...tools,
    root,
    transaction,
    manifest,
    await examine('store', () => storeOf(folder)),
    await examine(
      'catalogue',
      () => `${Object.keys(loadCatalogue(invocation.flags.catalogue, invocation.cwd).modules).length} modules`,
    ),
    await examine('conflicts', () => conflicts(folder)),
    await examine('files', () => validity(folder)),
    await examine('git', () => unignored(folder)),
    ...(manifest.ok ? [await examine('place', () => place(folder, invocation))] : []),
    await examine('dependencies', () => installed(folder)),
  ];
}

async function examine(what: string, look: () => string | Promise<string>): Promise<Finding> {
  try {
    return { what, ok: true, detail: await look() };
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
    return {
      what,
      ok: false,
      detail: [error.message, error.hint]
        .filter((part) => part !== undefined)
        .join('; ')
        .replaceAll(/\n */g, ' '),
    };
  }
}

/** Rolls back or finishes an interrupted run. */
function finish(root: string): string | Promise<string> {
  return withServiceLock(root, () => {
    return recoveryNotes(recover(root)).join('; ') || 'nothing was interrupted';
  });
}

/** Reads every base, so that damage is reported before a base is needed. */
function storeOf(root: string): Promise<string> {
  return withPast(root, ({ lock, lost, isKept }) => {
    const merged = Object.entries(lock.files).filter(([, file]) => file.ownership === 'merged');
    const gone = merged.filter(([, { hash }]) => !isKept(hash)).map(([file]) => file);
    if (gone.length > 0) throw badInput(`${basesPath} lacks what Slipway wrote of ${fewOf(gone)}`, mend);
    if (lost.has(lockPath)) throw badInput(`${lockPath} is damaged or missing`, mend);
    return `${merged.length} bases, all whole`;
  });
}

const mend = 'mend it with: slipway update';

async function conflicts(root: string): Promise<string> {
  const { lock, read } = await withPast(root, (present) => ({ lock: present.lock, read: present.read }));
  const marked = Object.entries(lock.files)
    .map(([home, { at }]) => at ?? home)
    .filter((file) => isUnresolved(read(file)?.bytes));
  const unmerged = [...(await unmergedFiles(root)).keys()];
  const files = [...new Set([...unmerged, ...marked])];
  if (files.length > 0)
    throw badInput(`unresolved conflicts in ${files.join(', ')}`, unmerged.length > 0 ? hintOfMerge : undefined);
  return 'no unresolved conflicts';
}

async function validity(root: string): Promise<string> {
  const { findFault } = await import('../engine/reconcile/merge/merge.ts');
  const faults = await withPast(root, (present) => faultyFiles(present, findFault));
  if (faults.length > 0) throw badInput(faults.map(describeFaultyFile).join('; '));
  return 'all valid';
}

/** A file that git ignores is in no clone. */
async function unignored(root: string): Promise<string> {
  const { lock } = await withPast(root, (present) => ({ lock: present.lock }));
  const files = Object.entries(lock.files).map(([home, { at }]) => at ?? home);
  const ignored = await ignoredFiles(root, [manifestPath, lockPath, basesPath, ...files]);
  if (ignored.length === 0) return 'no file of Slipway is ignored';
  throw badInput(
    `git ignores ${fewOf(ignored)}`,
    'no clone has these files; `git check-ignore -v <file>` names the rule: take it out, or add a rule with "!"',
  );
}

/** Compares where the service is with what its manifest says, and the workflow with its copy, which GitHub reads. */
async function place(root: string, invocation: Invocation): Promise<string> {
  const { raw, catalogue } = presentService(invocation);
  const manifest = manifestOf(raw, catalogue);
  const found = await monorepoOf(root, invocation.flags.git);
  if (!isDeepStrictEqual(found, manifest.monorepo))
    throw badInput(
      `the service is ${describe(found)}, and ${manifestPath} says ${describe(manifest.monorepo)}`,
      'bring the service to it with: slipway ci',
    );
  const copy = manifest.ci.includes('github') ? await rootWorkflow(root, manifest, invocation.flags.git) : undefined;
  if (copy !== undefined && !isSame(copy.bytes, readFileInside(root, workflowPath)?.bytes))
    throw badInput(
      `${copy.path} of the repository is not ${workflowPath} of the service, and GitHub reads the former only`,
      `copy it: cp ${shellWord(path.join(root, workflowPath))} ${shellWord(path.join(copy.repository, copy.path))}`,
    );
  return describe(found);
}

function describe(monorepo: Monorepo | undefined): string {
  if (monorepo === undefined) return 'a repository of its own';
  const { path: inside, workspace } = monorepo;
  return `${inside} of a repository${workspace === undefined ? '' : `, in the workspace ${workspace}`}`;
}

/** Looks for each package as Node does: in the service, then in the folders above, where a workspace puts shared packages. */
function installed(root: string): string {
  const text = readFileInside(root, 'package.json');
  const json: unknown = text === undefined ? undefined : parseJson(decode(text.bytes) ?? '');
  const names = ['dependencies', 'devDependencies'].flatMap((group) => Object.keys(fieldOf(json, group) ?? {}));
  const missing = names.filter((name) => !isInstalled(root, name));
  if (missing.length === 0) return 'installed';
  const isPart = missing.length < names.length;
  throw badInput(
    isPart ? `${fewOf(missing)} not installed` : 'not installed',
    `run the package manager’s install${isPart ? '; NODE_ENV=production and `omit` leave packages out' : ''}`,
  );
}

function isInstalled(folder: string, name: string): boolean {
  if (existsSync(path.join(folder, 'node_modules', name))) return true;
  return path.dirname(folder) !== folder && isInstalled(path.dirname(folder), name);
}
