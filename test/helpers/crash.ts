import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A program to run with Node. */
export interface Command {
  /** The script and its arguments. */
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Path of Node; default: the one that runs the tests. */
  readonly node?: string;
  /** The folder whose files `fsCalls` and `runStruck` watch; default: all files. */
  readonly under?: string;
  /** Id of the user and group to run as. */
  readonly uid?: number;
}

/** How a process ended. */
export interface Ending {
  /** The exit code; null when a signal ended the process. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

const preload = fileURLToPath(new URL('crashPreload.mjs', import.meta.url));

/**
 * @param command the command to run
 * @returns how it ended
 */
export function run(command: Command): Promise<Ending> {
  return start([command.node ?? process.execPath, ...command.args], command);
}

/**
 * Runs a command to its end.
 * @param command the command to run; it must succeed
 * @returns its calls of node:fs that change the file system, in order: name and file
 */
export async function fsCalls(command: Command): Promise<string[]> {
  return withTemporaryFolder(async (folder) => {
    const log = join(folder, 'calls.json');
    const ending = await runWithPreload(command, { CRASH_LOG: log });
    if (ending.code !== 0) throw new Error(`the command fails by itself: ${ending.stderr}`);
    const calls: unknown = JSON.parse(readFileSync(log, 'utf8'));
    return Array.isArray(calls) ? calls.map(String) : [];
  });
}

/**
 * Runs a command and injects a fault at one of its calls that change the file system.
 * @param command the command to run
 * @param at number of the call, from 1
 * @param how `kill`: SIGKILL before the call; `torn`: SIGKILL after half of the write; `stop`: SIGSTOP before the
 * call; otherwise the error code of the call
 * @returns how it ended
 */
export function runStruck(command: Command, at: number, how: string): Promise<Ending> {
  return runWithPreload(command, { CRASH_AT: String(at), CRASH_HOW: how });
}

function runWithPreload(command: Command, env: Readonly<Record<string, string>>): Promise<Ending> {
  const under = command.under === undefined ? {} : { CRASH_UNDER: command.under };
  return start([command.node ?? process.execPath, '--import', preload, ...command.args], {
    ...command,
    env: { ...command.env, ...env, ...under },
  });
}

/** System calls that change a file system, with their variants on other processors. `openat` is left out, because most calls only read. */
const mutations = [
  'rename,renameat,renameat2',
  'write,pwrite64,writev',
  'fsync,fdatasync',
  'unlink,unlinkat,rmdir',
  'mkdir,mkdirat',
  'link,linkat',
  'fchmod,chmod',
];

/** One system call of one run. */
export interface SystemCall {
  readonly name: string;
  /** The number of the call among those of the same name in its thread, from 1. */
  readonly nth: number;
}

/** Whether strace is installed and may trace. */
export const hasStrace = spawnSync('strace', ['-qq', '-o', '/dev/null', 'true']).status === 0;

/**
 * Runs a command to its end under strace.
 * @param command the command to run; it must succeed
 * @returns the system calls, its own and Node's, at which `runKilledInKernel` can kill it
 */
export async function systemCalls(command: Command): Promise<SystemCall[]> {
  return withTemporaryFolder(async (folder) => {
    const log = join(folder, 'strace.log');
    const names = mutations.flatMap((kin) => kin.split(',')).map((name) => `?${name}`);
    const ending = await startTraced(command, ['-o', log, '-e', `trace=${names.join(',')}`]);
    if (ending.code !== 0) throw new Error(`the command fails by itself: ${ending.stderr}`);
    const counts = new Map<string, number>();
    const calls = new Map<string, SystemCall>();
    for (const [, thread, name] of readFileSync(log, 'utf8').matchAll(/^(\d+) +(\w+)\(/gm)) {
      if (name === undefined) continue;
      const nth = (counts.get(`${thread} ${name}`) ?? 0) + 1;
      counts.set(`${thread} ${name}`, nth);
      calls.set(`${name} ${nth}`, { name, nth });
    }
    return [...calls.values()];
  });
}

/**
 * Runs a command, which the kernel kills when one of its threads enters the given system call.
 * @param command the command to run
 * @param call the system call
 * @returns how it ended
 */
export function runKilledInKernel(command: Command, { name, nth }: SystemCall): Promise<Ending> {
  return startTraced(command, [
    '-o',
    '/dev/null',
    '-e',
    `trace=${name}`,
    '-e',
    `inject=${name}:signal=KILL:when=${nth}`,
  ]);
}

function startTraced(command: Command, options: readonly string[]): Promise<Ending> {
  return start(['strace', '-f', '-qq', ...options, command.node ?? process.execPath, ...command.args], command);
}

/**
 * Processes a list, with several items at a time.
 * @param items the list
 * @param action processes one item
 * @param width the max number of items at a time
 */
export async function eachOf<T>(items: readonly T[], action: (item: T) => Promise<void>, width = 3): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await action(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

function start([file = '', ...args]: readonly string[], { cwd, env, uid }: Command): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd,
      env: { ...process.env, NODE_OPTIONS: '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

async function withTemporaryFolder<T>(action: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-crash-'));
  try {
    return await action(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
