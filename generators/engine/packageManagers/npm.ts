import { mergeNpmLock } from './npmLock.ts';
import type { PackageManagerDefinition } from './definition.ts';

/**
 * npm lists what Yarn and Bun have installed, too. The tool is downloaded on demand. The command is not `npx`, which Bun would run as
 * `bunx`.
 */
export const sbomOfInstalled =
  'npm exec --yes --omit=optional @cyclonedx/cyclonedx-npm@6 -- --omit dev --flatten-components --output-reproducible';

/** npm: https://docs.npmjs.com/cli. */
export const npm: PackageManagerDefinition = {
  name: 'npm',
  lockfile: 'package-lock.json',
  settings: {},
  install: 'npm install',
  // `.npmrc` of the service may name a program in place of git.
  installOnly: 'npm install --ignore-scripts --git=git',
  rebuild: 'npm rebuild',
  ci: 'npm ci',
  production: 'npm ci --omit=dev',
  run: 'npm run',
  dashes: ' --',
  exec: 'npx',
  fetch: 'npx --yes',
  audit: 'npm audit --omit=dev --audit-level=high',
  sbom: sbomOfInstalled,
  package: '',
  setUp: '',
  manifests: 'package.json package-lock.json*',
  github: {},
  gitlab: { cache: '.npm/', install: 'npm ci --cache .npm --prefer-offline' },
  mergeLockfile: (sides, { npm: pins }) => mergeNpmLock({ ...sides, pins }),
};
