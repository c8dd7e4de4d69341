import type { Catalogue } from '../generators/engine/catalogue.ts';

/** Version of Node in a service's container image. */
export const nodeImage = '26.12.1';

/** Changes of the manifest's shape, in order: each brings it one version further. */
export const migrations: Catalogue['migrations'] = [
  {
    to: 2,
    // A service of version 1 has the platform's tests: they stay until its owner says otherwise.
    steps: [{ set: '/platformTests', value: true }],
  },
];

/** The pnpm of services that use it. */
export const pnpm = '10.34.8';
