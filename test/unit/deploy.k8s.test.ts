import { dirname, join } from 'node:path/posix';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { config as adminConfig } from '../../templates/base/files/internal/platform/admin/config.ts';
import { config as appConfig } from '../../templates/base/files/internal/platform/app/config.ts';
import { config as httpConfig } from '../../templates/base/files/internal/platform/http/config.ts';
import { describeVariables } from '../../templates/variables.ts';
import { deployTree, type Document, documents, moduleIds, only } from '../helpers/deployTree.ts';

const base = /^deploy\/k8s\/base\//;
const overlays = ['dev', 'staging', 'prod'] as const;
const files = deployTree();
const deployment = only(files, base, 'Deployment');
const pod = deployment.spec.template;
const [server] = pod.spec.containers;
const settings = new Map(
  [appConfig, httpConfig, adminConfig]
    .flatMap((config) => describeVariables(config, 'config.ts'))
    .map((variable) => [variable.name, variable]),
);

/** The default of a setting that is a number. */
function standard(name: string): number {
  return Number(settings.get(name)?.default);
}

/** Whether the selector picks the server's pods: every label it asks for is on them, and it asks for one. */
function selects(selector: Record<string, string>): boolean {
  const asked = Object.entries(selector);
  return asked.length > 0 && asked.every(([label, value]) => pod.metadata.labels[label] === value);
}

/** The patches in the component of a module. */
function inlinePatches(id: string): Document[] {
  const component = only(deployTree([id]), new RegExp(`^deploy/k8s/components/${id}/`), 'Component');
  return component.patches.map(({ patch }: Document) => parse(patch));
}

describe('Deployment', () => {
  it('selects its own pods, and not those of jobs', () => {
    const { matchLabels } = deployment.spec.selector;
    expect(selects(matchLabels)).toBe(true);
    expect(matchLabels['app.kubernetes.io/component']).toBe('server');
  });

  it('opens the ports on which the service listens by default', () => {
    const ports = Object.fromEntries(server.ports.map((port: Document) => [port.name, port.containerPort]));
    expect(ports).toEqual({ http: standard('PORT'), admin: standard('ADMIN_PORT') });
  });

  it.each([
    ['startupProbe', '/startupz'],
    ['livenessProbe', '/livez'],
    ['readinessProbe', '/readyz'],
  ])('asks with its %s what the admin port answers', (probe, path) => {
    expect(server[probe].httpGet).toEqual({ path, port: 'admin' });
    expect(files.get('internal/platform/admin/module.ts')).toContain(`.get('${path}'`);
  });

  it('waits longer for an answer than a module may take to tell its health', () => {
    expect(server.readinessProbe.timeoutSeconds * 1000).toBeGreaterThan(standard('HEALTH_TIMEOUT_MS'));
  });

  it('gives a module longer to start than the service itself does', () => {
    const { periodSeconds, failureThreshold } = server.startupProbe;
    expect(periodSeconds * failureThreshold * 1000).toBeGreaterThan(standard('START_TIMEOUT_MS'));
  });

  it('kills no process that keeps its own deadline', () => {
    const delay = Number(/^SHUTDOWN_DELAY_MS=(.*)$/m.exec(files.get('deploy/k8s/base/config.env') ?? '')?.[1]);
    const timeout = standard('SHUTDOWN_TIMEOUT_MS');
    expect(delay).toBeGreaterThan(0);
    expect(timeout).toBeGreaterThan(2 * delay);
    expect(pod.spec.terminationGracePeriodSeconds * 1000).toBeGreaterThanOrEqual(timeout + delay);
  });

  it('has memory for all that its clients may make it keep', () => {
    const mebi = 2 ** 20;
    const limit = Number(/^(\d+)Mi$/.exec(server.resources.limits.memory)?.[1]) * mebi;
    // Half of the container's memory is the heap, by Node itself; 64 MiB are for the code and what it needs at rest. A body is
    // there twice, as it came and as what it became; a head of 16 KiB takes 30.
    const kept = 2 * standard('HTTP_BODY_MEMORY_BYTES') + standard('HTTP_CONNECTIONS_MAX') * 30 * 1024;
    expect([...files].filter(([path]) => path.startsWith('deploy/k8s/')).join()).not.toContain('NODE_OPTIONS');
    expect(64 * mebi + kept).toBeLessThan(limit / 2);
  });

  it('reads the ConfigMap that is composed, and may do without the Secret', () => {
    expect(server.envFrom[0].configMapRef.name).toBe('orders-config');
    expect(files.get('deploy/k8s/base/kustomization.yaml') ?? '').toMatch(/configmap|orders-config/);
    expect(server.envFrom[1].secretRef).toEqual({ name: 'orders-secrets', optional: true });
  });

  it('has no setting that the ConfigMap of an overlay has: the Deployment would win', () => {
    const all = deployTree(moduleIds);
    const settable = [...(all.get('deploy/k8s/base/config.env') ?? '').matchAll(/^(\w+)=/gm)].map(([, name]) => name);
    const fixed = [...all]
      .filter(([path]) => /^deploy\/k8s\/.*\.yaml$/.test(path))
      .flatMap(([, text]) => [...text.matchAll(/^ *- name: ([A-Z][A-Z0-9_]*)$/gm)].map(([, name]) => name));
    expect(settable).toEqual(
      expect.arrayContaining(['SHUTDOWN_DELAY_MS', 'OTEL_RESOURCE_ATTRIBUTES', 'TLS_CERT_FILE']),
    );
    expect(fixed).toContain('DATABASE_URL');
    expect(fixed.filter((name) => settable.includes(name))).toEqual([]);
  });

  it('rolls out without a gap', () => {
    expect(deployment.spec.strategy.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 });
  });

  it('spreads the pods that it makes', () => {
    const constraints: Document[] = pod.spec.topologySpreadConstraints;
    expect(constraints.map(({ labelSelector }) => selects(labelSelector.matchLabels))).toEqual([true, true]);
    // Without this label the pods of the previous release count too, and a rollout leaves the zones uneven.
    expect(constraints.map(({ matchLabelKeys }) => matchLabelKeys)).toEqual([
      ['pod-template-hash'],
      ['pod-template-hash'],
    ]);
  });

  it('lets the cluster autoscaler remove its node', () => {
    const local = pod.spec.volumes.filter((volume: Document) => volume.emptyDir).map(({ name }: Document) => name);
    const annotation = 'cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes';
    expect(pod.metadata.annotations[annotation].split(',')).toEqual(local);
  });

  it('keeps to the restricted Pod Security Standard, with a root file system that is read only', () => {
    expect(pod.spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(server.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod.spec.automountServiceAccountToken).toBe(false);
    expect(server.volumeMounts.map((mount: Document) => mount.name)).toEqual(
      pod.spec.volumes.map((volume: Document) => volume.name),
    );
  });

  it('leaves the number of replicas to the autoscaler', () => {
    expect(deployment.spec).not.toHaveProperty('replicas');
    expect(only(files, base, 'HorizontalPodAutoscaler').spec.scaleTargetRef).toEqual({
      apiVersion: deployment.apiVersion,
      kind: 'Deployment',
      name: deployment.metadata.name,
    });
    expect(server.resources.requests.cpu).toBeDefined();
  });
});

describe('what stands beside the Deployment', () => {
  it('sends requests to a port of the server', () => {
    const { selector, ports } = only(files, base, 'Service').spec;
    expect(selects(selector)).toBe(true);
    expect(server.ports.map((port: Document) => port.name)).toContain(ports[0].targetPort);
  });

  it('has the account that the pods use', () => {
    expect(only(files, base, 'ServiceAccount').metadata.name).toBe(pod.spec.serviceAccountName);
  });

  it('holds up no drain when there is one replica', () => {
    const { spec } = only(files, base, 'PodDisruptionBudget');
    expect(selects(spec.selector.matchLabels)).toBe(true);
    expect(spec).toMatchObject({ maxUnavailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' });
  });

  it('denies everything by default, and lets in what the ports are for', () => {
    const [deny, allow] = documents(files, base).filter((document) => document.kind === 'NetworkPolicy');
    expect(selects(deny.spec.podSelector.matchLabels)).toBe(true);
    expect(deny.spec.policyTypes).toEqual(['Ingress', 'Egress']);
    expect(deny.spec).not.toHaveProperty('ingress');
    expect(selects(allow.spec.podSelector.matchLabels)).toBe(true);
    const opened = allow.spec.ingress.flatMap((rule: Document) => rule.ports.map((port: Document) => port.port));
    expect(opened).toEqual(server.ports.map((port: Document) => port.name));
    expect(deny.spec.egress.flatMap(({ ports }: Document) => ports.map((port: Document) => port.port))).toEqual([
      53, 53,
    ]);
    expect(allow.spec).not.toHaveProperty('egress');
  });

  it('lets each pod ask for names, of kube-dns and of NodeLocal DNSCache', () => {
    const policies = documents(deployTree(moduleIds), /^deploy\/k8s\//).filter(({ kind }) => kind === 'NetworkPolicy');
    const rules = policies.flatMap(({ spec }) => spec.egress ?? []);
    const forNames = rules.filter(({ ports }) => ports.some(({ port }: Document) => port === 53));
    expect(forNames.length).toBe(2);
    for (const { to } of forNames) {
      expect(to).toEqual([
        { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } },
        { ipBlock: { cidr: '169.254.20.10/32' } },
      ]);
    }
  });

  it('lets the server send its traces, where it makes some', async () => {
    const [[{ path, value }]] = inlinePatches('telemetry');
    expect(path).toBe('/spec/egress/-');
    expect(value.ports).toEqual([{ protocol: 'TCP', port: 4318 }]);
  });

  it('gives every object the same name label', () => {
    const objects = documents(files, base).filter(({ kind }) => kind !== 'Kustomization' && kind !== 'ConfigMap');
    expect(objects.map((object) => object.metadata.labels['app.kubernetes.io/name'])).toEqual(
      objects.map(() => 'orders'),
    );
    expect(objects.length).toBeGreaterThanOrEqual(7);
  });
});

describe.each(overlays)('overlay %s', (overlay) => {
  const path = `deploy/k8s/overlays/${overlay}/kustomization.yaml`;
  const kustomization = only(files, new RegExp(`^${path}$`), 'Kustomization');

  it('stands on the base', () => {
    const resources: string[] = kustomization.resources;
    expect(resources.map((resource) => join(dirname(path), resource))).toEqual(['deploy/k8s/base']);
  });

  it('patches what is there', () => {
    const objects = documents(files, base);
    for (const { target } of kustomization.patches) {
      expect(objects.some(({ kind, metadata }) => kind === target.kind && metadata.name === target.name)).toBe(true);
    }
  });

  it('sets the image of the server', () => {
    expect(kustomization.images[0].name).toBe(server.image);
    expect(kustomization.images[0].newTag).toMatch(/^(?!latest$)/);
  });

  it('overrides settings that exist, with values that they take', () => {
    const [{ name, behavior, literals }] = kustomization.configMapGenerator;
    expect([name, behavior]).toEqual(['orders-config', 'merge']);
    expect(literals).toHaveLength(1);
    const [key, value] = literals[0].split('=');
    expect(key).toBe('LOG_LEVEL');
    expect(settings.get('LOG_LEVEL')?.expects.split(', ')).toContain(value);
  });
});
