import { placeOf } from '../manifest.ts';
import type { Composer } from './composer.ts';
import { toYaml } from './yaml.ts';

/**
 * `pnpm-workspace.yaml`: pnpm's settings, for services that use pnpm. A member of a workspace has none, because the file would make it a
 * workspace of its own.
 */
export const composePnpmWorkspace: Composer = ({ manifest }) => {
  if (manifest.packageManager !== 'pnpm' || placeOf(manifest).inWorkspace) return [];
  const text = toYaml({ preferSymlinkedExecutables: true }, [
    'A Node that is pinned is then run as itself, and receives signals; otherwise a shell would stand before it.',
  ]);
  return [['pnpm-workspace.yaml', { text, ownership: 'merged' }]];
};
