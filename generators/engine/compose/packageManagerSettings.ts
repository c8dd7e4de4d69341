import { placeOf } from '../manifest.ts';
import { packageManagerDefinitions } from '../packageManagers/index.ts';
import type { Composer } from './composer.ts';

/**
 * The settings of the service's package manager, for example `pnpm-workspace.yaml`. A member of a workspace has none, because the file
 * would make it a workspace of its own.
 */
export const composePackageManagerSettings: Composer = ({ manifest }) =>
  placeOf(manifest).inWorkspace
    ? []
    : Object.entries(packageManagerDefinitions[manifest.packageManager].settings).map(
        ([path, text]) => [path, { text, ownership: 'merged' }] as const,
      );
