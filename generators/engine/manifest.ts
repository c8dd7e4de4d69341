import { sorted } from './json.ts';
import type { Catalogue, CiProvider, Manifest, Monorepo, PackageManager } from './model.ts';

export const manifestPath = 'slipway.json';
export const schemaPath = '.slipway/manifest.schema.json';

/** The format of a catalogue's version: semantic versioning without build metadata. */
export const catalogueVersionPattern = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;

/**
 * Compares `major.minor.patch` and ignores the part after a hyphen.
 * @param version of a catalogue
 * @param other another version
 * @returns whether the first is newer than the second
 */
export function isNewer(version: string, other: string): boolean {
  const [left, right] = [version, other].map((text) => text.split('-')[0]?.split('.').map(Number) ?? []);
  const at = left?.findIndex((part, index) => part !== (right?.[index] ?? 0)) ?? -1;
  return (left?.[at] ?? 0) > (right?.[at] ?? 0);
}

/** The input of `new`, from prompts or flags. */
export interface NewService {
  readonly name: string;
  readonly description?: string;
  readonly modules?: readonly string[];
  readonly resources?: Manifest['resources'];
  readonly packageManager?: PackageManager;
  readonly ci?: readonly CiProvider[];
  readonly monorepo?: Monorepo | undefined;
  /** The host's own Node is too old for the service, so the service takes one from npm. */
  readonly pinNode?: boolean;
  readonly platformTests?: boolean;
}

/**
 * @param service the known facts about the service
 * @param catalogue the catalogue that the service is created from
 * @returns its first manifest
 */
export function newManifest(service: NewService, catalogue: Catalogue): Manifest {
  return {
    $schema: `./${schemaPath}`,
    version: catalogue.manifestVersion,
    catalogue: catalogue.version,
    service: { name: service.name, description: service.description ?? `The ${service.name} service` },
    packageManager: service.packageManager ?? 'npm',
    ...(service.pinNode ? { node: { pinned: catalogue.node.npm } } : {}),
    ci: service.ci ?? ['github'],
    ...(service.monorepo === undefined ? {} : { monorepo: service.monorepo }),
    modules: Object.fromEntries([...(service.modules ?? [])].sort().map((id) => [id, {}])),
    ...(Object.keys(service.resources ?? {}).length === 0 ? {} : { resources: sorted(service.resources ?? {}) }),
    ...(service.platformTests ? { platformTests: true } : {}),
  };
}

/** Where a service is, as its files need it. */
export interface Place {
  /** Path of the service from the root of the repository, ending with `/`; empty for a repository of its own. */
  readonly prefix: string;
  /** Path of the folder with the lockfile from the root of the repository, ending with `/`; empty for the root. */
  readonly lockfile: string;
  /** Whether a workspace has the lockfile. */
  readonly inWorkspace: boolean;
  /** Path of the service from the folder with the lockfile: `services/orders`; `.` when it is the service. */
  readonly inLockfile: string;
  /** Path from the service to the folder with the lockfile: `../..`; empty when it is the service. */
  readonly up: string;
}

/**
 * @param manifest of a service
 * @returns where the service is in its repository and its workspace
 */
export function placeOf({ monorepo }: Pick<Manifest, 'monorepo'>): Place {
  const prefix = monorepo === undefined ? '' : `${monorepo.path}/`;
  const { workspace } = monorepo ?? {};
  if (workspace === undefined) return { prefix, lockfile: prefix, inWorkspace: false, inLockfile: '.', up: '' };
  const lockfile = workspace === '.' ? '' : `${workspace}/`;
  const inLockfile = prefix.slice(lockfile.length, -1);
  return { prefix, lockfile, inWorkspace: true, inLockfile, up: inLockfile.replaceAll(/[^/]+/g, '..') };
}
