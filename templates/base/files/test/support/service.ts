import {
  type RunningService,
  type ServiceProcess,
  startCommand,
  startService as start,
} from '../../scripts/service.ts';

export { type ServiceProcess, inherited, root } from '../../scripts/service.ts';

/** URLs of what each process that a test starts loads first: modules add to them in `test/setup/`. */
export const preloads = new Set<string>();

/**
 * Starts Node in the service's root, its ports free ones.
 * @param args of node: a file, or `--eval` and a program
 * @param env beyond that of this process
 * @returns the process, as soon as it runs
 */
export function startProcess(args: readonly string[], env: NodeJS.ProcessEnv = {}): ServiceProcess {
  return startCommand(node(args), env);
}

/**
 * Starts the service's own server from its sources and waits until it is ready.
 * @param env beyond that of this process
 * @returns the running service
 */
export function startService(env: NodeJS.ProcessEnv = {}): Promise<RunningService> {
  return start(env, node(['cmd/server/main.ts']));
}

function node(args: readonly string[]): string[] {
  return [process.execPath, ...Array.from(preloads, (url) => `--import=${url}`), ...args];
}
