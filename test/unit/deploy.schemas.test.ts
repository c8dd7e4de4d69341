import { describe, expect, it } from 'vitest';
import { deployTree, type Document, documents, moduleIds, only } from '../helpers/deployTree.ts';
import { typeFaults } from '../helpers/kubernetesTypes.ts';
import { restrictedFaults } from '../helpers/podSecurity.ts';

const files = deployTree(moduleIds);
const written = documents(files, /^deploy\/(k8s\/base|argocd)\/|^deploy\/k8s\/components\/[^/]+\//);
/** Kustomize reads its own kinds. */
const objects = written.filter(({ kind }) => !/^(Kustomization|Component)$/.test(kind));

describe('the API that Kubernetes and Argo CD have', { timeout: 60_000 }, () => {
  it('knows every key of every object', async () => {
    expect(objects.length).toBeGreaterThan(10);
    expect(await typeFaults(objects)).toEqual([]);
  });

  it('refuses a key that it does not know, a value of another type, and one that is missing', async () => {
    const deployment = structuredClone(only(files, /^deploy\/k8s\/base\//, 'Deployment'));
    deployment.spec.template.spec.containers[0].livenesProbe = {};
    const service = structuredClone(only(files, /^deploy\/k8s\/base\//, 'Service'));
    service.spec.ports[0].port = '80';
    const application = structuredClone(written.find(({ kind }) => kind === 'ApplicationSet'));
    delete application.spec.template.spec.project;
    const faults = await typeFaults([deployment, service, application]);
    expect(faults.map((fault) => fault.split(':')[0])).toEqual([
      'Deployment orders',
      'Service orders',
      'ApplicationSet orders',
    ]);
    expect(faults[0]).toContain('livenesProbe');
  });
});

describe('Pod Security Standard "restricted"', () => {
  const pods = objects
    .filter(({ spec }) => spec?.template?.spec.containers)
    .map(({ metadata, spec }) => [metadata.name, spec.template.spec]);

  it.each(pods)('is what %s keeps to', (_name, pod) => {
    expect(restrictedFaults(pod)).toEqual([]);
  });

  it.each([
    [
      'a container that may gain rights',
      (pod: Document) => delete pod.containers[0].securityContext.allowPrivilegeEscalation,
    ],
    [
      'a right that is not dropped',
      (pod: Document) => (pod.containers[0].securityContext.capabilities.drop = ['NET_RAW']),
    ],
    ['a right that is added', (pod: Document) => (pod.containers[0].securityContext.capabilities.add = ['SYS_TIME'])],
    ['root', (pod: Document) => (pod.securityContext.runAsUser = 0)],
    ['whoever the image says', (pod: Document) => delete pod.securityContext.runAsNonRoot],
    ['every system call', (pod: Document) => delete pod.securityContext.seccompProfile],
    ['the node’s network', (pod: Document) => (pod.hostNetwork = true)],
    ['a port of the node', (pod: Document) => (pod.containers[0].ports[0].hostPort = 80)],
    ['a folder of the node', (pod: Document) => (pod.volumes = [{ name: 'tmp', hostPath: { path: '/tmp' } }])],
    [
      'a privileged helper',
      (pod: Document) => (pod.initContainers = [{ name: 'init', securityContext: { privileged: true } }]),
    ],
  ])('refuses %s', (_name, weaken) => {
    const [, pod] = structuredClone(pods[0] ?? []);
    weaken(pod);
    expect(restrictedFaults(pod)).not.toEqual([]);
  });
});
