import type { Catalogue } from '../generators/engine/model.ts';

/** Version of Node in a service's container image. */
export const nodeImage = '26.12.1';

/** What every service of version 1 had, and what is a module now. */
const outOfTheBase = [
  'argocd',
  'client',
  'contract',
  'docker',
  'kubernetes',
  'observability',
  'supply-chain',
  'telemetry',
];

/** Changes of the manifest's shape, in order: each brings it one version further. */
export const migrations: Catalogue['migrations'] = [
  {
    to: 2,
    steps: [
      // A service of version 1 has the platform's tests: they stay until its owner says otherwise.
      { set: '/platformTests', value: true },
      ...outOfTheBase.map((id) => ({ set: `/modules/${id}`, value: {} })),
      // One module became three.
      { copy: '/modules/http2', to: '/modules/cluster' },
      { copy: '/modules/http2', to: '/modules/static' },
      { move: '/modules/http2', to: '/modules/tls' },
    ],
  },
];

/** The pnpm of services that use it. */
export const pnpm = '10.34.8';
