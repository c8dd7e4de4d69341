import type { Catalogue } from '../generators/engine/model.ts';

/** Version of Node in the container image of a service. */
export const nodeImage = '26.12.1';

/** Modules that were part of every service in version 1. */
const outOfTheBase = [
  'argocd',
  'client',
  'contract',
  'cors',
  'docker',
  'kubernetes',
  'observability',
  'supply-chain',
  'telemetry',
];

/** Changes of the manifest's shape, in order. Each raises the version by one. */
export const migrations: Catalogue['migrations'] = [
  {
    to: 2,
    steps: [
      // A service of version 1 has the platform's tests. They stay until its owner changes this.
      { set: '/platformTests', value: true },
      ...outOfTheBase.map((id) => ({ set: `/modules/${id}`, value: {} })),
      // One module was split into three.
      { copy: '/modules/http2', to: '/modules/cluster' },
      { copy: '/modules/http2', to: '/modules/static' },
      { move: '/modules/http2', to: '/modules/tls' },
    ],
  },
];

/** The versions of package managers that Node does not contain. */
export const packageManagers = { pnpm: '10.34.8', yarn: '4.18.1', bun: '1.4.5' } as const;
