import { mergeYarnLock } from './yarnLock.ts';
import { toYaml } from '../compose/yaml.ts';
import type { PackageManagerDefinition } from './definition.ts';
import { sbomOfInstalled } from './npm.ts';

/** Yarn 4: https://yarnpkg.com. Yarn 1 cannot install a service. */
export const yarn: PackageManagerDefinition = {
  name: 'yarn',
  lockfile: 'yarn.lock',
  settings: {
    '.yarnrc.yml': toYaml({ nodeLinker: 'node-modules', installStatePath: './node_modules/.yarn-install-state.gz' }, [
      "Plug'n'Play replaces node_modules, which tools of this service read. Git ignores the state beside the packages.",
    ]),
  },
  workspaceNeeds: '.yarnrc.yml there must have "nodeLinker: node-modules"',
  // Yarn reads `os` and `cpu` of a package only as lists; packages of Node have texts. The composed lockfile has them as conditions.
  cannotPinInWorkspace: true,
  install: 'yarn install',
  // `.yarnrc.yml` may name a Yarn or a plugin of the service, so nothing is installed without its code.
  rebuild: 'yarn rebuild',
  ci: 'yarn install --immutable',
  production: 'yarn workspaces focus --production',
  run: 'yarn run',
  dashes: '',
  exec: 'yarn exec',
  fetch: 'yarn dlx --quiet',
  audit: 'yarn npm audit --environment=production --recursive --severity=high',
  sbom: sbomOfInstalled,
  scriptOf: (command, before) => {
    // The shell of Yarn has no `exec` and passes signals on. Yarn runs the programs of packages with its own Node, and `node` is the
    // Node of the service, which may be pinned.
    const own = command.replace(/^exec /, '').replace(/^vitest /, 'node node_modules/vitest/vitest.mjs ');
    return before === undefined ? own : `${before} && ${own}`;
  },
  package: '@yarnpkg/cli-dist',
  // Older images of Node contain Yarn 1.
  setUp: `npm install --global --force "$(node --print 'require("./package.json").packageManager.replace("yarn", "@yarnpkg/cli-dist")')"`,
  manifests: 'package.json yarn.lock* .yarnrc.yml*',
  github: { cache: '~/.yarn/berry/cache' },
  gitlab: { cache: '.cache/yarn/', install: 'YARN_GLOBAL_FOLDER=.cache/yarn yarn install --immutable' },
  mergeLockfile: (sides, { yarn: pins }) => mergeYarnLock({ ...sides, pins }),
};
