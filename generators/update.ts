import type { PlopGeneratorConfig } from 'node-plop';
import { changing } from './changing.ts';
import type { Catalogue } from './engine/catalogue.ts';
import { badInput } from './engine/errors.ts';
import { fieldOf, isObject } from './engine/json.ts';
import { isNewer, type Manifest, manifestPath } from './engine/manifest.ts';
import { migrateManifest } from './engine/migrate.ts';
import { validateManifest } from './engine/parseManifest.ts';
import type { Invocation } from './invocation.ts';
import { planning } from './planning.ts';
import { manifestOf, presentService } from './present.ts';

/**
 * @param invocation how the command was called
 * @returns the generator of `slipway update`: migrates the manifest to this catalogue, and reconciles
 */
export function update(invocation: Invocation): Partial<PlopGeneratorConfig> {
  return changing('bring this version’s catalogue, and apply an edited manifest', () => {
    const { root, catalogue, raw } = presentService(invocation);
    const from = catalogueOf(raw);
    return {
      root,
      packageManager: updated(raw, catalogue).packageManager,
      notes: from === catalogue.version ? [] : [`catalogue ${from} → ${catalogue.version}`],
      prepare: planning(root, catalogue, invocation, (now) => updated(now, catalogue)),
    };
  });
}

/**
 * @param invocation how the command was called
 * @returns the generator of `slipway check`: a plan that must be empty
 */
export function check(invocation: Invocation): Partial<PlopGeneratorConfig> {
  return changing('exit with 4 when the service has drifted', () => {
    const { root, catalogue, raw } = presentService(invocation);
    return {
      root,
      packageManager: manifestOf(raw, catalogue).packageManager,
      examine: true,
      prepare: planning(root, catalogue, invocation, (now) => manifestOf(now, catalogue)),
    };
  });
}

function updated(raw: unknown, catalogue: Catalogue): Manifest {
  if (isNewer(catalogueOf(raw), catalogue.version)) {
    throw badInput(
      `this service is at catalogue ${catalogueOf(raw)}, newer than this Slipway (${catalogue.version})`,
      'run the newest: npx --package=create-slipway@latest slipway update',
    );
  }
  const migrated = migrateManifest(raw, catalogue);
  return validateManifest({ ...(isObject(migrated) ? migrated : {}), catalogue: catalogue.version }, catalogue);
}

function catalogueOf(raw: unknown): string {
  const value = fieldOf(raw, 'catalogue');
  if (typeof value === 'string') return value;
  throw badInput(
    `${manifestPath}, /catalogue: expected the version it was last reconciled with`,
    'restore it from version control',
  );
}
