import type { Composer } from './composer.ts';

/**
 * `deploy/k8s/base/config.env`: every setting that is not secret and has a value in Kubernetes or a default. Kustomize creates a ConfigMap
 * from it. No setting is in the Deployment, where it would win over the ConfigMap of an overlay.
 */
export const composeConfigEnv: Composer = ({ modules }) => {
  const settings = modules
    .flatMap((module) => module.config)
    .flatMap(({ name, secret, default: usual, kubernetes: value = usual }) =>
      secret || value === undefined ? [] : `${name}=${value}\n`,
    )
    .sort();
  const head = '# The default of each setting. Overlays can change it. docs/configuration.md explains the settings.\n';
  return [['deploy/k8s/base/config.env', { text: head + settings.join(''), ownership: 'merged' }]];
};
