import { existsSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { resolve } from 'node:path';
import { moduleSpecifiers } from '../../../generators/engine/reconcile/moduleSpecifiers.ts';
import { findUsages } from '../../../generators/engine/reconcile/usages.ts';
import { commandOf } from '../../../generators/engine/compose/packageJson.ts';
import { packageManagerDefinitions } from '../../../generators/engine/packageManagers/index.ts';
import { ownFiles, type Rule, serviceWith, type Subject, withFoundations } from './subject.ts';

/** Tools that are loaded by another tool, or called otherwise: package → what shows that they are. */
const loaded: Readonly<Record<string, RegExp>> = {
  'oxlint-tsgolint': /oxlint --type-aware/,
  '@vitest/coverage-v8': /vitest run .*--coverage/,
  typescript: /\btsc\b/,
  vite: /\bvitest\b/,
  '@redocly/cli': /\bredocly lint\b/,
  '@bufbuild/buf': /\bbuf lint\b/,
  '@bufbuild/protoc-gen-es': /\bbuf generate\b/,
};

/** What a module says of its code, and what its code says. */
export const codeRules: Readonly<Record<string, Rule>> = {
  'names dependencies that have a version': ({ module, catalogue }) =>
    namedBy(module).filter((name) => !Object.hasOwn(catalogue.versions, name)),

  'names no dependency that nothing uses': (subject) => {
    const { dependencies = [], devDependencies = [], scripts = {} } = subject.module;
    const sources = [...ownFiles(subject)].filter(([path]) => path.endsWith('.ts'));
    const imported = (files: typeof sources): Set<string> => new Set(files.flatMap(([, text]) => packagesIn(text)));
    const anywhere = imported(sources);
    const lines = commandsOf(scripts)
      .map(([, line]) => line)
      .join('\n');
    const isUsed = (name: string): boolean =>
      anywhere.has(name) ||
      new RegExp(`\\b${name}\\b`).test(lines) ||
      (loaded[name]?.test(lines) ?? false) ||
      name === '@types/node' ||
      (name.startsWith('@types/') && anywhere.has(name.slice('@types/'.length)));
    const inProduction = imported(sources.filter(([path]) => !isTest(path)));
    return [
      ...dependencies.filter((name) => !inProduction.has(name)),
      ...devDependencies.filter((name) => !isUsed(name)),
    ];
  },

  'names every package that its code imports': (subject) => {
    const foundations = withFoundations(subject);
    const production = new Set(foundations.flatMap(({ dependencies = [] }) => dependencies));
    const all = new Set(foundations.flatMap(namedBy));
    return [...ownFiles(subject)]
      .filter(([path]) => path.endsWith('.ts'))
      .flatMap(([path, text]) => {
        // Tests and scripts run where the service is developed. What is loaded only if it is there may be missing, too.
        const wanted = isTest(path) || path.startsWith('scripts/') ? [] : valueImports(text);
        const missing = [
          ...packagesIn(text).filter((name) => !all.has(name)),
          ...wanted.filter((name) => !production.has(name)),
        ];
        return [...new Set(missing)].map((name) => `${path} imports ${name}`);
      });
  },

  'has scripts whose programs there are': (subject) => {
    const files = serviceWith(subject);
    const { scripts = {} } = subject.module;
    const known = new Set([
      'check',
      ...withFoundations(subject).flatMap((module) => Object.keys(module.scripts ?? {})),
    ]);
    return commandsOf(scripts).flatMap(([name, line]) => [
      ...[...line.matchAll(/(?<![\w=/.-])[\w-][\w./-]*\.(?:ts|js|mjs|json)\b/g)]
        .map(([path]) => path.replace(/^dist\/(.*)\.js$/, '$1.ts'))
        .filter(
          (path) => !files.has(path) && !namedBy(subject.module).some((id) => path.startsWith(`node_modules/${id}/`)),
        )
        .map((path) => `${name}: ${path}`),
      ...[...line.matchAll(/(?:node --run|npm run) ([\w:-]+)/g)]
        .filter(([, other = '']) => !known.has(other))
        .map(([, other]) => `${name}: the script ${other}`),
    ]);
  },

  'has scripts that cmd.exe runs, as a POSIX shell does': (subject) =>
    commandsOf(subject.module.scripts ?? {}).flatMap(([name, line]) =>
      faultsInCmd(line).map((fault) => `${name}: ${fault}`),
    ),

  'imports in a service no test that stays at Slipway': (subject) => {
    const { base, modules } = subject.catalogue;
    const files = [base, ...Object.values(modules)].flatMap((module) => module.files);
    const stays = new Set(files.flatMap(({ path, platformTest }) => (platformTest ? [path] : [])));
    const goes = [...ownFiles(subject)].filter(([path]) => path.endsWith('.ts') && !stays.has(path));
    return findUsages(goes, { files: stays, packages: new Set() }).map(
      ({ path, specifier }) => `${path} imports ${specifier}`,
    );
  },

  'wires what its files export': (subject) => {
    const files = ownFiles(subject);
    return Object.entries(subject.module.wiring ?? {})
      .filter(([name, path]) => !new RegExp(`^export const ${name}\\b`, 'm').test(files.get(path) ?? ''))
      .map(([name, path]) => `${name} from ${path}`);
  },
};

function namedBy({ dependencies = [], devDependencies = [] }: Subject['module']): readonly string[] {
  return [...dependencies, ...devDependencies];
}

function isProgram(name: string): boolean {
  return everywhere.has(name) || existsSync(resolve(import.meta.dirname, '../../../node_modules/.bin', name));
}

/** Programs that every machine with the package manager has. */
const everywhere = new Set(['node', 'npm', 'npx', 'pnpm', 'yarn', 'bun', 'bunx']);

/**
 * Checks a script against the rules of both shells: cmd.exe has no single quotes, no `;`, no `$`, no globs and no assignment before a
 * command, and expands `%`; a POSIX shell has no built-in programs of Windows.
 */
function faultsInCmd(line: string): string[] {
  const text = line.replace(/^exec /, '');
  const unquoted = text.replaceAll(/"[^"]*"/g, 'x');
  const programs = unquoted.split(/&&|\|\|?/).map((part) => part.trim().split(/\s/)[0] ?? '');
  return [
    ...[...text.matchAll(/[`$%\\!^]/g)].map(([sign]) => `${sign} differs`),
    ...[...unquoted.matchAll(/[';*?(){}<>~#]|(?<!&)&(?!&)/g)].map(([sign]) => `${sign} differs`),
    ...programs.filter((program) => !isProgram(program)).map((program) => `${program} is no program everywhere`),
  ];
}

function isTest(path: string): boolean {
  return /\.(test|suite)\.ts$|^test\/|\/testing\.ts$|\.config\.ts$/.test(path);
}

/** Packages that are named in any way. */
function packagesIn(text: string): string[] {
  return moduleSpecifiers(text).flatMap(({ specifier, isPath }) => (isPath ? [] : packageOf(specifier)));
}

/** Packages that are imported statically, and not for their types alone. */
function valueImports(text: string): string[] {
  const statements = text.matchAll(
    /^(?:import(?!\s+type\b)(?:[^;'"]*?\bfrom)?|export\s+[*{][^;'"]*?\bfrom)\s*['"]([^'"]+)['"]/gm,
  );
  return [...statements].flatMap(([, specifier = '']) => packageOf(specifier));
}

function packageOf(specifier: string): string[] {
  if (/^[./]/.test(specifier) || isBuiltin(specifier)) return [];
  return [specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')];
}

/** The name and the command of each script, for each package manager. */
function commandsOf(scripts: Readonly<Record<string, string>>): (readonly [string, string])[] {
  return Object.values(packageManagerDefinitions).flatMap((manager) =>
    Object.keys(scripts).map((name) => [name, commandOf(name, scripts, manager)] as const),
  );
}
