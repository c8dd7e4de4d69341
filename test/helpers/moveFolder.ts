import { existsSync } from 'node:fs';
import path from 'node:path';
import { moduleSpecifiers } from '../../generators/engine/reconcile/moduleSpecifiers.ts';
import type { TestService } from '../lifecycle/service.ts';

/**
 * Moves a folder or a file as an editor does. Imports in it and imports of it are updated.
 * @param service the service to change
 * @param from path of the folder or file
 * @param to its new path
 */
export function moveFolder(service: TestService, from: string, to: string): void {
  const sources = sourcesOf(service);
  const placeOf = (file: string): string => (`${file}/`.startsWith(`${from}/`) ? to + file.slice(from.length) : file);
  for (const file of Object.keys(service.tree())) if (placeOf(file) !== file) service.move(file, placeOf(file));
  for (const [file, text] of sources) {
    const rewritten = moduleSpecifiers(text).reduce((now, { specifier }) => {
      const target = path.posix.join(path.posix.dirname(file), specifier);
      if (!specifier.startsWith('.') || !sources.has(target)) return now;
      const next = path.posix.relative(path.posix.dirname(placeOf(file)), placeOf(target));
      return now.replaceAll(`'${specifier}'`, `'${next.startsWith('.') ? next : `./${next}`}'`);
    }, text);
    if (rewritten !== text) service.write(placeOf(file), rewritten);
  }
}

/**
 * @param service the service to check
 * @returns each relative import whose file does not exist
 */
export function lostImports(service: TestService): string[] {
  return [...sourcesOf(service)].flatMap(([file, text]) =>
    moduleSpecifiers(text).flatMap(({ specifier, isPath }) =>
      isPath || !specifier.startsWith('.') || existsSync(path.join(service.root, path.dirname(file), specifier))
        ? []
        : [`${file}: ${specifier}`],
    ),
  );
}

function sourcesOf(service: TestService): Map<string, string> {
  const files = Object.keys(service.tree()).filter((file) => file.endsWith('.ts'));
  return new Map(files.map((file) => [file, service.read(file)]));
}
