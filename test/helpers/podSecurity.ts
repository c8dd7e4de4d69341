import type { Document } from './deployTree.ts';

const volumeKinds = new Set(
  'configMap csi downwardAPI emptyDir ephemeral persistentVolumeClaim projected secret'.split(' '),
);
const profiles = new Set(['RuntimeDefault', 'Localhost']);

/**
 * Checks the Pod Security Standard "restricted", which includes "baseline", as the admission of Kubernetes does for
 * Linux.
 * Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/
 * @param pod the `spec` of a pod
 * @returns the fields that are not allowed
 */
export function restrictedFaults(pod: Document): string[] {
  const containers = [...pod.containers, ...(pod.initContainers ?? []), ...(pod.ephemeralContainers ?? [])];
  const context = pod.securityContext ?? {};
  const podFaults = {
    'hostNetwork, hostPID, hostIPC': pod.hostNetwork || pod.hostPID || pod.hostIPC,
    'volumes: a kind beyond the allowed': (pod.volumes ?? []).some((volume: Document) =>
      Object.keys(volume).some((key) => key !== 'name' && !volumeKinds.has(key)),
    ),
    sysctls: (context.sysctls ?? []).length > 0,
    'runAsUser: 0': context.runAsUser === 0,
    hostProcess: context.windowsOptions?.hostProcess,
  };
  return [...named(podFaults), ...containers.flatMap((container) => containerFaults(container, context))];
}

function containerFaults(container: Document, pod: Document): string[] {
  const context = container.securityContext ?? {};
  const { add = [], drop = [] } = context.capabilities ?? {};
  const faults = {
    privileged: context.privileged,
    'allowPrivilegeEscalation: not false': context.allowPrivilegeEscalation !== false,
    'capabilities.drop: not ALL': !drop.includes('ALL'),
    'capabilities.add: more than NET_BIND_SERVICE': add.some((name: string) => name !== 'NET_BIND_SERVICE'),
    'runAsNonRoot: not true': (context.runAsNonRoot ?? pod.runAsNonRoot) !== true,
    'runAsUser: 0': context.runAsUser === 0,
    'seccompProfile: not of the allowed': !profiles.has((context.seccompProfile ?? pod.seccompProfile)?.type),
    'procMount: not Default': (context.procMount ?? 'Default') !== 'Default',
    'seLinuxOptions.type': context.seLinuxOptions?.type ?? pod.seLinuxOptions?.type,
    'ports: hostPort': (container.ports ?? []).some((port: Document) => port.hostPort),
  };
  return named(faults).map((fault) => `${container.name}: ${fault}`);
}

/** Returns the names whose value is true. */
function named(faults: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(faults)
    .filter(([, isSo]) => Boolean(isSo))
    .map(([name]) => name);
}
