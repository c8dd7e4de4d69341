import { mergeBunLock } from './bunLock.ts';
import type { PackageManagerDefinition } from './definition.ts';
import { sbomOfInstalled } from './npm.ts';

/** Bun as a package manager: https://bun.sh/docs/pm/cli/install. Node runs the service. */
export const bun: PackageManagerDefinition = {
  name: 'bun',
  lockfile: 'bun.lock',
  settings: {},
  install: 'bun install',
  // `bunfig.toml` may name a scanner, so nothing is installed without its code.
  rebuild: 'bun install --force',
  ci: 'bun install --frozen-lockfile',
  // In a workspace, Bun links packages into a store beside them, and an image takes the packages alone.
  production: 'bun install --frozen-lockfile --production --linker=hoisted',
  run: 'bun run',
  dashes: '',
  exec: 'bunx',
  fetch: 'bunx',
  audit: 'bun audit --prod --audit-level=high',
  sbom: sbomOfInstalled,
  package: 'bun',
  // The install script of the package must run, and only once. npm 12 does not run it.
  setUp: `npm install --global --ignore-scripts "$(node --print 'require("./package.json").packageManager')" && node "$(npm root --global)/bun/install.js"`,
  manifests: 'package.json bun.lock*',
  github: { cache: '~/.bun/install/cache' },
  gitlab: { cache: '.cache/bun/', install: 'bun install --frozen-lockfile --cache-dir .cache/bun' },
  mergeLockfile: (sides, { npm: pins }) => mergeBunLock({ ...sides, pins }),
};
