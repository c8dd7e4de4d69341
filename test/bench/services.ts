import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../helpers/liveService.ts';

/** A program and its arguments. */
export type Command = readonly [string, ...string[]];

/** A service as a generator lays it down. */
export interface Candidate {
  readonly name: string;
  /** Makes the folder `orders`, not installed. */
  readonly generate: (slipway: () => string) => Command;
  readonly build?: Command;
  /** Each script that says whether the service is as it should be. */
  readonly checks: readonly string[];
  /** What was built; it takes PORT from the environment where it does not take it here. */
  readonly start: (port: number) => Command;
  /** A route that answers 200 without further ado. */
  readonly route: string;
  readonly dev: Development;
}

/** How a change of a source shows while a developer works. */
export interface Development {
  /** Of package.json. */
  readonly script: string;
  /** It takes PORT from the environment where it does not take it here. */
  readonly args: (port: number) => readonly string[];
  readonly file: string;
  /** What is replaced in that file, by code that says a text. */
  readonly pattern: RegExp;
  readonly replacement: (text: string) => string;
  /** Where the text shows. */
  readonly route: string;
}

export const slipway: Candidate = {
  name: 'create-slipway',
  generate: (executable) => ['node', executable(), 'orders', '--yes', '--no-install', '--no-git'],
  build: ['npm', 'run', 'build'],
  checks: ['check'],
  start: () => ['node', 'dist/cmd/server/main.js'],
  route: '/version',
  dev: {
    script: 'dev',
    args: () => [],
    file: 'internal/items/service.ts',
    pattern: /existing\('[^']*'/,
    replacement: (said) => `existing('${said}'`,
    route: '/items/00000000-0000-4000-8000-000000000000',
  },
};

/**
 * @param modules ids
 * @returns the same with these modules
 */
export function slipwayWith(...modules: string[]): Candidate {
  return {
    ...slipway,
    name: `create-slipway with ${modules.join(', ')}`,
    generate: (executable) => [...slipway.generate(executable), `--modules=${modules.join(',')}`],
  };
}

/** Its TypeScript template does not build with the compiler that it installs: this is the other. */
const fastifyCli: Candidate = {
  name: 'fastify-cli, JavaScript',
  generate: () => npx('fastify-cli@8.0.2', 'generate', 'orders'),
  checks: ['test'],
  start: (port) => ['node', 'node_modules/fastify-cli/cli.js', 'start', '--port', String(port), 'app.js'],
  route: '/',
  dev: {
    script: 'dev',
    args: (port) => ['--', '--port', String(port)],
    file: 'routes/root.js',
    pattern: /root: \S+/,
    replacement: (said) => `root: '${said}'`,
    route: '/',
  },
};

const nest: Candidate = {
  name: 'Nest',
  generate: () =>
    npx('@nestjs/cli@12.0.8', 'new', 'orders', '--skip-git', '--skip-install', '--package-manager', 'npm'),
  build: ['npm', 'run', 'build'],
  checks: ['lint', 'test'],
  start: () => ['node', 'dist/main.js'],
  route: '/',
  dev: {
    script: 'start:dev',
    args: () => [],
    file: 'src/app.service.ts',
    pattern: /return '[^']*'/,
    replacement: (said) => `return '${said}'`,
    route: '/',
  },
};

/** Ours and the templates that people start with otherwise, as they come. */
export const candidates: readonly Candidate[] = [slipway, fastifyCli, nest];

function npx(name: string, ...args: string[]): Command {
  return ['npx', '--yes', name, ...args];
}

/** A process that was started and the processes that it starts; all of them end when it goes out of scope. */
export interface Started extends AsyncDisposable {
  readonly origin: string;
  readonly child: ChildProcess;
}

/**
 * Starts a service on a free port.
 * @param command what is started
 * @param cwd the service's folder
 * @param env variables besides the present ones
 */
export async function start(command: (port: number) => Command, cwd: string, env: NodeJS.ProcessEnv): Promise<Started> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const [program, ...args] = command(port);
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env, PORT: String(port), ADMIN_PORT: String(adminPort) },
    stdio: 'ignore',
    // A group of its own: npm and watchers start the process that serves.
    detached: true,
  });
  return {
    origin: `http://127.0.0.1:${port}`,
    child,
    async [Symbol.asyncDispose]() {
      const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // Nobody of the group is left.
      }
      await ended;
    },
  };
}

/**
 * Asks every few milliseconds, over a new connection each, until the reply is the one that is waited for.
 * @param url what is asked for
 * @param child the process that is to answer
 * @param isWanted looks at a reply; any is wanted by default: that there is no such route is an answer too
 * @throws Error when the process ends or a minute passes without it
 */
export async function reply(
  url: string,
  child: ChildProcess,
  isWanted: (body: string, status: number) => boolean = () => true,
): Promise<void> {
  const end = performance.now() + 60_000;
  while (child.exitCode === null && performance.now() < end) {
    const found = await ask(url);
    if (found !== undefined && isWanted(found.body, found.status)) return;
    await sleep(5);
  }
  throw new Error(`${url} does not answer as it should`);
}

async function ask(url: string): Promise<{ body: string; status: number } | undefined> {
  try {
    const request = get(url, { agent: false, signal: AbortSignal.timeout(2000) });
    // The documented argument of 'response'.
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return { body: await text(response), status: response.statusCode ?? 0 };
  } catch {
    // It does not listen yet, or no longer.
    return undefined;
  }
}
