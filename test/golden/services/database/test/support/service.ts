import path from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  type RunningService,
  type ServiceProcess,
  startCommand,
  startService as start,
} from '../../scripts/support/service.ts';

export { type ServiceProcess, inherited, root } from '../../scripts/support/service.ts';

/** Node, told to compare what the process answers with `api/openapi.json`. */
const watched = [
  process.execPath,
  `--import=${pathToFileURL(path.join(import.meta.dirname, 'contractPreload.ts')).href}`,
];

/**
 * Starts Node in the service's root, its ports free ones.
 * @param args of node: a file, or `--eval` and a program
 * @param env beyond that of this process
 * @returns the process, as soon as it runs
 */
export function startProcess(args: readonly string[], env: NodeJS.ProcessEnv = {}): ServiceProcess {
  return startCommand([...watched, ...args], env);
}

/**
 * Starts the service's own server from its sources and waits until it is ready.
 * @param env beyond that of this process
 * @returns the running service
 */
export function startService(env: NodeJS.ProcessEnv = {}): Promise<RunningService> {
  return start(env, [...watched, 'cmd/server/main.ts']);
}
