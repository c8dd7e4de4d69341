/**
 * What a module says about itself: plain, typed data. `templates/build.ts` turns these definitions, and the files beside
 * them, into the catalogue; nothing here is ever run on a user's machine.
 */

import type { PackageManager } from './manifest.ts';

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
  /** Its part of `docs/try.md`. */
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
