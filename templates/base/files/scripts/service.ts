/** Starts the service in a process of its own, for scripts and tests. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { testSettings } from '../internal/platform/http/config.ts';
import { root } from './build.ts';

export { root };

/** The environment of each process. The compile cache halves the time to start. */
export const inherited = { ...process.env, NODE_COMPILE_CACHE: path.join(os.tmpdir(), 'node-compile-cache') };

/** Services run side by side, so every port that a module listens on is any free one. */
const example = path.join(root, '.env.example');
const ports = existsSync(example) ? readFileSync(example, 'utf8').matchAll(/^#? ?(\w+_PORT)=/gm) : [];
const defaults = {
  LOG_LEVEL: 'info',
  // Other tests keep the machine busy.
  START_TIMEOUT_MS: '120000',
  ...testSettings,
  ADMIN_PORT: '0',
  ...Object.fromEntries(Array.from(ports, ([, name = '']) => [name, '0'])),
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
  /** All lines it has written, for errors. */
  readonly output: string[];
  /** The port that a module has logged. */
  readonly port: (module: string) => number;
  /** Waits for a message in the log. Rejects when the process ends without it. */
  readonly logged: (message: string) => Promise<void>;
  readonly exited: Promise<Exit>;
  /** Sends the signal and waits for the exit. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<Exit>;
}

/**
 * Starts Node in the service's root, on free ports.
 * @param args of node: a file, or `--eval` and a program
 * @param env added to the environment of this process
 * @returns the process, as soon as it runs
 */
export function startProcess(args: readonly string[], env: NodeJS.ProcessEnv = {}): ServiceProcess {
  return startCommand([process.execPath, ...args], env);
}

function startCommand([program = '', ...args]: readonly string[], env: NodeJS.ProcessEnv): ServiceProcess {
  const child = spawn(program, args, {
    cwd: root,
    env: { ...inherited, ...defaults, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const messages: string[] = [];
  const output: string[] = [];
  const portOf = new Map<string, number>();
  const waiting = new Map<string, () => void>();
  createInterface(child.stderr).on('line', (line) => output.push(line));
  createInterface(child.stdout).on('line', (line) => {
    output.push(line);
    const { msg, module, port } = logLine(line);
    if (module !== undefined && port !== undefined) portOf.set(module, port);
    messages.push(msg);
    waiting.get(msg)?.();
  });
  // 'close' comes after the last of the output, 'exit' before.
  const exited = once(child, 'close').then((): Exit => ({ code: child.exitCode, signal: child.signalCode }));

  return {
    process: child,
    messages,
    output,
    port: (module) => portOf.get(module) ?? 0,
    async logged(message) {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.set(message, resolve);
      if (messages.includes(message)) resolve();
      const ended = await Promise.race([promise, exited]);
      if (ended === undefined) return;
      throw new Error(`It ended with exit code ${ended.code}, without "${message}":\n${output.join('\n')}`);
    },
    exited,
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return exited;
    },
  };
}

const LogLine = Type.Object({
  msg: Type.String(),
  module: Type.Optional(Type.String()),
  port: Type.Optional(Type.Integer()),
});

/** A line that is not a record, such as one cut short, becomes a message that no test expects. */
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
 * Starts the server and waits until it is ready.
 * @param env added to the environment of this process
 * @param command another program and its arguments, in place of the sources
 * @returns the running service
 * @throws {Error} with its output, when it ends instead
 */
export async function startService(env: NodeJS.ProcessEnv = {}, command?: readonly string[]): Promise<RunningService> {
  const service = command ? startCommand(command, env) : startProcess(['cmd/server/main.ts'], env);
  await service.logged('ready');
  const url = (module: string): string => `http://127.0.0.1:${service.port(module)}`;
  return { ...service, api: url('http'), admin: url('admin') };
}
