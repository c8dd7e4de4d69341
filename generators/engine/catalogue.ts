import type { NpmPackages } from './compose/npmLock.ts';
import type { Contract, ModuleDefinition, Ownership } from './module.ts';
import type { Template } from './template.ts';

/** A file of a module as the catalogue carries it: a text that is copied byte for byte, or a template. */
export type TemplateFile = {
  /** Where it goes, relative to the service's root. */
  readonly path: string;
  readonly ownership: Ownership;
  readonly executable?: true;
  /** A test of the platform: in a service only if its manifest asks for platform tests. */
  readonly platformTest?: true;
} & ({ readonly text: string } | { readonly template: Template });

/** One environment variable that a module reads, taken from its TypeBox schema when the catalogue is built. */
export interface ConfigVariable {
  readonly name: string;
  readonly description: string;
  /** What a value must look like, in words: `integer, 0 to 65535`. */
  readonly expects: string;
  readonly default?: string;
  readonly example?: string;
  readonly secret: boolean;
  readonly required: boolean;
}

export interface CatalogueModule extends ModuleDefinition {
  readonly files: readonly TemplateFile[];
  readonly config: readonly ConfigVariable[];
  /** What it adds to the service's OpenAPI document: `contract.json` beside `module.ts`. */
  readonly contract?: Contract;
}

/** A named set of modules. */
export interface Preset {
  readonly summary: string;
  readonly modules: readonly string[];
}

/** One step of a manifest migration; pointers are JSON pointers (RFC 6901). A step whose source is absent does nothing. */
export type MigrationStep =
  | { readonly move: string; readonly to: string }
  | { readonly copy: string; readonly to: string }
  | { readonly remove: string }
  | { readonly set: string; readonly value: unknown };

/** What brings a manifest from version `to - 1` to version `to`. */
export interface ManifestMigration {
  readonly to: number;
  readonly steps: readonly MigrationStep[];
}

/** All modules, as data: what `templates/build.ts` makes and the command line reads. */
export interface Catalogue {
  /** Version of the catalogue, equal to that of the package that carries it. */
  readonly version: string;
  /** Version of the manifest's shape that this catalogue understands. */
  readonly manifestVersion: number;
  readonly migrations: readonly ManifestMigration[];
  readonly node: {
    /** Version of the container image. */
    readonly image: string;
    /** Version on npm, pinned where the host's Node is too old. */
    readonly npm: string;
    /** Packages on npm that carry a Node binary, one for each platform. */
    readonly packages: readonly string[];
  };
  /** Version of pnpm that a service names when it is its package manager. */
  readonly pnpm: string;
  /** What the templates are tested with: of npm, its packages by place; of pnpm, the text. A catalogue from elsewhere may have none. */
  readonly lockfiles?: { readonly npm: NpmPackages; readonly pnpm: string };
  /** Package name → version range, for every dependency of generated code. */
  readonly versions: Readonly<Record<string, string>>;
  /** What every service has. */
  readonly base: CatalogueModule;
  readonly modules: Readonly<Record<string, CatalogueModule>>;
  readonly presets: Readonly<Record<string, Preset>>;
}

/**
 * @param catalogue all modules
 * @returns those that a user may ask for: all but parts
 */
export function offeredModules({ modules }: Catalogue): CatalogueModule[] {
  return Object.values(modules).filter(({ part }) => !part);
}
