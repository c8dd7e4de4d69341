import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { testSettings } from '../../internal/platform/http/config.ts';

/** The service's root folder. */
export const root = path.resolve(import.meta.dirname, '../..');

/** The environment of a process: what Node has compiled once, the next one starts with, in about half the time. */
export const inherited = { ...process.env, NODE_COMPILE_CACHE: path.join(os.tmpdir(), 'node-compile-cache') };

const LogLine = Type.Object({
  msg: Type.String(),
  module: Type.Optional(Type.String()),
  port: Type.Optional(Type.Integer()),
});

/** Services run side by side here: each port that a module listens on is any free one. */
const example = path.join(root, '.env.example');
const settings = existsSync(example) ? readFileSync(example, 'utf8') : '';
const defaults = {
  ...testSettings,
  ADMIN_PORT: '0',
  ...Object.fromEntries([...settings.matchAll(/^#? ?(\w+_PORT)=/gm)].map(([, name = '']) => [name, '0'])),
};

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A service in a process of its own. */
export interface ServiceProcess {
  readonly process: ChildProcess;
  /** The messages of its log so far. */
  readonly messages: string[];
  /** All that it has written, for errors. */
  readonly output: string[];
  /** The port on which a module said it listens. */
  readonly port: (module: string) => number;
  /** When the message is logged; fails when the process ends without it. */
  readonly logged: (message: string) => Promise<void>;
  readonly exited: Promise<Exit>;
  /** Sends the signal and waits for the end; fails when a check within the process has failed. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<Exit>;
}

/**
 * Starts a program in the service's root, its ports free ones.
 * @param command the program and its arguments
 * @param env beyond that of this process
 * @returns the process, as soon as it runs
 */
export function startCommand([program = '', ...args]: readonly string[], env: NodeJS.ProcessEnv = {}): ServiceProcess {
  const child = spawn(program, args, {
    cwd: root,
    env: { ...inherited, LOG_LEVEL: 'info', ...defaults, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const messages: string[] = [];
  const output: string[] = [];
  const ports = new Map<string, number>();
  const waiting = new Map<string, () => void>();
  createInterface(child.stderr).on('line', (line) => output.push(line));
  createInterface(child.stdout).on('line', (line) => {
    output.push(line);
    const { msg, module, port } = logLine(line);
    if (module !== undefined && port !== undefined) ports.set(module, port);
    messages.push(msg);
    waiting.get(msg)?.();
  });
  // 'close' comes after the last of the output, 'exit' before.
  const exited = once(child, 'close').then((): Exit => ({ code: child.exitCode, signal: child.signalCode }));

  return {
    process: child,
    messages,
    output,
    port: (module) => ports.get(module) ?? 0,
    async logged(message) {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.set(message, resolve);
      if (messages.includes(message)) resolve();
      const ended = await Promise.race([promise, exited]);
      if (ended === undefined) return;
      throw new Error(`It ended with exit code ${ended.code}, without "${message}":\n${output.join('\n')}`);
    },
    exited,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      const exit = await exited;
      const failed = messages.find((message) => message.startsWith('check failed: '));
      if (failed !== undefined) throw new Error(failed);
      return exit;
    },
  };
}

/** A line that is no record, such as one cut short, is a message that no test expects. */
function logLine(line: string): Static<typeof LogLine> {
  try {
    return Value.Parse(LogLine, JSON.parse(line));
  } catch {
    return { msg: `not a record: ${line}` };
  }
}

/** A service that is ready. */
export interface RunningService extends ServiceProcess {
  /** Base URL of the API. */
  readonly api: string;
  /** Base URL of the admin port. */
  readonly admin: string;
}

/**
 * Starts the service's own server and waits until it is ready.
 * @param env beyond that of this process
 * @param command what is started: the sources, or what the build made of them
 * @returns the running service
 * @throws {Error} with its output, when it ends instead
 */
export async function startService(
  env: NodeJS.ProcessEnv = {},
  command: readonly string[] = [process.execPath, 'cmd/server/main.ts'],
): Promise<RunningService> {
  const service = startCommand(command, env);
  await service.logged('ready');
  const url = (module: string): string => `http://127.0.0.1:${service.port(module)}`;
  return { ...service, api: url('http'), admin: url('admin') };
}
