import { readFileSync } from 'node:fs';

import { codeOf } from './faults.ts';

/**
 * @param pid a process id of this machine
 * @returns whether such a process is there, and not merely waiting to be buried
 */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return codeOf(error) === 'EPERM';
  }
  return !['Z', 'X'].includes(statusOf(pid)?.[0] ?? '');
}

/**
 * Tells apart two processes that had the same id one after the other.
 * @param pid a process id of this machine
 * @returns the boot and the clock tick it was started at; undefined where there is no /proc
 */
export function birthOf(pid: number): string | undefined {
  const tick = statusOf(pid)?.[19];
  const boot = readProc('sys/kernel/random/boot_id');
  return tick === undefined || boot === undefined ? undefined : `${boot.trim()}/${tick}`;
}

/** The fields of /proc/<pid>/stat from the third (state) on, proc_pid_stat(5); the second may contain anything. */
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
