import type { PackageManager } from './engine/manifest.ts';
import { packageManagerCommands } from './engine/template.ts';
import type { Invocation } from './invocation.ts';

/**
 * Installs a service's dependencies, with progress where somebody watches. The service is kept whatever happens.
 * @param root the service's folder
 * @param packageManager what installs
 * @param invocation how the command was called
 * @returns notes for the user: how to go on when it did not work; empty when it did
 */
export async function install(
  root: string,
  packageManager: PackageManager,
  invocation: Invocation,
): Promise<readonly string[]> {
  const command = packageManagerCommands[packageManager].install;
  if (!invocation.flags.install) return [`dependencies are not installed; do it with: ${command}`];
  const { runWithProgress } = await import('./io/process.ts');
  const fault = await runWithProgress(command, root, 'installing dependencies', invocation);
  return fault === undefined ? [] : [`dependencies are not installed: ${fault}`, `go on with: ${command}`];
}
