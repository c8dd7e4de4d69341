import type { Composer } from './composer.ts';

/** `deploy/k8s/base/config.env`: the default of every setting that has one and is not secret. Kustomize creates a ConfigMap from it. */
export const composeConfigEnv: Composer = ({ modules }) => {
  const settings = modules
    .flatMap((module) => module.config)
    .filter((variable) => !variable.secret && variable.default !== undefined)
    .map(({ name, default: value }) => `${name}=${value}\n`)
    .sort();
  const head = '# The default of each setting. Overlays can change it. docs/configuration.md explains the settings.\n';
  return [['deploy/k8s/base/config.env', { text: head + settings.join(''), ownership: 'merged' }]];
};
