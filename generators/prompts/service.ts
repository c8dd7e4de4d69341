import path from 'node:path';
import { type PackageManager, packageManagers } from '../engine/manifest.ts';
import { serviceNameFault } from '../engine/names.ts';
import { ask } from './ask.ts';

/**
 * @returns the folder of the new service; its last part is a valid name
 */
export async function askDirectory(): Promise<string> {
  const answer = await ask({
    type: 'input',
    message: 'Where to? A folder, named like the service',
    initial: 'orders',
    validate: (text: string) => serviceNameFault(path.basename(path.resolve(text.trim()))) ?? true,
  });
  return String(answer).trim();
}

/**
 * @returns what shall install the dependencies
 */
export async function askPackageManager(): Promise<PackageManager> {
  const answer = await ask({ type: 'select', message: 'Package manager', choices: [...packageManagers] });
  return packageManagers.find((name) => name === answer) ?? 'npm';
}
