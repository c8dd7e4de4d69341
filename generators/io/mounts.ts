import { readFileSync, statSync } from 'node:fs';
import { dirname, sep } from 'node:path';

import { lstatIfAny } from './paths.ts';

/**
 * Finds the file system of a path, for the purpose of renaming. Two bind mounts of one disk count as two file
 * systems.
 * @param realRoot the service's real location
 * @returns a function from an absolute path (which need not exist) inside the service to a name of its file system
 */
export function fileSystems(realRoot: string): (file: string) => string {
  const mounts = mountsInside(realRoot);
  return (file) => {
    let folder = file;
    while (folder !== realRoot && !mounts.has(folder)) folder = dirname(folder);
    if (mounts.size > 0) return folder;
    // Only folders are checked: on overlayfs a file may report the device of its layer.
    let existing = dirname(file);
    while (existing !== realRoot && !lstatIfAny(existing)?.isDirectory()) existing = dirname(existing);
    return String(statSync(existing).dev);
  };
}

/** The mount points below the root, from Linux's mount table; empty where there is no such table. */
function mountsInside(realRoot: string): Set<string> {
  let table: string;
  try {
    table = readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return new Set();
  }
  const points = table
    .split('\n')
    // Field 5 is the mount point. Blanks in it are octal escapes (proc_pid_mountinfo(5)).
    .map((line) => line.split(' ')[4] ?? '')
    .map((point) => point.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))));
  return new Set(points.filter((point) => point.startsWith(realRoot + sep)));
}
