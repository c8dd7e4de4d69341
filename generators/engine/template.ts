import type {
  Catalogue,
  CatalogueModule,
  Expression,
  Manifest,
  OptionValue,
  PackageManager,
  Template,
  TemplatePart,
} from './model.ts';

/** The words in which a package manager is spoken to. */
export interface PackageManagerCommands {
  readonly name: PackageManager;
  /** Installs, and writes the lockfile. */
  readonly install: string;
  /** Installs exactly what the lockfile says. */
  readonly ci: string;
  readonly run: string;
  readonly exec: string;
  readonly lockfile: string;
}

/** What a template may name; anything else is an error. */
export interface TemplateContext {
  readonly service: Manifest['service'];
  readonly pm: PackageManagerCommands;
  readonly node: { readonly version: string };
  /** Package name → version range. */
  readonly versions: Catalogue['versions'];
  readonly options: Readonly<Record<string, OptionValue>>;
}

export const packageManagerCommands: Readonly<Record<PackageManager, PackageManagerCommands>> = {
  npm: {
    name: 'npm',
    install: 'npm install',
    ci: 'npm ci',
    run: 'npm run',
    exec: 'npx',
    lockfile: 'package-lock.json',
  },
  pnpm: {
    name: 'pnpm',
    install: 'pnpm install',
    ci: 'pnpm install --frozen-lockfile',
    run: 'pnpm run',
    exec: 'pnpm exec',
    lockfile: 'pnpm-lock.yaml',
  },
};

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
    versions: catalogue.versions,
    options: { ...Object.fromEntries(defaults), ...manifest.modules[module.id] },
  };
}

/**
 * @param template from the catalogue
 * @param context what it may name
 * @returns the text; nothing is escaped
 * @throws Error when the template names something that is not there
 */
export function renderTemplate(template: Template, context: TemplateContext): string {
  return template.map((part) => renderPart(part, context)).join('');
}

function renderPart(part: TemplatePart, context: TemplateContext): string {
  if (typeof part === 'string') return part;
  if ('value' in part) return String(valueOf(part.value, context));
  return renderTemplate(valueOf(part.if, context) ? part.yes : part.no, context);
}

function valueOf(expression: Expression, context: TemplateContext): unknown {
  if ('literal' in expression) return expression.literal;
  if ('eq' in expression) return valueOf(expression.eq[0], context) === valueOf(expression.eq[1], context);
  return expression.path.reduce<unknown>((value, key) => {
    if (typeof value === 'object' && value !== null && Object.hasOwn(value, key)) {
      return Object.entries(value).find(([name]) => name === key)?.[1];
    }
    throw new Error(`a template names ${expression.path.join('.')}, which is not there`);
  }, context);
}
