import { mergePnpmLock, withIntegrity } from './pnpmLock.ts';
import { toYaml } from '../compose/yaml.ts';
import type { PackageManagerDefinition } from './definition.ts';

/** pnpm 10: https://pnpm.io. */
export const pnpm: PackageManagerDefinition = {
  name: 'pnpm',
  lockfile: 'pnpm-lock.yaml',
  settings: {
    'pnpm-workspace.yaml': toYaml({ preferSymlinkedExecutables: true }, [
      'A Node that is pinned is then run as itself, and receives signals; otherwise a shell would stand before it.',
    ]),
  },
  install: 'pnpm install',
  // Settings of the service may name hooks, and package.json a pnpm of another registry.
  installOnly: 'pnpm install --ignore-scripts --ignore-pnpmfile --config.manage-package-manager-versions=false',
  rebuild: 'pnpm rebuild',
  ci: 'pnpm install --frozen-lockfile',
  production: 'pnpm install --frozen-lockfile --prod',
  run: 'pnpm run',
  dashes: '',
  exec: 'pnpm exec',
  fetch: 'pnpm dlx',
  audit: 'pnpm audit --prod --audit-level=high',
  // pnpm has the command `sbom` from version 11 on; the pnpm that installs is older.
  sbom: 'pnpm dlx pnpm@11 --pm-on-fail=ignore sbom --prod --sbom-format=cyclonedx --sbom-spec-version=1.6 --sbom-type=application',
  package: 'pnpm',
  setUp: `npm install --global "$(node --print 'require("./package.json").packageManager')"`,
  manifests: 'package.json pnpm-lock.yaml* pnpm-workspace.yaml*',
  github: { action: 'pnpm/action-setup@v4.4.0' },
  gitlab: { cache: '.pnpm-store/', install: 'pnpm install --frozen-lockfile --store-dir .pnpm-store' },
  mergeLockfile: (sides, { npm, pnpm: pins }) => mergePnpmLock({ ...sides, pins: withIntegrity(pins, npm) }),
};
