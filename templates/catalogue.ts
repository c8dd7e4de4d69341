import type { Catalogue } from '../generators/engine/catalogue.ts';

/** Version of Node in a service's container image. */
export const nodeImage = '26.12.1';

/** Changes of the manifest's shape, in order: each brings it one version further. */
export const migrations: Catalogue['migrations'] = [
  {
    to: 2,
    steps: ['argocd', 'docker', 'kubernetes', 'observability', 'supply-chain', 'telemetry'].map((id) => ({
        set: `/modules/${id}`,
        value: {},
      })),
      // One module became three.
      { copy: '/modules/http2', to: '/modules/cluster' },
      { copy: '/modules/http2', to: '/modules/static' },
      { move: '/modules/http2', to: '/modules/tls' },
    ],
  },
];

/** The pnpm of services that use it. */
export const pnpm = '10.34.8';
