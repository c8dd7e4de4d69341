import { changing, defineCommand } from '../command.ts';
import { fieldOf, isObject } from '../engine/json.ts';
import { isNewer, manifestPath } from '../engine/manifest.ts';
import type { Catalogue, Manifest } from '../engine/model.ts';
import { badInput } from '../engine/errors.ts';
import { migrateManifest } from '../engine/migrate.ts';
import { validateManifest } from '../engine/parseManifest.ts';
import { planning } from '../planning.ts';
import { presentService } from '../present.ts';

export const command = defineCommand({
  usage: '',
  summary: 'update to this version of Slipway; also applies an edited slipway.json',
  flags: changing,
  ask: (invocation) => {
    const { root, catalogue, raw } = presentService(invocation);
    const from = catalogueOf(raw);
    return {
      root,
      packageManager: updated(raw, catalogue).packageManager,
      notes: from === catalogue.version ? [] : [`catalogue ${from} → ${catalogue.version}`],
      prepare: planning(root, catalogue, invocation, (now) => updated(now, catalogue)),
    };
  },
});

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
