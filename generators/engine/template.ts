import Handlebars from 'handlebars';
import type { Catalogue, CatalogueModule } from './catalogue.ts';
import type { Manifest, OptionValue, PackageManager } from './manifest.ts';

/** The words in which a package manager is spoken to. */
export interface PackageManagerCommands {
  readonly name: PackageManager;
  /** Installs, and writes the lockfile. */
  readonly install: string;
  /** Installs exactly what the lockfile says. */
  readonly ci: string;
  readonly run: string;
  readonly exec: string;
}

/** What a template may name; anything else is an error. */
export interface TemplateContext {
  readonly service: Manifest['service'];
  readonly pm: PackageManagerCommands;
  readonly node: { readonly version: string };
  readonly options: Readonly<Record<string, OptionValue>>;
}

export const packageManagerCommands: Readonly<Record<PackageManager, PackageManagerCommands>> = {
  npm: { name: 'npm', install: 'npm install', ci: 'npm ci', run: 'npm run', exec: 'npx' },
  pnpm: {
    name: 'pnpm',
    install: 'pnpm install',
    ci: 'pnpm install --frozen-lockfile',
    run: 'pnpm run',
    exec: 'pnpm exec',
  },
};

/** An own instance: helpers that another library registers globally do not reach our templates. */
const handlebars = Handlebars.create();
handlebars.registerHelper('eq', (a: unknown, b: unknown) => a === b);

/**
 * @param manifest the service
 * @param module whose options the template may name
 * @param catalogue all modules
 * @returns what the module's templates are rendered with; it never depends on which other modules there are
 */
export function templateContext(manifest: Manifest, module: CatalogueModule, catalogue: Catalogue): TemplateContext {
  const defaults = Object.entries(module.options ?? {}).map(([name, option]) => [name, option.default] as const);
  return {
    service: manifest.service,
    pm: packageManagerCommands[manifest.packageManager],
    node: { version: catalogue.node.image },
    options: { ...Object.fromEntries(defaults), ...manifest.modules[module.id] },
  };
}

/**
 * @param text a Handlebars template
 * @param context what it may name
 * @returns the text; nothing is escaped
 * @throws Error when the template names something that is not there
 */
export function renderTemplate(text: string, context: TemplateContext): string {
  return handlebars.compile(text, { strict: true, noEscape: true })(context);
}
