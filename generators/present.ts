import { fieldOf, isObject } from './engine/json.ts';
import { catalogueVersionPattern, isNewer, manifestPath } from './engine/manifest.ts';
import { type Catalogue, type Manifest, type PackageManager, packageManagers } from './engine/model.ts';
import { badInput, SlipwayError } from './engine/errors.ts';
import { migrateManifest } from './engine/migrate.ts';
import { parseJson, validateManifest } from './engine/parseManifest.ts';
import { loadCatalogue } from './catalogue.ts';
import type { Invocation } from './invocation.ts';
import { findService, openService } from './io/service.ts';

/** The service that a command is called in. */
export interface Present {
  readonly root: string;
  readonly catalogue: Catalogue;
  /** The content of `slipway.json`. */
  readonly raw: unknown;
}

/**
 * @param invocation how the command was called
 * @returns the service that the command was called in; its manifest is not checked yet
 * @throws SlipwayError (exit code 2) when there is no service
 */
export function presentService({ cwd, flags }: Invocation): Present {
  const root = findService(cwd);
  const { manifestText } = openService(root);
  return { root, catalogue: loadCatalogue(flags.catalogue, cwd), raw: parseJson(manifestText ?? '') };
}

/**
 * @param raw the content of `slipway.json`
 * @param catalogue the catalogue in use
 * @returns the manifest
 * @throws SlipwayError (exit code 2) when the manifest is not valid, or belongs to another catalogue
 */
export function manifestOf(raw: unknown, catalogue: Catalogue): Manifest {
  const version = fieldOf(raw, 'catalogue');
  if (typeof version === 'string' && catalogueVersionPattern.test(version) && version !== catalogue.version) {
    throw badInput(
      `this service is at catalogue ${version}; this is Slipway ${catalogue.version}`,
      `${isNewer(version, catalogue.version) ? '' : 'bring it here with `slipway update`, or '}use its own version: npx --package=create-slipway@${version} slipway`,
      { file: manifestPath, service: version, slipway: catalogue.version },
    );
  }
  return validateManifest(raw, catalogue);
}

/**
 * @param raw the content of `slipway.json`, of this catalogue or an older one
 * @param catalogue the catalogue in use
 * @returns the manifest that brings the service to this catalogue
 * @throws SlipwayError (exit code 2) when the manifest is not valid, or belongs to a newer catalogue
 */
export function updatedManifest(raw: unknown, catalogue: Catalogue): Manifest {
  const from = catalogueOf(raw);
  if (isNewer(from, catalogue.version)) {
    throw badInput(
      `this service is at catalogue ${from}, newer than this Slipway (${catalogue.version})`,
      'run the newest: npx --package=create-slipway@latest slipway update',
    );
  }
  const migrated = migrateManifest(raw, catalogue);
  return validateManifest({ ...(isObject(migrated) ? migrated : {}), catalogue: catalogue.version }, catalogue);
}

/**
 * @param raw the content of `slipway.json`
 * @param catalogue the catalogue in use
 * @returns whether the service belongs to an older catalogue
 */
export function isBehind(raw: unknown, catalogue: Catalogue): boolean {
  const version = fieldOf(raw, 'catalogue');
  if (typeof version !== 'string' || !catalogueVersionPattern.test(version)) return false;
  return version !== catalogue.version && !isNewer(version, catalogue.version);
}

/**
 * @param raw the content of `slipway.json`
 * @returns the version of the catalogue that the service was brought to last
 * @throws SlipwayError (exit code 2) when there is none
 */
function catalogueOf(raw: unknown): string {
  const value = fieldOf(raw, 'catalogue');
  if (typeof value === 'string') return value;
  throw badInput(
    `${manifestPath}, /catalogue: expected the version it was last reconciled with`,
    'restore it from version control',
  );
}

/**
 * Reads the package manager without a check of the manifest, which may be of another catalogue or hold conflict markers.
 * @param root the service's folder
 * @returns the package manager that `slipway.json` names; npm when it names none
 */
export function packageManagerIn(root: string): PackageManager {
  try {
    const raw = parseJson(openService(root).manifestText ?? '');
    return packageManagers.find((known) => known === fieldOf(raw, 'packageManager')) ?? 'npm';
  } catch (error) {
    if (error instanceof SlipwayError) return 'npm';
    throw error;
  }
}

/**
 * @param invocation how the command was called
 * @returns ids of the modules of the present service; empty outside a service
 */
export function installedModules(invocation: Invocation): ReadonlySet<string> {
  try {
    const { raw } = presentService(invocation);
    return new Set(Object.keys(fieldOf(raw, 'modules') ?? {}));
  } catch (error) {
    if (error instanceof SlipwayError) return new Set();
    throw error;
  }
}

/**
 * @param invocation how the command was called
 * @returns the resources of the present service; none outside a service, and in a service whose manifest is not valid
 */
export function presentResources(invocation: Invocation): NonNullable<Manifest['resources']> {
  try {
    const { raw, catalogue } = presentService(invocation);
    return manifestOf(raw, catalogue).resources ?? {};
  } catch (error) {
    if (error instanceof SlipwayError) return {};
    throw error;
  }
}
