import type { Adaptation, Catalogue, PackageManager } from '../model.ts';

/** Both sides of a lockfile merge. */
export interface LockfileSides {
  /** The parsed `package.json`, before and after the plan. */
  readonly before: unknown;
  readonly after: unknown;
  /** The lockfile on disk. It is undefined for a new lockfile. */
  readonly yours: string | undefined;
  /** Whether the catalogue's version wins when it is newer than yours. */
  readonly raise: boolean;
}

/** The input of a lockfile merge. */
export interface LockfileMerge<Pins> extends LockfileSides {
  /** The catalogue's lockfile. It contains every package of every module. */
  readonly pins: Pins;
}

/** Everything that differs between package managers. Templates may use the texts. */
export interface PackageManagerDefinition {
  readonly name: PackageManager;
  /** Path of its lockfile. */
  readonly lockfile: string;
  /** Its settings: path → text. */
  readonly settings: Readonly<Record<string, string>>;
  /** What the root of a workspace needs for a service in it, for people. It is absent when it needs nothing. */
  readonly workspaceNeeds?: string;
  /** It installs Node of every platform, in a workspace whose lockfile it writes by itself. So no Node is pinned there. */
  readonly cannotPinInWorkspace?: true;

  /** Installs, and writes the lockfile. */
  readonly install: string;
  /** The same, and runs no code of a package or of the service. It is undefined when settings of the service can always name code. */
  readonly installOnly?: string;
  /** Runs the scripts of installed packages. */
  readonly rebuild: string;
  /** Installs exactly the versions in the lockfile. */
  readonly ci: string;
  /** Installs exactly the versions in the lockfile, without development dependencies. */
  readonly production: string;
  /** Runs an npm script. */
  readonly run: string;
  /** What is between the name of an npm script and its flags: nothing, or a space and two dashes. */
  readonly dashes: string;
  /** Runs a program of an installed package. */
  readonly exec: string;
  /** Downloads a package and runs a program of it. */
  readonly fetch: string;

  /** Fails when a package that runs in production has a known vulnerability of high severity. */
  readonly audit: string;
  /** Prints the packages that run in production, as CycloneDX. */
  readonly sbom: string;
  /**
   * Rewrites the command of an npm script, when the package manager does not run it as npm does.
   * @param command as npm runs it
   * @param before the command that npm runs before it
   */
  readonly scriptOf?: (command: string, before: string | undefined) => string;

  /** Its own package on npm. It is empty for npm, which Node contains. */
  readonly package: string;
  /** A shell command that installs the package manager, in the version that package.json has. It is empty for npm. */
  readonly setUp: string;
  /** The files that an installation needs, as `COPY` of a Dockerfile accepts them. */
  readonly manifests: string;
  readonly github: {
    /** An action that sets up the package manager before Node. `actions/setup-node` then caches packages. */
    readonly action?: string;
    /** The folder of downloaded packages. It is undefined when `actions/setup-node` caches it. */
    readonly cache?: string;
  };
  readonly gitlab: {
    /** The folder of downloaded packages. It is inside the service, because GitLab caches no other folder. */
    readonly cache: string;
    /** Does the same as `ci`, and uses that folder. */
    readonly install: string;
  };

  /**
   * Merges the lockfile. A package that the service needs stays unchanged. A missing package comes from the catalogue. A package that
   * nothing needs is removed. The package manager adds the packages that neither side has.
   * @returns the text as the package manager prints it, or the reason why the lockfile stays unchanged
   */
  readonly mergeLockfile: (sides: LockfileSides, pins: NonNullable<Catalogue['lockfiles']>) => Adaptation;
}
