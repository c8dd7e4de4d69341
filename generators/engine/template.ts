import { isObject } from './json.ts';
import { type Place, placeOf } from './manifest.ts';
import type { Catalogue, CatalogueModule, Expression, Manifest, OptionValue, Template, TemplatePart } from './model.ts';
import type { PackageManagerDefinition } from './packageManagers/definition.ts';
import { packageManagerDefinitions } from './packageManagers/index.ts';

/** The values that a template may use. Any other name is an error. */
export interface TemplateContext {
  readonly service: Manifest['service'];
  readonly pm: PackageManagerDefinition;
  readonly node: { readonly version: string };
  readonly place: Place;
  /** Package name → version range. */
  readonly versions: Catalogue['versions'];
  readonly options: Readonly<Record<string, OptionValue>>;
}

/**
 * @param manifest the service
 * @param module the module whose options the template may use
 * @param catalogue all modules
 * @returns the values for the module's templates; they never depend on the other modules
 */
export function templateContext(manifest: Manifest, module: CatalogueModule, catalogue: Catalogue): TemplateContext {
  const defaults = Object.entries(module.options ?? {}).map(([name, option]) => [name, option.default] as const);
  return {
    service: manifest.service,
    pm: packageManagerDefinitions[manifest.packageManager],
    node: { version: catalogue.node.image },
    place: placeOf(manifest),
    versions: catalogue.versions,
    options: { ...Object.fromEntries(defaults), ...manifest.modules[module.id] },
  };
}

/**
 * @param template from the catalogue
 * @param context the values that it may use
 * @returns the text, without escaping
 * @throws Error when the template uses a name that does not exist
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
    if (isObject(value) && Object.hasOwn(value, key)) return value[key];
    throw new Error(`a template names ${expression.path.join('.')}, which is not there`);
  }, context);
}
