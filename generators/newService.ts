import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Catalogue } from './engine/catalogue.ts';
import { listOf, parseProviders } from './engine/edit.ts';
import { badInput } from './engine/errors.ts';
import {
  ciProviders,
  type CiProvider,
  type NewService,
  type PackageManager,
  packageManagers,
} from './engine/manifest.ts';
import { serviceNameFault } from './engine/names.ts';
import { withRequired } from './engine/resolve.ts';
import { didYouMean } from './engine/suggest.ts';
import type { Invocation } from './invocation.ts';

/** A new service, and where it goes. */
export interface NewServiceAnswers extends NewService {
  readonly directory: string;
}

/** The oldest Node that a service runs on. */
const oldestNode = 24;

/**
 * Finds out what a new service shall be: from flags, then from the answers file, then by asking, then by default.
 * @param invocation how the command was called
 * @param catalogue what there is to choose from
 * @returns everything that the first manifest needs
 * @throws SlipwayError (exit code 2) for a bad answer, or one that is missing with nobody to ask
 */
export async function newServiceAnswers(invocation: Invocation, catalogue: Catalogue): Promise<NewServiceAnswers> {
  const { flags, args, cwd } = invocation;
  if (args.length > 1) throw badInput(`new takes one folder; given: ${args.join(' ')}`);
  const file = flags.answers === undefined ? {} : readAnswers(path.resolve(cwd, flags.answers));
  const directory =
    args[0] ??
    file.directory ??
    flags.name ??
    file.name ??
    (await missing(invocation, 'directory', 'the folder: create-slipway orders'));
  const name = flags.name ?? file.name ?? path.basename(path.resolve(cwd, directory));
  const fault = serviceNameFault(name);
  if (fault !== undefined) {
    throw badInput(
      `"${shorten(name)}" cannot be the name of a service: ${fault}`,
      'name it with --name; the folder may be called otherwise',
    );
  }
  const description = flags.description ?? file.description;
  return {
    directory,
    name,
    ...(description === undefined ? {} : { description }),
    modules: await modules(invocation, file, catalogue),
    packageManager: await packageManager(invocation, file),
    ci: await providers(invocation, file),
    pinNode: flags.pinNode === true || Number(process.versions.node.split('.')[0]) < oldestNode,
  };
}

/** The shape of an answers file: the long names of the flags. */
interface AnswersFile {
  readonly directory?: string;
  readonly name?: string;
  readonly description?: string;
  readonly preset?: string;
  readonly modules?: readonly string[];
  readonly packageManager?: string;
  readonly ci?: readonly string[];
}

const answerKeys = ['directory', 'name', 'description', 'preset', 'modules', 'packageManager', 'ci'];
const listKeys = new Set(['modules', 'ci']);

function readAnswers(file: string): AnswersFile {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw badInput(`cannot read the answers in ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badInput(`${file} does not hold an object of answers`);
  for (const [key, answer] of Object.entries(value)) {
    if (!answerKeys.includes(key)) throw badInput(`${file}, /${key}: unknown answer`, didYouMean(key, answerKeys));
    const fits = listKeys.has(key)
      ? Array.isArray(answer) && answer.every((item) => typeof item === 'string')
      : typeof answer === 'string';
    if (!fits) throw badInput(`${file}, /${key}: expected ${listKeys.has(key) ? 'a list of strings' : 'a string'}`);
  }
  return value;
}

async function modules({ flags, interactive }: Invocation, file: AnswersFile, catalogue: Catalogue): Promise<string[]> {
  const presetName = flags.preset ?? file.preset;
  const named = flags.modules === undefined ? file.modules : listOf(flags.modules);
  if (presetName === undefined && named === undefined) return interactive ? askForModules(catalogue) : [];
  return withRequired([...preset(presetName, catalogue), ...(named ?? [])], catalogue);
}

function preset(name: string | undefined, { presets }: Catalogue): readonly string[] {
  if (name === undefined) return [];
  const found = Object.hasOwn(presets, name) ? presets[name] : undefined;
  if (found === undefined) throw badInput(`there is no preset "${name}"`, didYouMean(name, Object.keys(presets)));
  return found.modules;
}

async function askForModules(catalogue: Catalogue): Promise<string[]> {
  const { askModules } = await import('./prompts/modules.ts');
  return withRequired(await askModules('Modules', Object.keys(catalogue.modules), catalogue, []), catalogue);
}

async function packageManager({ flags, interactive }: Invocation, file: AnswersFile): Promise<PackageManager> {
  const named = flags.packageManager ?? file.packageManager;
  if (named === undefined) return interactive ? (await import('./prompts/service.ts')).askPackageManager() : 'npm';
  const found = packageManagers.find((known) => known === named);
  if (found === undefined) throw badInput(`there is no package manager "${named}"`, didYouMean(named, packageManagers));
  return found;
}

async function providers({ flags, interactive }: Invocation, file: AnswersFile): Promise<readonly CiProvider[]> {
  const named = flags.ci ?? file.ci?.join(',');
  if (named !== undefined) return parseProviders(named);
  return interactive
    ? (await import('./prompts/providers.ts')).askProviders(ciProviders.slice(0, 1))
    : ciProviders.slice(0, 1);
}

async function missing({ interactive }: Invocation, what: string, hint: string): Promise<string> {
  if (interactive) return (await import('./prompts/service.ts')).askDirectory();
  throw badInput(`nobody can be asked for the ${what}`, `name ${hint}`);
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
