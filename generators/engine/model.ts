/**
 * The types that all of the engine shares. This file imports nothing of the engine.
 * What a module says about itself is plain data: `templates/build.ts` turns the definitions, and the files beside them, into the catalogue.
 */

// JSON

/** An object as JSON knows it. */
export type JsonObject = { [key: string]: unknown };

// The manifest

export const packageManagers = ['npm', 'pnpm'] as const;
export type PackageManager = (typeof packageManagers)[number];

export const ciProviders = ['github', 'gitlab'] as const;
export type CiProvider = (typeof ciProviders)[number];

export type OptionValue = string | boolean;

/** A service's desired state: `slipway.json`. */
export interface Manifest {
  readonly $schema: string;
  /** Version of this file's shape. */
  readonly version: number;
  /** Version of the catalogue that the service was last reconciled with. */
  readonly catalogue: string;
  readonly service: { readonly name: string; readonly description: string };
  readonly packageManager: PackageManager;
  /** Node from npm, pinned for hosts whose own Node is too old. */
  readonly node?: { readonly pinned: string };
  readonly ci: readonly CiProvider[];
  /** Module id → its options where they differ from the default. */
  readonly modules: Readonly<Record<string, Readonly<Record<string, OptionValue>>>>;
  /** The service also gets the tests of the platform's code. */
  readonly platformTests?: true;
  /** Files that Slipway no longer touches, and folders, which end with `/`. */
  readonly ejected?: readonly string[];
}

// What a module says about itself

/** Who may write a file after its first version. */
export type Ownership =
  /** Slipway's alone: rewritten whenever it differs. */
  | 'managed'
  /** Shared: three-way merged with the user's edits. */
  | 'merged'
  /** Written once, then the user's. */
  | 'seed'
  /** Printed from another file of the service: it follows that file, no matter who changes it. */
  | 'derived';

/** A setting of a module that decides what is rendered, kept in the manifest under `modules.<id>`. */
export type ModuleOption =
  | { readonly type: 'boolean'; readonly summary: string; readonly default: boolean }
  | {
      readonly type: 'string';
      readonly summary: string;
      readonly default: string;
      readonly enum: readonly string[];
    };

/** A container that a CI job needs beside it. */
export interface CiService {
  /** May name the module's options: `postgres:{option.version}`. */
  readonly image: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  /** A command run inside the container that succeeds once it is ready; GitLab waits for the port instead. */
  readonly healthCommand: string;
}

/** One CI job, thin by rule: it sets up and runs one npm script. */
export interface CiJob {
  readonly id: string;
  readonly summary: string;
  /** Name of the npm script that is the whole job. */
  readonly script: string;
  /** Whether it looks at former commits and tags; else it is given the newest commit only. */
  readonly history?: boolean;
  /** Ids of jobs that must pass first. */
  readonly needs?: readonly string[];
  readonly timeoutMinutes?: number;
}

/** What a module adds to a CI job that another module, or the base, defines. */
export interface CiJobAddition {
  /** Host name of the container → the container. */
  readonly services?: Readonly<Record<string, CiService>>;
  /** `{postgres.host}` stands for the host at which this job reaches its service `postgres`: each provider has its own. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What one module says about CI. */
export interface CiContribution {
  readonly jobs?: readonly CiJob[];
  /** Job id → what this module adds to it. */
  readonly additions?: Readonly<Record<string, CiJobAddition>>;
}

/** The command of an npm script; one for each package manager where they differ, none where a package manager has no such thing. */
export type Script = string | Readonly<Partial<Record<PackageManager, string>>>;

/**
 * Something to paste into a terminal while the service runs, by `npm start`. In `shell`, `{run}` runs an npm script, `{exec}` a
 * program of a package, `{headers}` are arguments for what each request to this service has to carry, and `{curl}` is curl with them.
 */
export interface Trial {
  /** What it shows: a line of Markdown without a full stop. */
  readonly shows: string;
  readonly shell: string;
  /** What stands in its output, if anything does. */
  readonly prints?: string;
}

/** A slice that a module brings as an example: the user's, who lists it in `cmd/server/main.ts`, or does not. */
export interface ExampleSlice {
  /** What `file`, under the service's root, exports. */
  readonly name: string;
  readonly file: string;
  /** Once it is listed. */
  readonly trials: readonly Trial[];
}

/** How a module is seen at work. */
export interface TryIt {
  readonly trials?: readonly Trial[];
  readonly example?: ExampleSlice;
  /** For requests of all modules; double quotes enclose it in a shell. The first trial of this module sets what it needs. */
  readonly header?: string;
}

/** Part of an OpenAPI document: what a module adds to `api/openapi.json`. */
export type Contract = Readonly<Record<string, unknown>>;

export interface ModuleDefinition {
  /** Lower-case kebab-case; equal to the folder's name. */
  readonly id: string;
  /** One line, shown beside the id in prompts and lists; no full stop. */
  readonly summary: string;
  readonly category: 'base' | 'api' | 'data' | 'messaging' | 'reliability' | 'security' | 'delivery';
  /** Not offered by itself: code that several modules share. It is in a service as long as a module there requires it. */
  readonly part?: true;
  /** Ids of modules that are added together with this one; parts among them come and go by themselves. */
  readonly requires?: readonly string[];
  /** Files, and folders ending with `/`, that are rendered only where this module is, whichever module brings them. */
  readonly hosts?: readonly string[];
  /** Ids of modules that cannot stand beside this one. */
  readonly conflicts?: readonly string[];
  readonly options?: Readonly<Record<string, ModuleOption>>;
  /** Names only: versions stand in `templates/package.json`. */
  readonly dependencies?: readonly string[];
  readonly devDependencies?: readonly string[];
  /** npm scripts this module owns. */
  readonly scripts?: Readonly<Record<string, Script>>;
  /** Those of its npm scripts that `npm run check` runs: the base's first, then each module's, the tests last. */
  readonly checks?: readonly string[];
  /** Entries of `internal/platform/app/modules.gen.ts`: exported name → file under the service's root. */
  readonly wiring?: Readonly<Record<string, string>>;
  readonly ownership?: {
    /** Paths, or folders ending in `/`, that are not `merged`. */
    readonly managed?: readonly string[];
    readonly seed?: readonly string[];
  };
  /** Tests of its code, and what only they use, beside the tests in `internal/platform/`, `pkg/` and `scripts/`: not in a service unless it asks for them. */
  readonly platformTests?: readonly string[];
  readonly ci?: CiContribution;
  /** Its part of `docs/modules.md`. */
  readonly tryIt?: TryIt;
  /** Lines of `AGENTS.md`: what a coding agent must know of this module; `{run}` runs an npm script. */
  readonly agentRules?: readonly string[];
  /** Files that the template renamed, and folders, which end with `/`: former path → path now. */
  readonly renamed?: Readonly<Record<string, string>>;
}

/**
 * Declares a module; the identity function, there for the types.
 * @param definition what the module says about itself
 * @returns the same object
 */
export function defineModule<const Definition extends ModuleDefinition>(definition: Definition): Definition {
  return definition;
}

// The catalogue

/** A Handlebars template, parsed when the catalogue was built: plain data. */
export type Template = readonly TemplatePart[];

export type TemplatePart =
  | string
  | { readonly value: Expression }
  | { readonly if: Expression; readonly yes: Template; readonly no: Template };

export type Expression =
  | { readonly path: readonly string[] }
  | { readonly literal: string | boolean }
  | { readonly eq: readonly [Expression, Expression] };

/** What npm's lockfile says of each place: `node_modules/a/node_modules/b` → its package; `` is the service. */
export type NpmPackages = Readonly<Record<string, JsonObject>>;

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

/** Prints the contract of a service as the service's own `npm run openapi` does. */
export interface Printers {
  /** Prints `api/openapi.json`. */
  readonly document: (document: unknown) => string;
  /** Prints `pkg/client/contract.gen.ts`. */
  readonly types: (document: unknown) => string;
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
  /** Functions, which no file of a catalogue holds: the code that loads the catalogue adds them. */
  readonly printers: Printers;
}

// What render returns

/** How a file is printed from another one. */
export interface Derivation {
  /** Path of that other file. */
  readonly from: string;
  /** Gives the text; undefined when nothing can be printed from the other's. */
  readonly print: (text: string) => string | undefined;
  /**
   * Of a file that others write to as well: changes the one on disk as the other file changes, and keeps what is not Slipway's.
   * @param raise whether the catalogue is another than last time
   */
  readonly adapt?: (yours: string, source: { before: string; after: string }, raise: boolean) => Adaptation;
  /** Files that do this one's job: where one of them is, this one is not created. */
  readonly rivals?: readonly string[];
}

/** A file that has been fitted to another; otherwise why it stays as it is. */
export type Adaptation = { readonly text: string } | { readonly reason: string };

/** One file as Slipway would write it today. */
export interface RenderedFile {
  readonly bytes: Uint8Array;
  /** POSIX permission bits: 0o644, or 0o755 for what is run. */
  readonly mode: number;
  readonly ownership: Ownership;
  /** Id of the module that owns the file; `base` for what every service has. */
  readonly module: string;
  /** Of a derived file. */
  readonly derivation?: Derivation;
}

/** Path, relative to the service's root with `/` between parts, → file: what `render` returns. */
export type FileSet = ReadonlyMap<string, RenderedFile>;

// Merges

/** How each conflicting place is shown in the merged text. */
export type ConflictStyle = 'ours' | 'theirs' | 'markers';

/** One place where both sides changed the same thing differently. */
export interface Conflict {
  /** `line 12` of yours, or a JSON pointer such as `/scripts/start`. */
  readonly at: string;
  readonly base: string;
  readonly yours: string;
  readonly theirs: string;
}

/** What a three-way merge gives. */
export interface Merged {
  readonly text: string;
  readonly conflicts: readonly Conflict[];
  /** What to record as the next base: theirs, less what the user had already written himself. */
  readonly base: string;
}

/** Something of each of the three sides of a merge. */
export interface Trio<Value> {
  readonly base: Value;
  readonly yours: Value;
  readonly theirs: Value;
}

/** One of the three sides. */
export type Side = keyof Trio<unknown>;

/** A three-way merge of one file, as `merge` in merge.ts documents it. */
export type Merge = (path: string, base: string, yours: string, theirs: string, style: ConflictStyle) => Merged;

// A service on disk, and what Slipway remembers of it

/** A file as it is on disk. */
export interface DiskFile {
  readonly bytes: Uint8Array;
  readonly mode: number;
  /** SHA-256 of the bytes, in hex. */
  readonly hash: string;
}

/** What Slipway remembers of one file it wrote. */
export interface LockedFile {
  readonly module: string;
  readonly ownership: Ownership;
  /** SHA-256 of the base: the bytes last written, in lower-case hex. */
  readonly hash: string;
  /** Where the user moved the file to. */
  readonly at?: string;
  /** The user had written the file himself: removing the module leaves it. */
  readonly adopted?: true;
  /** Git has merged two records of the file, each with a base of its own. Never printed. */
  readonly contested?: true;
}

/** `.slipway/lock.jsonl`: what Slipway remembers of the service. */
export interface Lock {
  /** Version of the catalogue that the service was last reconciled with. */
  readonly catalogue: string;
  readonly files: Readonly<Record<string, LockedFile>>;
}

/** A service as it is now. The engine asks for what it needs; where the answers come from is not its business. */
export interface Service {
  /** Content of `slipway.json`; undefined before the first. */
  readonly manifestText: string | undefined;
  readonly lock: Lock;
  /** A file's content; undefined when it is not there. */
  readonly read: (path: string) => DiskFile | undefined;
  /** The base with this hash; undefined when it is lost: it was edited or removed, and is found nowhere else. */
  readonly base: (hash: string) => Uint8Array | undefined;
  /** Paths of the user's own files and Slipway's, without dependencies, build output and `.slipway/`. */
  readonly files: () => readonly string[];
  /** Paths of what an earlier Slipway kept in `.slipway/` and this one does not. */
  readonly outdated: () => readonly string[];
  /** SHA-256, in hex. */
  readonly hash: (bytes: Uint8Array) => string;
}

// Plans

/** What to do with a file. */
export const actions = ['create', 'update', 'merge', 'conflict', 'delete', 'keep', 'adopt'] as const;
export type Action = (typeof actions)[number];

/** `stop` refuses the whole plan; the others say how each conflicting place is settled. */
export type ConflictMode = 'stop' | ConflictStyle;

/** One write or removal, valid only while the file still has the expected content. */
export type Change = {
  readonly path: string;
  /** SHA-256 of what must be there now; null when nothing may be. */
  readonly expect: string | null;
} & ({ readonly write: Uint8Array; readonly mode: number } | { readonly remove: true });

export interface PlanEntry {
  readonly path: string;
  readonly action: Action;
  readonly module: string;
  /** Why, in a few words. */
  readonly reason: string;
  readonly conflicts: readonly Conflict[];
  readonly changes: readonly Change[];
  /** Of a file that goes because its text is now in another one: that file. */
  readonly became?: string;
}

export interface Plan {
  /** Files that something happens to, or that are worth a word; sorted by path. */
  readonly entries: readonly PlanEntry[];
  /** What is remembered afterwards. */
  readonly lock: Lock;
  /** Hash → bytes of the bases: of every merged file in the lock, unless the plan has conflicts. */
  readonly bases: ReadonlyMap<string, Uint8Array>;
}
