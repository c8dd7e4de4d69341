import { existsSync } from 'node:fs';
import path from 'node:path';
import { fieldOf, isObject } from '../engine/json.ts';
import type { Monorepo } from '../engine/model.ts';
import { folderPattern } from '../engine/names.ts';
import { matchesFolder } from '../engine/reconcile/policy.ts';
import { decode } from '../engine/text.ts';
import { readRegularFile } from './disk.ts';
import { isBelowGit, realRootOf, rootAbove } from './paths.ts';

/** The max size (bytes) of a file that lists the members of a workspace. */
const largestList = 2 ** 20;

/**
 * Finds out whether a service is in a repository with other projects, and whether it is a member of a workspace of npm, pnpm, Yarn or Bun.
 * @param service absolute path of the service's folder; it need not exist
 * @param withGit whether git may be asked; without it, the root of the workspace counts as the root of the repository
 * @returns where the service is; undefined for a service that is a repository of its own, or that git ignores
 */
export async function monorepoOf(service: string, withGit: boolean): Promise<Monorepo | undefined> {
  const named = nearestFolder(service);
  const existing = realRootOf(named);
  const root = path.join(existing, path.relative(named, service));
  const top = withGit && isBelowGit(existing) ? await topOf(existing, root) : undefined;
  if (top === root) return undefined;
  const workspace = await workspaceOf(root, top);
  const repository = top ?? workspace;
  if (repository === undefined) return undefined;
  const place = posix(path.relative(repository, root));
  if (!folderPattern.test(place)) return undefined;
  if (workspace === undefined) return { path: place };
  return { path: place, workspace: posix(path.relative(repository, workspace)) || '.' };
}

/** The root of the git repository; for a service that git ignores, the service itself. */
async function topOf(existing: string, root: string): Promise<string | undefined> {
  const { ignoredFiles, placeInRepository } = await import('./git.ts');
  const inside = await placeInRepository(existing);
  if (inside === undefined) return undefined;
  return (await ignoredFiles(existing, [root])).length > 0 ? root : rootAbove(existing, inside);
}

function posix(file: string): string {
  return file.replaceAll(path.sep, '/');
}

function nearestFolder(folder: string): string {
  return existsSync(folder) ? folder : nearestFolder(path.dirname(folder));
}

/** Finds the nearest folder above that lists the service as a member. */
async function workspaceOf(service: string, top: string | undefined): Promise<string | undefined> {
  for (let folder = path.dirname(service); ; folder = path.dirname(folder)) {
    const members = await membersOf(folder);
    if (members !== undefined && isMember(posix(path.relative(folder, service)), members)) return folder;
    if (folder === top || path.dirname(folder) === folder) return undefined;
  }
}

/**
 * The patterns of the workspace's members: in pnpm-workspace.yaml, or in package.json for the other package managers. The files belong to
 * another project, so a file that cannot be read or parsed is none of a workspace.
 */
async function membersOf(folder: string): Promise<readonly string[] | undefined> {
  try {
    const yaml = textOf(path.join(folder, 'pnpm-workspace.yaml'));
    if (yaml !== undefined) return strings(fieldOf((await import('yaml')).parse(yaml), 'packages'));
    const workspaces = fieldOf(JSON.parse(textOf(path.join(folder, 'package.json')) ?? '{}'), 'workspaces');
    return strings(isObject(workspaces) ? fieldOf(workspaces, 'packages') : workspaces);
  } catch {
    return undefined;
  }
}

function textOf(file: string): string | undefined {
  const found = readRegularFile(file, { name: file, follow: true, limit: largestList });
  return found === undefined ? undefined : decode(found.bytes);
}

function strings(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : undefined;
}

/**
 * @param member path of a folder from the root of the workspace, with `/`
 * @param patterns globs of folders; one that begins with `!` excludes (https://docs.npmjs.com/cli/configuring-npm/package-json#workspaces)
 * @returns whether the folder is a member
 */
export function isMember(member: string, patterns: readonly string[]): boolean {
  return patterns.reduce((found, pattern) => {
    const globs = alternatives(pattern.replace(/^!/, ''));
    return globs.some((glob) => matchesFolder(member, glob)) ? !pattern.startsWith('!') : found;
  }, false);
}

/** The max number of globs in one pattern with choices. */
const mostGlobs = 100;

/** Writes out the choices of a pattern: `{a,b}/*` is `a/*` and `b/*`. A pattern with more choices than people write has no globs. */
function alternatives(pattern: string): readonly string[] {
  let globs = [''];
  for (const part of pattern.split(/(\{[^{}]*\})/)) {
    const choices = part.startsWith('{') && part.endsWith('}') ? part.slice(1, -1).split(',') : [part];
    if (globs.length * choices.length > mostGlobs) return [];
    globs = globs.flatMap((glob) => choices.map((choice) => glob + choice));
  }
  return globs;
}
