import { mergeNpmLock } from '../compose/npmLock.ts';
import type { PackageManagerDefinition } from './definition.ts';

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
  package: '',
  setUp: '',
  manifests: 'package.json package-lock.json*',
  github: {},
  gitlab: { cache: '.npm/', install: 'npm ci --cache .npm --prefer-offline' },
  mergeLockfile: (sides, { npm: pins }) => mergeNpmLock({ ...sides, pins }),
};
