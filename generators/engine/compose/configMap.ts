import type { Composer } from './composer.ts';
import { toYaml } from './yaml.ts';

/** `deploy/k8s/base/configmap.yaml`: every setting that is no secret and has a default, at that default. */
export const composeConfigMap: Composer = ({ manifest, modules }) => {
  const settings = modules
    .flatMap((module) => module.config)
    .filter((variable) => !variable.secret && variable.default !== undefined)
    .map((variable) => [variable.name, variable.default] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const text = toYaml(
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `${manifest.service.name}-config` },
      data: Object.fromEntries(settings),
    },
    ['Defaults of every setting; overlays change them. What each one means: docs/configuration.md.'],
  );
  return [['deploy/k8s/base/configmap.yaml', { text, ownership: 'merged' }]];
};
