import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { deployTree, type Document, documents, moduleIds } from '../helpers/deployTree.ts';
import { typeFaults } from '../helpers/kubernetesTypes.ts';
import { restrictedFaults } from '../helpers/podSecurity.ts';

/** kubectl takes seconds to start on a busy machine. */
const patient = { timeout: 60_000 };
const kubectl = spawnSync('kubectl', ['version', '--client']).status === 0;

/** Needs kubectl, which carries kustomize; where it is missing the tests beside this one stand alone, but not in CI. */
describe.runIf(kubectl || process.env['CI'] !== undefined).each([[[]], [moduleIds]])(
  'kustomize, with the modules %j',
  async (ids) => {
    const root = mkdtempSync(join(tmpdir(), 'slipway-kustomize-'));
    for (const [path, text] of deployTree(ids)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    afterAll(() => rmSync(root, { recursive: true }));

    function build(path: string): Document[] {
      const { stdout, stderr, status } = spawnSync('kubectl', ['kustomize', join(root, path)], { encoding: 'utf8' });
      if (status !== 0) throw new Error(stderr);
      return documents(new Map([['built.yaml', stdout]]), /./);
    }

    it.each([
      ['dev', 'orders:dev', 1],
      ['staging', 'registry.invalid/orders:0.1.0', 2],
      ['prod', 'registry.invalid/orders:0.1.0', 3],
    ])('builds the overlay %s', patient, (overlay, image, replicas) => {
      const objects = build(`deploy/k8s/overlays/${overlay}`);
      const pods = objects.filter(({ spec }) => spec?.template).map(({ spec }) => spec.template);
      expect(objects.every(({ metadata }) => metadata.namespace === `orders-${overlay}`)).toBe(true);
      expect(pods.flatMap(({ spec }) => spec.containers.map((container: Document) => container.image))).toEqual(
        pods.map(() => image),
      );
      expect(objects.find(({ kind }) => kind === 'HorizontalPodAutoscaler').spec.minReplicas).toBe(replicas);
      const map = objects.find(({ kind }) => kind === 'ConfigMap');
      expect(map.data.LOG_LEVEL).toBe(overlay === 'dev' ? 'debug' : 'info');
      const [server] = objects.find(({ kind }) => kind === 'Deployment').spec.template.spec.containers;
      expect(server.envFrom[0].configMapRef.name).toBe(map.metadata.name);
      // Argo CD keeps the ConfigMaps of earlier releases.
      expect(map.metadata.annotations).toEqual({
        'argocd.argoproj.io/sync-options': 'Prune=false',
        'argocd.argoproj.io/compare-options': 'IgnoreExtraneous',
      });
      expect(server.resources.limits.memory).toBe(overlay === 'prod' ? '1Gi' : '512Mi');
    });

    it.each(['k8s/overlays/dev', 'k8s/overlays/staging', 'k8s/overlays/prod', 'argocd'])(
      'builds from %s what the API knows, and pods that are restricted',
      patient,
      async (path) => {
        const objects = build(`deploy/${path}`);
        expect(await typeFaults(objects)).toEqual([]);
        const pods = objects.filter(({ spec }) => spec?.template?.spec.containers);
        expect(pods.flatMap(({ spec }) => restrictedFaults(spec.template.spec))).toEqual([]);
      },
    );

    it('puts every pod of the service under the policy that denies everything', patient, () => {
      const objects = build('deploy/k8s/overlays/prod');
      const deny = objects.find(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === 'orders');
      const asked = Object.entries(deny.spec.podSelector.matchLabels);
      for (const { spec } of objects.filter((object) => object.spec?.template)) {
        expect(Object.entries(spec.template.metadata.labels)).toEqual(expect.arrayContaining(asked));
      }
    });

    it('opens the connections that the modules need, and no other', patient, () => {
      const objects = build('deploy/k8s/overlays/prod');
      const policy = (name: string): Document =>
        objects.find(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === name).spec;
      const opened = (rules: Document[]): string[] =>
        rules.flatMap(({ ports }) => ports.map(({ port }: Document) => String(port)));
      const more = (wanted: Readonly<Record<string, string>>): string[] =>
        Object.entries(wanted).flatMap(([id, port]) => (ids.includes(id) ? [port] : []));
      expect(opened(policy('orders').egress).toSorted()).toEqual(
        ['53', '53', '4318', ...more({ auth: '443', postgres: '5432', redis: '6379' })].toSorted(),
      );
      expect(opened(policy('orders-server').ingress)).toEqual(['http', 'admin', ...more({ grpc: 'grpc' })]);
      const { ports } = objects.find(({ kind }) => kind === 'Service').spec;
      expect(opened([{ ports }]).toSorted()).toEqual(ids.includes('tls') ? ['443', '50051', '80'] : ['80']);
    });

    it(
      'writes the URL of the repository into the project and the applications, and keeps its source back',
      patient,
      () => {
        const objects = build('deploy/argocd');
        expect(objects.map(({ kind }) => kind)).toEqual(['AppProject', 'ApplicationSet']);
        const urls = objects.map(({ spec }) => spec.template?.spec.source.repoURL ?? spec.sourceRepos.join());
        expect(new Set(urls)).toEqual(new Set(['https://git.invalid/orders.git']));
      },
    );
  },
);
