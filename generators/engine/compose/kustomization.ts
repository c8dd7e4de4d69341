import type { Composer } from './composer.ts';
import { toYaml } from './yaml.ts';

const base = 'deploy/k8s/base/';
const components = 'deploy/k8s/components/';

const kept = {
  'argocd.argoproj.io/sync-options': 'Prune=false',
  'argocd.argoproj.io/compare-options': 'IgnoreExtraneous',
};

/** `deploy/k8s/base/kustomization.yaml`: the base's resources, and one component for each module that has one. */
export const composeKustomization: Composer = ({ manifest, paths }) => {
  const resources = paths
    .filter((path) => path.startsWith(base) && path.endsWith('.yaml'))
    .map((path) => path.slice(base.length));
  const found = paths
    .filter((path) => path.startsWith(components) && path.endsWith('/kustomization.yaml'))
    .map((path) => `../components/${path.slice(components.length, -'/kustomization.yaml'.length)}`);
  const { name } = manifest.service;
  const text = toYaml({
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    labels: [
      {
        pairs: { 'app.kubernetes.io/name': name, 'app.kubernetes.io/part-of': name },
        includeSelectors: false,
        includeTemplates: true,
      },
    ],
    resources,
    // The name of the ConfigMap contains a hash of its content, so a changed setting restarts the pods.
    // Argo CD keeps those of earlier releases: `kubectl rollout undo` needs them.
    configMapGenerator: [{ name: `${name}-config`, envs: ['config.env'], options: { annotations: kept } }],
    ...(found.length === 0 ? {} : { components: found }),
  });
  return [[`${base}kustomization.yaml`, { text, ownership: 'merged' }]];
};
