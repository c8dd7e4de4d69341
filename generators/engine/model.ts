/**
 * The types that the whole engine shares. This file imports nothing from the engine.
 * A module definition is plain data. `templates/build.ts` builds the catalogue from the definitions and from the files beside them.
 */

// JSON

/** A JSON object. */
export type JsonObject = { [key: string]: unknown };

// The manifest

export const packageManagers = ['npm', 'pnpm', 'yarn', 'bun'] as const;
export type PackageManager = (typeof packageManagers)[number];

export const ciProviders = ['github', 'gitlab'] as const;
export type CiProvider = (typeof ciProviders)[number];

export type OptionValue = string | boolean;

/** The desired state of a service: `slipway.json`. */
export interface Manifest {
  readonly $schema: string;
  /** Version of the format of this file. */
  readonly version: number;
  /** Version of the catalogue that the last update used. */
  readonly catalogue: string;
  readonly service: { readonly name: string; readonly description: string };
  readonly packageManager: PackageManager;
  /** Version of Node from npm. It is pinned when the Node of the host is too old. */
  readonly node?: { readonly pinned: string };
  readonly ci: readonly CiProvider[];
  /** Set for a service in a repository with other projects. */
  readonly monorepo?: Monorepo;
  /** Module id → the options that differ from the default. */
  readonly modules: Readonly<Record<string, Readonly<Record<string, OptionValue>>>>;
  /** Name of a resource in kebab-case → the resource. */
  readonly resources?: Readonly<Record<string, Resource>>;
  /** Whether the service also contains the tests of the platform's code. */
  readonly platformTests?: true;
  /** Files that Slipway no longer changes. A folder ends with `/`. */
  readonly ejected?: readonly string[];
  /** Pattern of paths → what happens to conflicts in these files. The last pattern that matches decides. */
  readonly conflicts?: Readonly<Record<string, ConflictChoice>>;
}

/** Where a service is in a repository with other projects. Paths use `/`. */
export interface Monorepo {
  /** Path of the service from the root of the repository: `services/orders`. */
  readonly path: string;
  /**
   * Set for a member of a workspace of npm or pnpm: path of the workspace from the root of the repository, `.` for the root itself. The
   * workspace has the lockfile.
   */
  readonly workspace?: string;
}

// Resources

/** A domain slice that Slipway prints from its fields. */
export interface Resource {
  /** In kebab-case. It names the folder, the path of the routes and the table. */
  readonly plural: string;
  /** Name in camelCase → text of the field, such as `string:unique`. The code has the fields in this order. */
  readonly fields: Readonly<Record<string, string>>;
  /** Name of an enum field → its transitions, such as `created>confirmed:confirm, confirmed>shipped:ship`. */
  readonly states?: Readonly<Record<string, string>>;
  /** Whether a caller of the list may ask for some fields only. */
  readonly sparse?: true;
  /** The date of the first migration, as its name begins: `20261130`. */
  readonly created: string;
  /** Name of a migration → what it changed. */
  readonly changes?: Readonly<Record<string, ResourceChange>>;
}

/** What one migration changed. It holds what is needed to undo it: `fields` of the resource are those after all changes. */
export interface ResourceChange {
  /** Names of new fields. */
  readonly add?: readonly string[];
  /** Name of a removed field → its text. */
  readonly drop?: Readonly<Record<string, string>>;
  /** Former name → name. */
  readonly rename?: Readonly<Record<string, string>>;
  /** Name → the former text. */
  readonly alter?: Readonly<Record<string, string>>;
  /** The former name of the resource. */
  readonly name?: string;
  /** The former plural. */
  readonly plural?: string;
}

export const fieldTypes = [
  'string',
  'text',
  'email',
  'url',
  'int',
  'bigint',
  'decimal',
  'boolean',
  'date',
  'datetime',
  'uuid',
  'json',
  'enum',
  'ref',
] as const;
export type FieldType = (typeof fieldTypes)[number];

/**
 * A field of a resource. Values are as in JSON: an int is a number, a bigint and a decimal are strings, a date is `2026-11-30`, a
 * datetime is `2026-11-30T12:00:00.000Z`.
 */
export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly list: boolean;
  readonly optional: boolean;
  readonly unique: boolean;
  readonly indexed: boolean;
  readonly immutable: boolean;
  /** The field is never part of a reply. */
  readonly private: boolean;
  /** The value of a field that a create request lacks. */
  readonly default?: unknown;
  /** The least value of a number or a date; the least length of a text or a list. */
  readonly min?: number | string;
  readonly max?: number | string;
  /** A regular expression of JavaScript with the flag `u`. */
  readonly pattern?: string;
  /** The values of an enum. */
  readonly values?: readonly string[];
  /** Digits of a decimal. */
  readonly precision?: number;
  /** Digits of a decimal after the point. */
  readonly scale?: number;
  /** Name of the resource that a ref refers to. */
  readonly target?: string;
}

// Module definitions

/** Who may change a file after Slipway writes it for the first time. */
export type Ownership =
  /** Only Slipway. It rewrites the file when the content differs. */
  | 'managed'
  /** Slipway and the user. A three-way merge combines their changes. */
  | 'merged'
  /** Only the user. Slipway writes the file once. */
  | 'seed'
  /** Slipway prints the file from another file of the service. It follows every change of that file. */
  | 'derived';

/** A module setting that changes the rendered files. The manifest stores it under `modules.<id>`. */
export type ModuleOption =
  | { readonly type: 'boolean'; readonly summary: string; readonly default: boolean }
  | {
      readonly type: 'string';
      readonly summary: string;
      readonly default: string;
      readonly enum: readonly string[];
    };

/** A container that a CI job needs while it runs. */
export interface CiService {
  /** May contain the module's options: `postgres:{option.version}`. */
  readonly image: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  /** A command that runs inside the container and succeeds once the container is ready. GitLab waits for the port instead. */
  readonly healthCommand: string;
}

/** One CI job. A job only sets up and runs one npm script. */
export interface CiJob {
  readonly id: string;
  readonly summary: string;
  /** Name of the npm script that the job runs. */
  readonly script: string;
  /** Whether the job needs earlier commits and tags. Other jobs get only the newest commit. */
  readonly history?: boolean;
  /** Ids of jobs that must pass before this one starts. */
  readonly needs?: readonly string[];
  readonly timeoutMinutes?: number;
}

/** What a module adds to a CI job that another module or the base defines. */
export interface CiJobAddition {
  /** Host name of the container → the container. */
  readonly services?: Readonly<Record<string, CiService>>;
  /** `{postgres.host}` is the host name of the service `postgres` in this job. The host name depends on the provider. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The CI jobs and additions of one module. */
export interface CiContribution {
  readonly jobs?: readonly CiJob[];
  /** Job id → what this module adds to it. */
  readonly additions?: Readonly<Record<string, CiJobAddition>>;
}

/**
 * A command for a terminal. It needs a service that runs with `npm start`. In `shell`, `{run}` runs an npm script, and `{exec}` runs
 * a program of a package. `{headers}` are curl arguments for the headers that each request to this service needs. `{curl}` is curl
 * with these arguments. `{path}` is the path of the first resource of the service, `{body}` the body of a request that creates an entity,
 * `{faulty}` one with an unknown field, `{one}`, `{plural}`,
 * `{kebab}`, `{snake}`, `{Pascal}` and `{Pascals}` its names. A trial with `{path}`, `{kebab}` or `{snake}` is printed only in a service that
 * has a resource.
 */
export interface Trial {
  /** What the command shows: one line of Markdown without a full stop. */
  readonly shows: string;
  readonly shell: string;
  /** Text that the output contains, if any. */
  readonly prints?: string;
}

/** How to try a module. */
export interface TryIt {
  readonly trials?: readonly Trial[];
  /**
   * A header for the requests of all modules. A shell command encloses it in double quotes. The first trial of this module sets the values
   * that it needs.
   */
  readonly header?: string;
}

/** Part of an OpenAPI document that a module adds to `api/openapi.json`. */
export type Contract = Readonly<Record<string, unknown>>;

export interface ModuleDefinition {
  /** Lower-case kebab-case. It equals the folder's name. */
  readonly id: string;
  /** One line without a full stop. Prompts and lists show it beside the id. */
  readonly summary: string;
  readonly category: 'base' | 'api' | 'data' | 'messaging' | 'reliability' | 'security' | 'delivery';
  /** Code that several modules share. Slipway does not offer it. A service contains it while one of its modules requires it. */
  readonly part?: true;
  /** A part that a service contains while it has such a resource: any, one with states, one with a field of type `json`, a sparse one. */
  readonly withResources?: 'any' | 'states' | 'json' | 'sparse';
  /** Ids of modules that Slipway adds together with this one. Slipway adds and removes required parts automatically. */
  readonly requires?: readonly string[];
  /** Files, and folders ending with `/`, that Slipway renders only when this module is in the service. Any module may bring them. */
  readonly hosts?: readonly string[];
  /** Ids of modules that cannot be in the same service as this one. */
  readonly conflicts?: readonly string[];
  readonly options?: Readonly<Record<string, ModuleOption>>;
  /** Names only. `templates/package.json` contains the versions. */
  readonly dependencies?: readonly string[];
  readonly devDependencies?: readonly string[];
  /**
   * The npm scripts of this module, for a POSIX shell and for cmd.exe, as npm runs them. A command may begin with `exec`: Slipway leaves
   * that out for cmd.exe. `{audit}` and `{sbom}` are commands of the package manager of the service.
   */
  readonly scripts?: Readonly<Record<string, string>>;
  /** The npm scripts that `npm run check` runs: first those of the base, then those of each module, and the tests last. */
  readonly checks?: readonly string[];
  /** Entries of `internal/platform/app/modules.gen.ts`: exported name → file, from the service's root. */
  readonly wiring?: Readonly<Record<string, string>>;
  readonly ownership?: {
    /** Paths, or folders ending in `/`, whose ownership is not `merged`. */
    readonly managed?: readonly string[];
    readonly seed?: readonly string[];
  };
  /**
   * Tests of the module's code, and the files that only these tests use. The tests in `internal/platform/`, `pkg/` and `scripts/` need
   * no entry. A service contains them only when its manifest asks for platform tests.
   */
  readonly platformTests?: readonly string[];
  readonly ci?: CiContribution;
  /** The module's part of `docs/modules.md`. */
  readonly tryIt?: TryIt;
  /** Lines of `AGENTS.md` for coding agents that work with this module. `{run}` runs an npm script. */
  readonly agentRules?: readonly string[];
  /** Files that the template renamed: former path → current path. A folder ends with `/`. */
  readonly renamed?: Readonly<Record<string, string>>;
  /**
   * What callers notice and what the owner has to do once the module was added or removed: lines without a full stop. `{run}` runs an
   * npm script. The page of the module and modules that nothing requires any more are named without this.
   */
  readonly next?: { readonly added?: readonly string[]; readonly removed?: readonly string[] };
}

/**
 * Declares a module. This identity function only checks the types.
 * @param definition the module definition
 * @returns the same object
 */
export function defineModule<const Definition extends ModuleDefinition>(definition: Definition): Definition {
  return definition;
}

// The catalogue

/** A Handlebars template as plain data. The build of the catalogue parses it. */
export type Template = readonly TemplatePart[];

export type TemplatePart =
  | string
  | { readonly value: Expression }
  | { readonly if: Expression; readonly yes: Template; readonly no: Template }
  | {
      /** A list. The body is printed once for each item. */
      readonly each: Expression;
      /** Another name of the item, beside `this`. */
      readonly as?: string;
      readonly body: Template;
      /** Printed when the list is empty. */
      readonly none: Template;
    }
  /** Text on one line when the line fits; otherwise each of its breaks ends a line. */
  | { readonly fit: Template }
  | { readonly break: Break };

/** A place in a text that has to fit a line. `layout.ts` says what each prints. */
export const breaks = ['soft', 'line', 'comma', 'dedent', 'close', 'fill', 'hug'] as const;
export type Break = (typeof breaks)[number];

export type Expression =
  | { readonly path: readonly string[] }
  | { readonly literal: string | number | boolean }
  | { readonly call: Helper; readonly with: readonly Expression[] };

/** Name of a helper → the number of values that it takes. */
export const helpers = { and: 2, code: 1, eq: 2, json: 1, lookup: 2, not: 1, or: 2, quote: 1 } as const;
export type Helper = keyof typeof helpers;

/** The packages of npm's lockfile: `node_modules/a/node_modules/b` → its package. The empty path is the service. */
export type NpmPackages = Readonly<Record<string, JsonObject>>;

/** A file of a module in the catalogue: either a text that Slipway copies byte for byte, or a template. */
export type TemplateFile = {
  /** Path of the file, relative to the service's root. */
  readonly path: string;
  readonly ownership: Ownership;
  readonly executable?: true;
  /** A test of the platform. A service contains it only when its manifest asks for platform tests. */
  readonly platformTest?: true;
} & ({ readonly text: string } | { readonly template: Template });

/** A file that a service has once for each resource, or once for each migration of a resource. */
export type ResourceFile = {
  /** It names the resource, and the migration if there is one file for each: `internal/migrations/{{change.name}}.ts`. */
  readonly path: Template;
  readonly ownership: Ownership;
} & ({ readonly text: string } | { readonly template: Template });

/** What a module adds to each resource: its folder `resource/`. */
export interface ResourceTemplates {
  readonly files: readonly ResourceFile[];
  /** Name → type of a field → text: what the templates look up. */
  readonly types: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Prints the resource's part of the OpenAPI document, as JSON. */
  readonly contract?: Template;
  /** Path of a file that lists what each resource exports → the export. */
  readonly lists: Readonly<Record<string, ResourceList>>;
}

/** One list of exports, and what a resource adds to it. */
export interface ResourceList {
  /** The name of the list, which its file exports. */
  readonly list: string;
  /** The name that the list contains for a resource. */
  readonly export: Template;
  /** The file that exports it, relative to the file of the list. */
  readonly from: Template;
}

/** One environment variable that a module reads. The build of the catalogue takes it from the module's TypeBox schema. */
export interface ConfigVariable {
  readonly name: string;
  readonly description: string;
  /** A description of the valid values: `integer, 0 to 65535`. */
  readonly expects: string;
  readonly default?: string;
  readonly example?: string;
  /** The value in Kubernetes, when it differs from the default. */
  readonly kubernetes?: string;
  readonly secret: boolean;
  readonly required: boolean;
}

export interface CatalogueModule extends ModuleDefinition {
  readonly files: readonly TemplateFile[];
  readonly config: readonly ConfigVariable[];
  /** What the module adds to the service's OpenAPI document: `contract.json` beside `module.ts`. */
  readonly contract?: Contract;
  readonly resource?: ResourceTemplates;
  /** What a resource adds to lists of exports. Only a module that was printed for a resource has it. */
  readonly listed?: readonly ListedExport[];
}

/** An export in a list. */
export interface ListedExport {
  /** The file of the list. */
  readonly file: string;
  readonly name: string;
  /** Relative to the file of the list. */
  readonly from: string;
}

/** A named set of modules and resources. */
export interface Preset {
  readonly summary: string;
  readonly modules: readonly string[];
  readonly resources?: Readonly<Record<string, Resource>>;
}

/** One step of a manifest migration. Pointers are JSON pointers (RFC 6901). A step whose source is absent does nothing. */
export type MigrationStep =
  | { readonly move: string; readonly to: string }
  | { readonly copy: string; readonly to: string }
  | { readonly remove: string }
  | { readonly set: string; readonly value: unknown };

/** Changes a manifest from version `to - 1` to version `to`. */
export interface ManifestMigration {
  readonly to: number;
  readonly steps: readonly MigrationStep[];
}

/** Prints the contract of a service in the same way as the service's own `npm run openapi`. */
export interface Printers {
  /** Prints `api/openapi.json`. */
  readonly document: (document: unknown) => string;
  /** Prints `pkg/client/contract.gen.ts`. */
  readonly types: (document: unknown) => string;
}

/** All modules as data. `templates/build.ts` writes the catalogue, and the command line reads it. */
export interface Catalogue {
  /** Version of the catalogue. It equals the version of the package that contains it. */
  readonly version: string;
  /** Version of the manifest format that this catalogue supports. */
  readonly manifestVersion: number;
  readonly migrations: readonly ManifestMigration[];
  readonly node: {
    /** Version of the container image. */
    readonly image: string;
    /** Version on npm. Slipway pins it when the host's Node is too old. */
    readonly npm: string;
    /** npm packages that contain a Node binary, one for each platform. */
    readonly packages: readonly string[];
  };
  /** Package manager → the version that a service has in its package.json. npm has none, because Node contains it. */
  readonly packageManagers: Readonly<Partial<Record<PackageManager, string>>>;
  /**
   * The lockfiles that the templates are tested with. For npm: the packages by place; Bun's lockfile is printed from them. For pnpm and
   * Yarn: the text. A third-party catalogue may have none.
   */
  readonly lockfiles?: { readonly npm: NpmPackages; readonly pnpm: string; readonly yarn: string };
  /** Package name → version range, for every dependency of the generated code. */
  readonly versions: Readonly<Record<string, string>>;
  /** What every service contains. */
  readonly base: CatalogueModule;
  readonly modules: Readonly<Record<string, CatalogueModule>>;
  readonly presets: Readonly<Record<string, Preset>>;
  /** The printers are functions, so the file of a catalogue cannot contain them. The code that loads the catalogue adds them. */
  readonly printers: Printers;
}

// The result of render

/** How Slipway prints a file from another file. */
export interface Derivation {
  /** Path of the other file. */
  readonly from: string;
  /** Returns the text, or undefined when the text of the other file cannot be used. */
  readonly print: (text: string) => string | undefined;
  /**
   * Is set when other tools write to the file, too. Changes the file on disk as the other file changes, and keeps what Slipway did
   * not write.
   * @param raise whether the catalogue differs from the catalogue of the last update
   */
  readonly adapt?: (yours: string, source: { before: string; after: string }, raise: boolean) => Adaptation;
  /** Files with the same purpose. Slipway does not create this file when one of them exists. */
  readonly rivals?: readonly string[];
}

/** The text of a file that Slipway adapted to another file, or the reason why the file stays unchanged. */
export type Adaptation = { readonly text: string } | { readonly reason: string };

/** One file as Slipway would write it now. */
export interface RenderedFile {
  readonly bytes: Uint8Array;
  /** POSIX permission bits: 0o755 for an executable file, otherwise 0o644. */
  readonly mode: number;
  readonly ownership: Ownership;
  /** Id of the module that owns the file. It is `base` for files that every service contains. */
  readonly module: string;
  /** Set for a derived file only. */
  readonly derivation?: Derivation;
}

/** The result of `render`: path → file. A path is relative to the service's root and uses `/`. */
export type FileSet = ReadonlyMap<string, RenderedFile>;

// Merges

/** How the merged text shows each conflict. */
export type ConflictStyle = 'ours' | 'theirs' | 'markers';

/** One place that both sides changed in different ways. */
export interface Conflict {
  /** `line 12` of yours, or a JSON pointer such as `/scripts/start`. */
  readonly at: string;
  /** Why the sides could not be merged, when this is not obvious from them. */
  readonly why?: string;
  readonly base: string;
  readonly yours: string;
  readonly theirs: string;
}

/** The result of a three-way merge. */
export interface Merged {
  readonly text: string;
  readonly conflicts: readonly Conflict[];
  /** The next base to record: theirs without the parts that the user already had. */
  readonly base: string;
  /** Values of the user that a rule kept although theirs changed them. */
  readonly notes?: readonly string[];
}

/** One value for each of the three sides of a merge. */
export interface Trio<Value> {
  readonly base: Value;
  readonly yours: Value;
  readonly theirs: Value;
}

/** One of the three sides. */
export type Side = keyof Trio<unknown>;

/** A three-way merge of one file. See `merge` in merge.ts. */
export type Merge = (path: string, base: string, yours: string, theirs: string, style: ConflictStyle) => Merged;

// A service on disk, and the state that Slipway keeps for it

/** A file on disk. */
export interface DiskFile {
  /** Set when something else is in its place, which Slipway neither follows nor changes: `a link that leads out of the service`. */
  readonly special?: string;
  readonly bytes: Uint8Array;
  readonly mode: number;
  /** SHA-256 of the bytes, in hex. */
  readonly hash: string;
}

/** The state that Slipway keeps for one file that it wrote. */
export interface LockedFile {
  readonly module: string;
  readonly ownership: Ownership;
  /** SHA-256 of the base, in lower-case hex. The base is the content that Slipway last wrote. */
  readonly hash: string;
  /** The path that the user moved the file to. */
  readonly at?: string;
  /** The user wrote the file before Slipway did. Slipway keeps the file when the user removes the module. */
  readonly adopted?: true;
  /** Git merged two records of the file with different bases. Slipway never writes this field. */
  readonly contested?: true;
}

/** `.slipway/lock.jsonl`: the state that Slipway keeps for the service. */
export interface Lock {
  /** Version of the catalogue that the last update used. */
  readonly catalogue: string;
  readonly files: Readonly<Record<string, LockedFile>>;
}

/** The current state of a service. The engine reads it only through this interface and does not depend on its source. */
export interface Service {
  /** Content of `slipway.json`. It is undefined before Slipway writes the file for the first time. */
  readonly manifestText: string | undefined;
  readonly lock: Lock;
  /** Returns the content of a file, or undefined when the file does not exist. */
  readonly read: (path: string) => DiskFile | undefined;
  /** Returns the base with this hash. Returns undefined when the base was edited or removed and no other copy exists. */
  readonly base: (hash: string) => Uint8Array | undefined;
  /** Paths of the user's files and of Slipway's files, without dependencies, build output and `.slipway/`. */
  readonly files: () => readonly string[];
  /** Files that git tracks and has not checked out. They are missing without having been deleted. */
  readonly sparse?: ReadonlySet<string>;
  /** Paths of files in `.slipway/` that an earlier Slipway used and this one does not. */
  readonly outdated: () => readonly string[];
  /** SHA-256, in hex. */
  readonly hash: (bytes: Uint8Array) => string;
}

// Plans

/** The possible actions for a file. */
export const actions = ['create', 'update', 'merge', 'conflict', 'delete', 'keep', 'adopt'] as const;
export type Action = (typeof actions)[number];

/** `stop` rejects the whole plan. The other modes set how Slipway resolves each conflict. */
export type ConflictMode = 'stop' | ConflictStyle;

/** What the user can choose for conflicts. `skip` leaves a file with conflicts as it is, and the next run finds them again. */
export const conflictChoices = ['stop', 'ours', 'theirs', 'markers', 'skip'] as const;
export type ConflictChoice = (typeof conflictChoices)[number];

/** One write or removal. It is valid only while the file still has the expected content. */
export type Change = {
  readonly path: string;
  /** SHA-256 of the expected current content. It is null when the file must not exist. */
  readonly expect: string | null;
} & ({ readonly write: Uint8Array; readonly mode: number } | { readonly remove: true });

export interface PlanEntry {
  readonly path: string;
  readonly action: Action;
  readonly module: string;
  /** The reason, in a few words. */
  readonly reason: string;
  readonly conflicts: readonly Conflict[];
  readonly changes: readonly Change[];
  /** Set when the plan deletes the file because another file now contains its text: the path of that file. */
  readonly became?: string;
  /** The file has conflicts, and the user chose to leave it as it is. */
  readonly skipped?: true;
}

export interface Plan {
  /** Files that the plan changes, and files with a note for the user. Sorted by path. */
  readonly entries: readonly PlanEntry[];
  /** The lock after the plan. */
  readonly lock: Lock;
  /** Hash → bytes of the bases of all merged files in the lock. A plan with conflicts can lack some of them. */
  readonly bases: ReadonlyMap<string, Uint8Array>;
}
