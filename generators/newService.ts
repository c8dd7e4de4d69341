import path from 'node:path';
import { chooseOptions } from './changeModules.ts';
import { type AnswersFile, readAnswers } from './answersFile.ts';
import type { NewService } from './engine/manifest.ts';
import {
  type Catalogue,
  type CiProvider,
  ciProviders,
  type PackageManager,
  packageManagers,
  type Preset,
} from './engine/model.ts';
import { offeredModules, withRequired } from './engine/resolve.ts';
import { listOf, parseProviders } from './engine/edit.ts';
import { badInput } from './engine/errors.ts';
import { descriptionFault, serviceNameFault } from './engine/names.ts';
import { didYouMean } from './engine/suggest.ts';
import { type Invocation, textOf } from './invocation.ts';
import { newFolderFault, refuseForeignFolder } from './newFolder.ts';
import { quoted } from './report/visible.ts';

/** A new service and its folder. */
export interface NewServiceAnswers extends NewService {
  readonly directory: string;
  /** Options of its modules, each of the form `module.option=value`. */
  readonly set: readonly string[];
}

/** The preset of a service when no other is named. */
const defaultPreset = 'default';

/** The oldest Node that a service runs on. */
const oldestNode = 24;

/**
 * Collects the answers for a new service: from flags, then the answers file, then prompts, then defaults. Given
 * answers are checked before the first prompt.
 * @param invocation how the command was called
 * @param catalogue the catalogue to choose from
 * @returns everything that the first manifest needs
 * @throws SlipwayError (exit code 2) for an invalid answer, or for a missing one without a terminal
 */
export async function newServiceAnswers(invocation: Invocation, catalogue: Catalogue): Promise<NewServiceAnswers> {
  const { flags, own, args, cwd, interactive } = invocation;
  const flag = (name: string): string | undefined => textOf(invocation, name);
  const answers = flag('answers');
  const file = answers === undefined ? {} : readAnswers(path.resolve(cwd, answers));
  const given = {
    directory: args[0] ?? file.directory ?? flag('name') ?? file.name,
    name: flag('name') ?? file.name,
    description: checked(flag('description') ?? file.description),
    chosen: givenModules(invocation, file, catalogue),
    packageManager: givenPackageManager(flag('package-manager') ?? file.packageManager),
    ci: givenProviders(flag('ci') ?? file.ci?.join(',')),
  };
  if (given.name !== undefined) refuseName(given.name);
  const directory = given.directory ?? (await missingDirectory(invocation));
  const name = given.name ?? path.basename(path.resolve(cwd, directory));
  if (directory.trim() !== '') refuseName(name);
  refuseForeignFolder(directory, cwd);
  const { modules, resources } =
    given.chosen ?? (interactive ? await askForModules(catalogue) : preset(defaultPreset, catalogue));
  const set = [...(file.set ?? []), ...flags.set];
  return {
    directory,
    name,
    ...(given.description === undefined ? {} : { description: given.description }),
    modules,
    ...(resources === undefined ? {} : { resources }),
    set: interactive ? [...(await chooseOptions(modules, set, catalogue)), ...set] : set,
    packageManager: given.packageManager ?? (interactive ? await askForPackageManager() : callersPackageManager()),
    ci: given.ci ?? (interactive ? await askForProviders() : defaultProviders),
    pinNode: own['pin-node'] === true || Number(process.versions.node.split('.')[0]) < oldestNode,
    platformTests:
      own['platform-tests'] === true || (file.platformTests ?? (interactive ? await askForPlatformTests() : false)),
  };
}

function refuseName(name: string): void {
  const fault = serviceNameFault(name);
  if (fault === undefined) return;
  throw badInput(
    `${quoted(name)} cannot be the name of a service: ${fault}`,
    'name it with --name; the folder may be called otherwise',
  );
}

function checked(description: string | undefined): string | undefined {
  const fault = description === undefined ? undefined : descriptionFault(description);
  if (fault !== undefined) throw badInput(`${quoted(description ?? '')} cannot be the description: ${fault}`);
  return description;
}

/** The modules and resources of a new service. */
type Chosen = Pick<Preset, 'modules' | 'resources'>;

function givenModules(invocation: Invocation, file: AnswersFile, catalogue: Catalogue): Chosen | undefined {
  const presetName = textOf(invocation, 'preset') ?? file.preset;
  const modules = textOf(invocation, 'modules');
  const named = modules === undefined ? file.modules : listOf(modules);
  if (presetName === undefined && named === undefined) return undefined;
  const chosen = preset(presetName, catalogue);
  return { ...chosen, modules: withRequired([...chosen.modules, ...(named ?? [])], catalogue) };
}

function preset(name = defaultPreset, { presets }: Catalogue): Chosen {
  const found = Object.hasOwn(presets, name) ? presets[name] : undefined;
  if (found === undefined) throw badInput(`there is no preset ${quoted(name)}`, didYouMean(name, Object.keys(presets)));
  return found;
}

async function askForModules(catalogue: Catalogue): Promise<Chosen> {
  const { askModules } = await import('./prompts/modules.ts');
  const { askPreset } = await import('./prompts/service.ts');
  const chosen = preset(await askPreset(catalogue, defaultPreset), catalogue);
  const offered = offeredModules(catalogue).map(({ id }) => id);
  const modules = withRequired(await askModules('Modules', offered, catalogue, chosen.modules), catalogue);
  return { ...chosen, modules };
}

function givenPackageManager(named: string | undefined): PackageManager | undefined {
  if (named === undefined) return undefined;
  const found = packageManagers.find((known) => known === named);
  if (found === undefined)
    throw badInput(`there is no package manager ${quoted(named)}`, didYouMean(named, packageManagers));
  return found;
}

async function askForPackageManager(): Promise<PackageManager> {
  return (await import('./prompts/service.ts')).askPackageManager(callersPackageManager());
}

/**
 * The package manager that runs this process: `npm create`, `pnpm create`, `yarn create` and `bun create` set a user agent such as
 * `pnpm/10.34.8 npm/? node/v24.10.0 linux x64`. It is npm when the user agent names no other.
 */
function callersPackageManager(): PackageManager {
  const [name] = (process.env['npm_config_user_agent'] ?? '').split('/');
  return packageManagers.find((known) => known === name) ?? 'npm';
}

const defaultProviders: readonly CiProvider[] = ciProviders.slice(0, 1);

function givenProviders(named: string | undefined): readonly CiProvider[] | undefined {
  return named === undefined ? undefined : parseProviders(named);
}

async function askForPlatformTests(): Promise<boolean> {
  return (await import('./prompts/service.ts')).askPlatformTests();
}

async function askForProviders(): Promise<readonly CiProvider[]> {
  return (await import('./prompts/providers.ts')).askProviders(defaultProviders);
}

async function missingDirectory({ interactive, cwd }: Invocation): Promise<string> {
  if (!interactive)
    throw badInput(
      'a new service needs a folder, and there is no terminal to ask on',
      'name it: create-slipway orders',
    );
  const { askDirectory } = await import('./prompts/service.ts');
  return askDirectory(
    (directory) => serviceNameFault(path.basename(path.resolve(cwd, directory))) ?? newFolderFault(directory, cwd),
  );
}
