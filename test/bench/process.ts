import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';

/**
 * Starts a server on cores of its own.
 * @param folder it runs in
 * @param main file that Node runs
 * @param env variables besides the present ones
 * @param cores as `taskset` has them: the first, unless told
 * @returns the process
 */
export function startServer(folder: string, main: string, env: NodeJS.ProcessEnv, cores = '0'): ChildProcess {
  return spawn('taskset', ['-c', cores, process.execPath, main], {
    cwd: folder,
    env: { ...process.env, NODE_ENV: 'production', ...env },
    // As in production somebody reads the log; here nobody keeps it.
    stdio: ['ignore', openSync('/dev/null', 'w'), 'inherit'],
  });
}

/**
 * @param server to be ended
 * @param signal SIGTERM, unless told
 * @returns once it has ended
 */
export async function stopServer(server: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (server.exitCode !== null) return;
  server.kill(signal);
  await once(server, 'exit');
}

/** Seconds on a core, of a process of Linux: what else the machine does is not in it. */
export function cpuSeconds({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const ticksPerSecond = 100;
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Of a process of Linux. */
export function residentBytes({ pid }: ChildProcess): number {
  const [, kib = '0'] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}
