import type { Catalogue, CiProvider, Manifest, PackageManager } from './model.ts';

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
  readonly packageManager?: PackageManager;
  readonly ci?: readonly CiProvider[];
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
    modules: Object.fromEntries([...(service.modules ?? [])].sort().map((id) => [id, {}])),
    ...(service.platformTests ? { platformTests: true } : {}),
  };
}
