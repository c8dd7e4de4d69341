import colors from '../report/colors.ts';
import { type Catalogue, type CatalogueModule, type PackageManager, packageManagers } from '../engine/model.ts';
import { ask } from './ask.ts';
import { askOne } from './choose.ts';

const suggestions = ['orders', ...Array.from({ length: 98 }, (_, index) => `orders-${index + 2}`)];

/**
 * @param faultOf returns why a folder cannot be used; undefined when it can
 * @returns the folder of the new service, which can be used
 */
export async function askDirectory(faultOf: (directory: string) => string | undefined): Promise<string> {
  const suggestion = suggestions.find((name) => faultOf(name) === undefined) ?? '';
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
 * @param initial the package manager that is selected first
 * @returns the package manager of the service
 */
export async function askPackageManager(initial: PackageManager): Promise<PackageManager> {
  return askOne(
    'Package manager',
    packageManagers.map((name) => ({ name })),
    initial,
  );
}

/**
 * @param catalogue has the presets
 * @param initial name of the preset that is selected at first
 * @returns the name of the chosen preset; its modules can still be changed
 */
export async function askPreset({ presets }: Catalogue, initial: string): Promise<string> {
  const choices = Object.entries(presets).map(([name, { summary }]) => ({ name, hint: summary }));
  return askOne('Preset', choices, initial);
}

/**
 * Asks for the options of modules.
 * @param modules of the service
 * @param given options that are known, each of the form `module.option=value`
 * @returns the other options, in the same form
 */
export async function askOptions(modules: readonly CatalogueModule[], given: readonly string[]): Promise<string[]> {
  const settings: string[] = [];
  for (const { id, options = {} } of modules) {
    for (const [name, option] of Object.entries(options)) {
      const key = `${id}.${name}`;
      if (given.some((setting) => setting.startsWith(`${key}=`))) continue;
      const values = option.type === 'boolean' ? ['false', 'true'] : option.enum;
      const choices = values.map((value) => ({ name: value }));
      settings.push(`${key}=${await askOne(`${key}: ${option.summary}`, choices, String(option.default))}`);
    }
  }
  return settings;
}

/**
 * @returns whether the service also gets the tests of the platform's code
 */
export async function askPlatformTests(): Promise<boolean> {
  const message = 'Also copy the tests of the platform (they run at Slipway; your service has its own)';
  return (await ask({ type: 'confirm', message, initial: false })) === true;
}
