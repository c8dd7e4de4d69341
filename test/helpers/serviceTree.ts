/**
 * Templates are tested in place. In a service, the `files` folders of its modules form one tree. Here, an import that
 * leads out of one folder is resolved in the other folders, by Vite and by every Node process that a test starts.
 */
import { existsSync, globSync, readFileSync, readdirSync } from 'node:fs';
import { registerHooks } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Plugin } from 'vitest/config';

const repository = path.resolve(import.meta.dirname, '../..');
const modules = path.join(repository, 'templates', 'modules');

/** The folders of the tree. The last one has the files that the engine composes for all modules together. */
export const roots = [
  path.join(repository, 'templates', 'base', 'files'),
  ...readdirSync(modules).map((id) => path.join(modules, id, 'files')),
  path.join(repository, '.cache', 'templates'),
];

/**
 * @param specifier specifier of an import
 * @param importer absolute path of the importing file
 * @returns the absolute path of the imported file if it is in another folder of the tree, otherwise undefined
 */
export function resolveInTree(specifier: string, importer: string): string | undefined {
  if (!/^\.\.?\//.test(specifier)) return undefined;
  const file = path.resolve(path.dirname(importer), specifier);
  const root = roots.find((candidate) => file.startsWith(candidate + path.sep));
  if (root === undefined || existsSync(file)) return undefined;
  return roots.map((other) => path.join(other, path.relative(root, file))).find((candidate) => existsSync(candidate));
}

/**
 * @returns the plugin for Vite
 */
export function serviceTree(): Plugin {
  return {
    name: 'service-tree',
    enforce: 'pre',
    resolveId: (specifier, importer) => (importer === undefined ? undefined : resolveInTree(specifier, importer)),
  };
}

/** NODE_OPTIONS for the processes that tests start. They load this file first. */
export const nodeOptions = `--import=${pathToFileURL(path.join(import.meta.dirname, 'registerServiceTree.ts')).href}`;

/** Sets each port of a module of the tree to any free port, because tests start several services at a time. */
export const anyPorts = Object.fromEntries(
  roots
    .flatMap((root) => globSync(path.join(root, 'internal/{,platform/}*/config.ts')))
    .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/^ {2}(\w+_PORT):/gm)])
    .map(([, name = '']) => [name, '0']),
);

/** Resolves imports in the same way in this process. */
export function registerServiceTree(): void {
  registerHooks({
    resolve: (specifier, context, next) => {
      const { parentURL = '' } = context;
      const file = parentURL.startsWith('file:') ? resolveInTree(specifier, fileURLToPath(parentURL)) : undefined;
      return next(file === undefined ? specifier : pathToFileURL(file).href, context);
    },
  });
}
