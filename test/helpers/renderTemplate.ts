import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PackageManager } from '../../generators/engine/manifest.ts';
import { packageManagerCommands, renderTemplate, type TemplateContext } from '../../generators/engine/template.ts';
import { parseTemplate } from '../../templates/parseTemplate.ts';

const templates = fileURLToPath(new URL('../../templates/', import.meta.url));

/**
 * @param packageManager the one of the sample service
 * @returns what the templates of a service named `orders` are rendered with
 */
export function sampleContext(packageManager: PackageManager = 'npm'): TemplateContext {
  return {
    service: { name: 'orders', description: 'Takes orders' },
    pm: packageManagerCommands[packageManager],
    node: { version: '26.12.1' },
    options: {},
  };
}

/**
 * Renders the files of the base or of a module, without the engine and without the shared files that it composes.
 * @param folder `base`, or `modules/<id>`
 * @param context what the templates may name
 * @returns path in the service → text, sorted by path
 */
export function renderFiles(folder: string, context: TemplateContext = sampleContext()): ReadonlyMap<string, string> {
  const root = join(templates, folder, 'files');
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const rendered = files.map((entry): [string, string] => {
    const file = join(entry.parentPath, entry.name);
    const path = relative(root, file).replaceAll('\\', '/');
    const text = readFileSync(file, 'utf8');
    return path.endsWith('.hbs')
      ? [path.slice(0, -'.hbs'.length), renderTemplate(parseTemplate(text, file), context)]
      : [path, text];
  });
  return new Map(rendered.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
