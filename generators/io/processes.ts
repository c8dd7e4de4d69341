import { readFileSync } from 'node:fs';

import { codeOf } from './faults.ts';

/**
 * @param pid a process id of this machine
 * @returns whether the process exists and is not a zombie
 */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: the process exists and belongs to another user.
    return codeOf(error) === 'EPERM';
  }
  return !['Z', 'X'].includes(statusOf(pid)?.[0] ?? '');
}

/**
 * Distinguishes two processes that had the same id at different times.
 * @param pid a process id of this machine
 * @returns the boot id and the clock tick of its start; undefined where there is no /proc
 */
export function birthOf(pid: number): string | undefined {
  const tick = statusOf(pid)?.[19];
  const boot = readProc('sys/kernel/random/boot_id');
  return tick === undefined || boot === undefined ? undefined : `${boot.trim()}/${tick}`;
}

/** The fields of /proc/<pid>/stat from the third (state) on, proc_pid_stat(5). The second field may contain any text. */
function statusOf(pid: number): string[] | undefined {
  const stat = readProc(`${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function readProc(file: string): string | undefined {
  try {
    return readFileSync(`/proc/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
