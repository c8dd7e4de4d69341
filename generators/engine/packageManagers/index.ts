import type { PackageManager } from '../model.ts';
import { bun } from './bun.ts';
import type { PackageManagerDefinition } from './definition.ts';
import { npm } from './npm.ts';
import { pnpm } from './pnpm.ts';
import { yarn } from './yarn.ts';

/** All package managers. */
export const packageManagerDefinitions: Readonly<Record<PackageManager, PackageManagerDefinition>> = {
  npm,
  pnpm,
  yarn,
  bun,
};
