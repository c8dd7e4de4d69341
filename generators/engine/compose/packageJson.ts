import type { Catalogue, CatalogueModule, JsonObject } from '../model.ts';
import { sorted } from '../json.ts';
import type { PackageManagerDefinition } from '../packageManagers/definition.ts';
import { packageManagerDefinitions } from '../packageManagers/index.ts';
import { SlipwayError, badInput, exitCodes } from '../errors.ts';
import type { Composer, ComposeInput } from './composer.ts';
import { union } from './union.ts';

/** `package.json`: scripts and dependency names from the modules, versions from the catalogue. The keys are in the formatter's order. */
export const composePackageJson: Composer = (input) => [
  ['package.json', { text: printPackageJson(packageJsonOf(input)), ownership: 'merged' }],
];

/**
 * @param value content of `package.json`
 * @returns its text
 */
export function printPackageJson(value: JsonObject): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/**
 * @param input the service
 * @returns the content of its `package.json`
 */
export function packageJsonOf(input: ComposeInput): JsonObject {
  const { manifest, catalogue, modules } = input;
  const dependencies = versions(catalogue, modules, (module) => module.dependencies);
  const devDependencies = versions(catalogue, modules, (module) => module.devDependencies);
  refuseNameOf({ ...dependencies, ...devDependencies }, manifest.service.name);
  const version = catalogue.packageManagers[manifest.packageManager];
  return {
    name: manifest.service.name,
    version: '0.1.0',
    private: true,
    description: manifest.service.description,
    type: 'module',
    scripts: scripts(input),
    dependencies,
    devDependencies,
    ...(manifest.node === undefined ? {} : { optionalDependencies: pinnedNode(catalogue, manifest.node.pinned) }),
    engines: { node: '>=24' },
    ...(version === undefined ? {} : { packageManager: `${manifest.packageManager}@${version}` }),
  };
}

/**
 * Rejects a dependency with the service's own name. A package that imports its own name gets itself
 * (https://nodejs.org/api/packages.html#self-referencing-a-package-using-its-name).
 */
function refuseNameOf(packages: Readonly<Record<string, string>>, name: string): void {
  if (!Object.hasOwn(packages, name)) return;
  throw badInput(
    `the service is called "${name}", and so is a package that it needs: its imports would find the service itself`,
    'give the service another name',
  );
}

function scripts({ manifest, catalogue, modules }: ComposeInput): Record<string, string> {
  const manager = packageManagerDefinitions[manifest.packageManager];
  const { fetch, run, dashes } = manager;
  const all = union('the npm script', modules, (module) => module.scripts);
  return sorted({
    ...Object.fromEntries(Object.keys(all).map((name) => [name, onAnySystem(commandOf(name, all, manager))])),
    check: [...modules.flatMap(({ checks = [] }) => checks), 'test'].map((name) => `node --run ${name}`).join(' && '),
    slipway: `${fetch} --package=create-slipway@${catalogue.version} slipway`,
    'slipway:check': `${run} slipway${dashes} check`,
  });
}

/**
 * @param name of an npm script
 * @param all scripts of modules
 * @param manager the package manager that runs it
 * @returns its command, which may begin with `exec`
 */
export function commandOf(
  name: string,
  all: Readonly<Record<string, string>>,
  manager: Pick<PackageManagerDefinition, 'audit' | 'sbom' | 'scriptOf'>,
): string {
  const command = (all[name] ?? '').replace('{audit}', manager.audit).replace('{sbom}', manager.sbom);
  return manager.scriptOf?.(command, all[`pre${name}`]) ?? command;
}

/** Returns true in cmd.exe, and false in a POSIX shell. Its quotes are valid in both. */
const inWindows = `node --eval "process.exit(Number(process.platform !== 'win32'))"`;

/**
 * `exec` replaces the shell: otherwise the shell, and not the program, gets the signals that npm passes on. It comes last, because there
 * npm adds the arguments of its user. cmd.exe has no `exec`, and Windows has no such signals.
 */
function onAnySystem(command: string): string {
  return command.startsWith('exec ') ? `${inWindows} && ${command.slice('exec '.length)} || ${command}` : command;
}

function versions(
  catalogue: Catalogue,
  modules: readonly CatalogueModule[],
  names: (module: CatalogueModule) => readonly string[] | undefined,
): Record<string, string> {
  return union('the version of', modules, (module) =>
    Object.fromEntries((names(module) ?? []).map((name) => [name, versionOf(name, module, catalogue)])),
  );
}

function versionOf(name: string, module: CatalogueModule, catalogue: Catalogue): string {
  const version = Object.hasOwn(catalogue.versions, name) ? catalogue.versions[name] : undefined;
  if (version === undefined) {
    throw new SlipwayError(
      exitCodes.failed,
      `module "${module.id}" depends on "${name}", which has no version in the catalogue`,
    );
  }
  return version;
}

/** Returns one package for each platform. npm installs the one for the current platform and skips the others. */
function pinnedNode(catalogue: Catalogue, version: string): Record<string, string> {
  return Object.fromEntries(catalogue.node.packages.map((name) => [name, version]));
}
