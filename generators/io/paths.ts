import { lstatSync, readlinkSync, realpathSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';

import { badInput, exitCodes } from '../engine/errors.ts';
import { quoted } from '../report/visible.ts';
import { codeOf, osFault } from './faults.ts';

/** Whether any file system treats a path's part as git's folder. NTFS ignores trailing dots and spaces, and has the short name `git~1`. */
function isGitFolder(part: string): boolean {
  return /^(?:\.git|git~1)[. ]*(?::.*)?$/i.test(part);
}

/** A control character, or one that is not visible. HFS+ ignores some of these in names, so that `.g<U+200D>it` is `.git`. */
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u;

/** A short name of FAT and NTFS, such as `SLIPWA~1` for `.slipway`. */
const shortName = /^[^.]{1,6}~\d{1,6}(?:\.[^.]{0,3})?$/;

/** A name that Windows keeps for a device, with any ending (https://learn.microsoft.com/windows/win32/fileio/naming-a-file). */
const deviceName = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?:\.|$)/i;

/** The max length of a path, and of one name in it. Most file systems allow 255 bytes for a name. */
const longest = { path: 1024, name: 255 };

/**
 * @param path a path from a manifest, a lock, a plan, a catalogue or a journal
 * @returns why it cannot be the path of a service's file on some file system, or must not be; undefined when it can
 */
export function pathFault(path: string): string | undefined {
  if (path === '') return 'is empty';
  if (path.length > longest.path) return `is longer than ${longest.path} characters`;
  if (path.includes('\0')) return 'contains a NUL byte';
  if (invisible.test(path)) return 'contains a character that is not visible';
  if (path.includes('\\')) return 'contains a backslash';
  if (path.startsWith('/') || /^[a-z]:/i.test(path)) return 'is absolute';
  for (const part of path.split('/')) {
    const fault = nameFault(part);
    if (fault !== undefined) return fault;
  }
  return isSecret(path) ? 'is where secrets are kept' : undefined;
}

function nameFault(part: string): string | undefined {
  if (part === '') return 'has an empty part';
  if (part === '.' || part === '..') return `contains "${part}"`;
  if (isGitFolder(part)) return "is inside git's own folder";
  if (part.length > longest.name) return `has a name longer than ${longest.name} characters`;
  if (/[. ]$/.test(part)) return 'has a name that ends with a dot or a space, which Windows ignores';
  if (part.includes(':')) return 'contains a colon, which means something else to Windows';
  if (shortName.test(part)) return 'has a short name of Windows';
  return deviceName.test(part) ? 'has a name that Windows keeps for a device' : undefined;
}

/** Names and endings of files that usually hold secrets, and folders of programs that keep them. */
const secretNames = [
  /^\.env(?:rc|\.(?!(?:example|sample|template|dist|schema)$).*)?$/i,
  /\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk|gpg|age|ovpn|tfstate|tfvars)$/i,
  /^id_(?:rsa|dsa|ecdsa|ed25519)/i,
  /^(?:\.npmrc|[._]netrc|\.pgpass|\.my\.cnf|\.htpasswd|\.dockercfg|\.git-credentials|\.vault-token|kubeconfig|credentials)$/i,
];
const secretFolders = /^\.(?:ssh|aws|azure|gnupg|kube|docker|gcloud)$/i;

/**
 * @param path a path inside a service
 * @returns whether the file usually holds secrets. Slipway never writes such a file, and never prints or searches it
 */
export function isSecret(path: string): boolean {
  const parts = path.split('/');
  const name = parts.pop() ?? '';
  return parts.some((part) => secretFolders.test(part)) || secretNames.some((pattern) => pattern.test(name));
}

/**
 * @param path a path inside a service
 * @returns whether any file system treats it as Slipway's own folder, or as a path inside that folder
 */
export function isInOwnFolder(path: string): boolean {
  return /^\.slipway(?:\/|$)/i.test(path);
}

/**
 * Refuses a path that is not relative, not POSIX, or may lead out of the service.
 * @param path a path from an untrusted source
 * @throws SlipwayError bad input with the path and the reason
 */
export function assertSafePath(path: string): void {
  const fault = pathFault(path);
  if (fault !== undefined) {
    throw badInput(
      `the path ${quoted(path)} ${fault}`,
      'paths are relative, with "/" between their parts; Slipway writes no such path: restore .slipway from version control',
      { path: path.slice(0, longest.path) },
    );
  }
}

/**
 * @param file an absolute path
 * @returns the state of the file, without following links; undefined when it does not exist
 */
export function lstatIfAny(file: string): Stats | undefined {
  try {
    return lstatSync(file, { throwIfNoEntry: false });
  } catch (error) {
    if (codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/**
 * @param root the service's folder, which need not exist
 * @returns its real location, with links resolved
 * @throws SlipwayError bad input when it cannot be reached
 */
export function realRootOf(root: string): string {
  try {
    return realpathSync.native(root);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return resolve(root);
    throw osFault(error, `cannot open the folder ${root}`, exitCodes.badInput);
  }
}

/**
 * @param folder an absolute path
 * @param inside the path of the folder from another one, with `/`; empty for the same folder
 * @returns the absolute path of the other one
 */
export function rootAbove(folder: string, inside: string): string {
  return resolve(folder, inside.replaceAll(/[^/]+/g, '..'));
}

/**
 * @param folder an absolute path
 * @returns whether a git repository or a worktree starts at the folder or above it; finds out without git
 */
export function isBelowGit(folder: string): boolean {
  return lstatIfAny(join(folder, '.git')) !== undefined || (dirname(folder) !== folder && isBelowGit(dirname(folder)));
}

/**
 * @param folder an absolute path
 * @param place another absolute path
 * @returns whether the place is the folder itself, or is below it
 */
export function isWithin(folder: string, place: string): boolean {
  const way = relative(folder, place);
  return !isAbsolute(way) && way.split(sep)[0] !== '..';
}

/** Follows one link that stays inside the service. */
function followLink(realRoot: string, link: string): string {
  const name = relative(realRoot, link).split(sep).join('/');
  let target: string;
  try {
    target = realpathSync.native(link);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw osFault(error, `cannot follow the link ${name}`, exitCodes.badInput);
    throw badInput(
      `${name} is a link to ${readlinkSync(link)}, which does not exist`,
      'delete the link, or create what it leads to',
      { link: name },
    );
  }
  const inside = relative(realRoot, target);
  if (!isWithin(realRoot, target)) {
    throw badInput(
      `${name} is a link that leads out of the service, to ${target}`,
      'slipway never writes through such a link: replace it with a file or folder of its own',
      { link: name, target },
    );
  }
  const path = inside.replaceAll(sep, '/');
  const owner = path.split('/').some(isGitFolder) ? "git's" : isInOwnFolder(path) && "Slipway's";
  if (owner)
    throw badInput(`${name} is a link into ${owner} own folder, ${target}`, 'delete the link', { link: name, target });
  if (isSecret(path))
    throw badInput(`${name} is a link to ${target}, where secrets are kept`, 'delete the link', { link: name, target });
  return target;
}

/**
 * @param root the service's folder
 * @param path a file's path inside it
 * @returns the absolute location of the file to read or write, after following links that stay inside the service
 * @throws SlipwayError bad input for an unsafe path, for a link that leads out of the service or nowhere, and for any
 * link in Slipway's own folder
 */
export function resolveInside(root: string, path: string): string {
  assertSafePath(path);
  const realRoot = realRootOf(root);
  let real = realRoot;
  for (const part of path.split('/')) {
    real = join(real, part);
    try {
      if (!lstatIfAny(real)?.isSymbolicLink()) continue;
      if (isInOwnFolder(path)) {
        throw badInput(
          `${relative(realRoot, real)} is a link`,
          'slipway follows no link to what it keeps: put what it leads to in its place',
        );
      }
      real = followLink(realRoot, real);
    } catch (error) {
      throw osFault(error, `cannot open ${path}`, exitCodes.badInput);
    }
  }
  return real;
}
