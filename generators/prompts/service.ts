import { type PackageManager, packageManagers } from '../engine/model.ts';
import { colors } from '../report/visible.ts';
import { ask } from './ask.ts';

const suggestion = 'orders';

/**
 * @param faultOf returns why a folder cannot be used; undefined when it can
 * @returns the folder of the new service, which can be used
 */
export async function askDirectory(faultOf: (directory: string) => string | undefined): Promise<string> {
  const answer = await ask({
    type: 'input',
    message: 'Folder of the new service, named like it',
    initial: suggestion,
    validate: (text: string) => faultOf(text.trim()) ?? true,
    // Shown while the user types. After enter, enquirer shows the message of `validate`.
    footer: ({ input, error }: { input: string; error?: string | null }) => {
      const fault = error ? undefined : faultOf(input.trim() || suggestion);
      return fault === undefined ? '' : colors.yellow(`▸ ${fault}`);
    },
  });
  return String(answer).trim();
}

/**
 * @returns the package manager of the service
 */
export async function askPackageManager(): Promise<PackageManager> {
  const answer = await ask({ type: 'select', message: 'Package manager', choices: [...packageManagers] });
  return packageManagers.find((name) => name === answer) ?? 'npm';
}

/**
 * @returns whether the service also gets the tests of the platform's code
 */
export async function askPlatformTests(): Promise<boolean> {
  const message = 'Also copy the tests of the platform (they run at Slipway; your service has its own)';
  return (await ask({ type: 'confirm', message, initial: false })) === true;
}
