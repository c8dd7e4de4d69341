import path from 'node:path';
import { workflowInRepository, workflowPath } from './engine/compose/ci/github.ts';
import { SlipwayError } from './engine/errors.ts';
import type { Change, Manifest, Monorepo } from './engine/model.ts';
import { packageManagerDefinitions } from './engine/packageManagers/index.ts';
import { parseJson } from './engine/parseManifest.ts';
import type { Prepared } from './engine/reconcile/prepare.ts';
import { withLf } from './engine/reconcile/merge/lineEnds.ts';
import { decode } from './engine/text.ts';
import { makeFolder, removeFile, replaceFile, writeNewFile } from './io/disk.ts';
import { monorepoOf } from './io/monorepo.ts';
import { resolveInside, rootAbove } from './io/paths.ts';
import { openService } from './io/service.ts';
import { readFileInside } from './io/tree.ts';

/** The copy of a service's workflow at the root of its repository, where GitHub looks for it. */
export interface RootWorkflow {
  /** Absolute path of the repository's root. */
  readonly repository: string;
  /** Path of the copy from there. */
  readonly path: string;
  /** The content of the copy; undefined when it does not exist. */
  readonly bytes: Uint8Array | undefined;
}

/**
 * @param root the service's folder
 * @param manifest of the service
 * @param withGit whether git may be asked
 * @returns the copy of its workflow; undefined for a service with a repository of its own, and for one that is not where its manifest says
 * @throws SlipwayError when the copy cannot be read, or is behind a link that leads out of the repository
 */
export async function rootWorkflow(
  root: string,
  manifest: Manifest,
  withGit: boolean,
): Promise<RootWorkflow | undefined> {
  const { monorepo, service } = manifest;
  if (monorepo === undefined) return undefined;
  // The manifest may come from a stranger, and the copy is outside of the service.
  if ((await monorepoOf(root, withGit))?.path !== monorepo.path) return undefined;
  const repository = rootAbove(root, monorepo.path);
  const file = workflowInRepository(service.name);
  return { repository, path: file, bytes: readFileInside(repository, file)?.bytes };
}

/**
 * Makes the copy of a service's workflow follow the service. It is written only when it equals the workflow before the change, or when
 * neither existed, so that no edit of it is lost.
 * @param root the service's folder
 * @param prepared the changes, which have been made
 * @param withGit whether git may be asked
 * @returns what the user should know
 */
export async function followWorkflow(
  root: string,
  { changes, before }: Pick<Prepared, 'changes' | 'before'>,
  withGit: boolean,
): Promise<string[]> {
  const change = changes.find(({ path: file }) => file === workflowPath);
  const settings = changes.find((each) => each.path === renovatePath && 'write' in each && each.expect === null);
  if (change === undefined && settings === undefined) return [];
  // The plan has validated it.
  const manifest = parseJson(openService(root).manifestText ?? '{}') as Manifest;
  const notes = settings === undefined || manifest.monorepo === undefined ? [] : [renovateNote(manifest.monorepo)];
  return [...(change === undefined ? [] : await followCopy(root, manifest, change, before, withGit)), ...notes];
}

const renovatePath = 'renovate.json';

/** Renovate has one configuration for a repository (https://docs.renovatebot.com/config-presets/#local-presets). */
function renovateNote({ path: inside }: Monorepo): string {
  return `Renovate reads ${renovatePath} at the root of the repository only: extend "local>OWNER/REPOSITORY//${inside}/renovate" there`;
}

async function followCopy(
  root: string,
  manifest: Manifest,
  change: Change,
  before: Prepared['before'],
  withGit: boolean,
): Promise<string[]> {
  try {
    const copy = await rootWorkflow(root, manifest, withGit);
    if (copy === undefined) return [];
    const [was, now] = [before(workflowPath), 'write' in change ? change.write : undefined];
    if (isSame(copy.bytes, now)) return [];
    const name = `${manifest.monorepo?.path}/${workflowPath}`;
    if (copy.bytes !== undefined && !isSame(copy.bytes, was))
      return [`${copy.path} of the repository differs from ${name}, of which it is the copy: copy it by hand`];
    replaceCopy(copy, now);
    return [`${copy.path} of the repository is a copy of ${name}: GitHub looks there`];
  } catch (error) {
    // The service is written already.
    if (error instanceof SlipwayError) return [`the workflow is not at the root of the repository: ${error.message}`];
    throw error;
  }
}

/**
 * @param some content of a file; undefined for no file
 * @param other content of another file
 * @returns whether both are the same text; git may have changed the line ends of one
 */
export function isSame(some: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (some === undefined || other === undefined) return some === other;
  return withLf(decode(some) ?? '') === withLf(decode(other) ?? '');
}

function replaceCopy({ repository, path: file }: RootWorkflow, bytes: Uint8Array | undefined): void {
  const target = resolveInside(repository, file);
  if (bytes === undefined) return removeFile(target);
  for (const folder of [path.dirname(path.dirname(target)), path.dirname(target)]) makeFolder(folder);
  const draft = `${target}.${process.pid}.new`;
  writeNewFile(draft, bytes, { mode: 0o644, durable: true });
  replaceFile(draft, target);
}

/**
 * @param manifest of a service
 * @param monorepo where it is
 * @returns what the user should know about a service in a repository with other projects; empty for any other
 */
export function monorepoNotes(
  { ci, service: { name }, packageManager }: Manifest,
  monorepo: Monorepo | undefined,
): string[] {
  if (monorepo === undefined) return [];
  const { path: inside, workspace } = monorepo;
  const { workspaceNeeds = '' } = packageManagerDefinitions[packageManager];
  const needs = ['dependencies and lockfile are in its root', workspaceNeeds].filter((need) => need !== '').join('; ');
  return [
    `${inside} of a repository with other projects${workspace === undefined ? '' : `, a member of a workspace: ${needs}`}`,
    ...(ci.includes('gitlab')
      ? [`GitLab reads .gitlab-ci.yml of the repository only: ${gitlabTrigger(name, inside)} starts the pipeline there`]
      : []),
  ];
}

/** A job of the repository's own .gitlab-ci.yml (https://docs.gitlab.com/ci/pipelines/downstream_pipelines/). */
function gitlabTrigger(name: string, folder: string): string {
  return `${name}: { trigger: { include: ${folder}/.gitlab-ci.yml, strategy: depend }, rules: [{ changes: ['${folder}/**/*'] }] }`;
}
