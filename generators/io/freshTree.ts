import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

import { badInput, exitCodes } from '../engine/errors.ts';
import { replaceFile } from './disk.ts';
import { codeOf, osFault } from './faults.ts';
import { assertSafePath } from './paths.ts';
import { isAlive } from './processes.ts';
import { commit, recover } from './transaction.ts';

/** A file of a new tree. */
export interface NewFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly mode: number;
}

/**
 * @param directory any path
 * @returns whether the path does not exist or is an empty folder
 * @throws SlipwayError bad input when it is a file, or cannot be read
 */
export function isVacant(directory: string): boolean {
  try {
    return statSync(directory, { throwIfNoEntry: false }) === undefined || readdirSync(directory).length === 0;
  } catch (error) {
    throw osFault(error, `cannot use ${directory}`, exitCodes.badInput);
  }
}

/**
 * Creates a whole new tree, or nothing. It does not wait for the disk, because no user data can be lost: after a
 * power cut the user runs the command again.
 * @param directory a folder that does not exist or is empty
 * @param files its files, paths relative to it with `/` between parts; modes are reduced by the user's umask
 * @throws SlipwayError when the folder is not empty, a path is unsafe, or writing fails
 */
export function createTree(directory: string, files: Iterable<NewFile>): void {
  const target = resolve(directory);
  if (existsSync(target)) fillFolder(target, files);
  else makeFolder(target, files);
}

/** Fills an existing folder. The folder is not replaced: it may be the current folder of a shell, or a mount point. */
function fillFolder(target: string, files: Iterable<NewFile>): void {
  // In a folder that was empty, only a killed run of this function leaves a journal.
  if (!isVacant(target)) recover(target);
  if (!isVacant(target)) {
    throw badInput(`${target} is not empty: it holds ${summary(readdirSync(target))}`, 'choose another folder');
  }
  const changes = Array.from(files, ({ path, bytes, mode }) => ({ path, expect: null, write: bytes, mode }));
  commit(target, changes, { durable: false });
}

function summary(names: readonly string[]): string {
  const shown = names.toSorted().slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}

/** Writes the tree into a staging folder in the nearest existing parent, then renames it to its target in one step. */
function makeFolder(target: string, files: Iterable<NewFile>): void {
  let top = target;
  while (!existsSync(dirname(top))) top = dirname(top);
  const parent = dirname(top);
  const unique = randomBytes(8).toString('hex');
  const staging = join(parent, `${stagingPrefix()}${process.pid}-${unique}-${basename(top).slice(0, 40)}`);
  sweep(parent);
  try {
    mkdirSync(staging);
    writeTree(join(staging, target.slice(top.length)), files);
    replaceFile(staging, top);
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    throw osFault(error, `cannot create ${target}, so nothing was written`);
  }
}

function writeTree(root: string, files: Iterable<NewFile>): void {
  mkdirSync(root, { recursive: true });
  const made = new Set(['']);
  for (const { path, bytes, mode } of files) {
    assertSafePath(path);
    makeParent(root, path, made);
    writeFileSync(`${root}/${path}`, bytes, { mode, flag: 'wx' });
  }
}

function makeParent(root: string, path: string, made: Set<string>): void {
  const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
  if (made.has(folder)) return;
  makeParent(root, folder, made);
  mkdirSync(`${root}/${folder}`);
  made.add(folder);
}

/** The name contains the machine, because a process id is meaningful only on its own machine. */
function stagingPrefix(): string {
  return `.slipway-new-${hostname()
    .replaceAll(/[^A-Za-z0-9]/g, '')
    .slice(0, 40)}-`;
}

/** Removes the staging folders of killed runs. */
function sweep(parent: string): void {
  const prefix = stagingPrefix();
  for (const name of namesIn(parent)) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN;
    if (pid > 0 && (pid === process.pid || !isAlive(pid))) rmSync(join(parent, name), { recursive: true, force: true });
  }
}

/** Returns an empty list for a folder that cannot be read: it may still be writable. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (codeOf(error) === 'EACCES') return [];
    throw osFault(error, `cannot use the folder ${folder}`, exitCodes.badInput);
  }
}
