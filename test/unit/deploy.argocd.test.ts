import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { deployTree, type Document, documents, moduleIds, only } from '../helpers/deployTree.ts';

const folder = /^deploy\/argocd\//;
const environments = ['dev', 'staging', 'prod'];
const files = deployTree(moduleIds);
const project = only(files, folder, 'AppProject');
/** What the ApplicationSet generates. */
const applications: Document[] = only(files, folder, 'ApplicationSet').spec.generators.flatMap(({ list }: Document) =>
  list.elements.map(({ environment }: Document) =>
    JSON.parse(
      JSON.stringify(only(files, folder, 'ApplicationSet').spec.template).replaceAll('{{.environment}}', environment),
    ),
  ),
);

describe('Argo CD', () => {
  it('has one application for each overlay', () => {
    const paths: string[] = applications.map((application) => application.spec.source.path);
    expect(paths.toSorted()).toEqual(environments.map((name) => `deploy/k8s/overlays/${name}`).toSorted());
    for (const path of paths) expect(files.has(`${path}/kustomization.yaml`)).toBe(true);
  });

  it('puts each overlay into its own namespace', () => {
    for (const { metadata, spec } of applications) {
      const overlay = files.get(`${spec.source.path}/kustomization.yaml`);
      expect(overlay).toContain(`namespace: ${spec.destination.namespace}\n`);
      expect(metadata.name).toBe(spec.destination.namespace);
    }
  });

  it('heals, prunes and tries again', () => {
    for (const { spec } of applications) {
      expect(spec.syncPolicy.automated).toEqual({ prune: true, selfHeal: true });
      expect(spec.syncPolicy.retry.limit).toBeGreaterThan(0);
      expect(spec.project).toBe(project.metadata.name);
    }
  });

  it('runs every Job before a release, restricted, and forgets it when the next one comes', () => {
    const jobs = documents(files, /^deploy\/k8s\//).filter(({ kind }) => kind === 'Job');
    expect(jobs.map(({ metadata }) => metadata.name)).toEqual(['orders-migrate']);
    for (const { metadata, spec } of jobs) {
      expect(metadata.annotations).toMatchObject({
        'argocd.argoproj.io/hook': 'PreSync',
        'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation',
      });
      const [container] = spec.template.spec.containers;
      expect(container.command ?? container.args).toContain('dist/cmd/migrate/main.js');
      expect(container.securityContext).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
      });
    }
  });

  it('lets a migration reach its database before the other policies of the release are there', () => {
    const policy = documents(files, /^deploy\/k8s\/components\/postgres\//).find(
      ({ kind }) => kind === 'NetworkPolicy',
    );
    const job = only(files, /^deploy\/k8s\/components\/postgres\//, 'Job');
    expect(policy.metadata.annotations).toMatchObject({
      'argocd.argoproj.io/hook': 'PreSync',
      'argocd.argoproj.io/sync-wave': '-1',
    });
    expect(policy.spec.podSelector.matchLabels).toEqual(job.spec.template.metadata.labels);
    const opened = policy.spec.egress.flatMap(({ ports }: Document) => ports.map(({ port }: Document) => port));
    expect(opened).toEqual([5432, 53, 53]);
  });

  it.each([
    ['SuccessCriteriaMet Complete', 0],
    ['FailureTarget Failed', 1],
  ])('without it the wait for a migration ends with the Job, at once: %s', (conditions, exitCode) => {
    const comment = files.get('deploy/k8s/components/postgres/migrate.yaml') ?? '';
    const commands = [...comment.matchAll(/^# {3}((?:until|kubectl wait) .*)$/gm)].map(([, line]) => line);
    expect(commands).toHaveLength(2);
    // As the API server answers: first the Job runs, then it has these conditions.
    const kubectl = `kubectl() {
      case $1 in
        get) if [ -e "$seen" ]; then echo '${conditions}'; else : > "$seen"; fi ;;
        wait) [ ${exitCode} = 0 ] ;;
      esac; }; sleep() { :; }; seen=$(mktemp -u)`;
    const script = [kubectl, ...commands].join('\n').replaceAll('<namespace>', 'orders-prod');
    const { status, stdout } = spawnSync('sh', ['-c', script], { encoding: 'utf8', timeout: 60_000 });
    expect([status, stdout]).toEqual([exitCode, `${conditions}\n`]);
  });

  it('lets the project reach those namespaces and no other', () => {
    const wanted = applications.map(({ spec }) => spec.destination);
    expect(project.spec.destinations).toEqual(expect.arrayContaining(wanted));
    expect(project.spec.destinations).toHaveLength(wanted.length);
    const { syncWindows, ...rights } = project.spec;
    expect(JSON.stringify(rights)).not.toContain('*');
    expect(syncWindows).toHaveLength(1);
  });

  it('leaves production alone from Friday evening to Monday morning, unless a person asks', () => {
    const [{ schedule, duration, ...window }] = project.spec.syncWindows;
    expect(window).toEqual({ kind: 'deny', timeZone: 'UTC', applications: ['orders-prod'], manualSync: true });
    expect(applications.map(({ metadata }) => metadata.name)).toContain('orders-prod');
    const [, minute, hour, day] = /^(\d+) (\d+) \* \* (\d)$/.exec(schedule) ?? [];
    const begin = Date.UTC(2026, 10, 15 + Number(day), Number(hour), Number(minute));
    const end = begin + Number(/^(\d+)h$/.exec(duration)?.[1]) * 3_600_000;
    const times = [begin, end].map((time) => new Date(time).toUTCString().replace(/ \d.* (?=\d\d:)/, ' '));
    expect(times).toEqual(['Fri, 18:00:00 GMT', 'Mon, 08:00:00 GMT']);
  });

  it('lets the project have the kinds that the base and all modules bring, and no cluster-wide one but Namespace', () => {
    const kinds = documents(files, /^deploy\/k8s\/(base|components)\//)
      .filter(({ kind }) => kind !== 'Kustomization' && kind !== 'Component')
      .map(({ apiVersion, kind }) => ({ group: apiVersion.includes('/') ? apiVersion.split('/')[0] : '', kind }));
    // Argo CD hides the kinds that the project does not list, also those that Kubernetes makes itself.
    const made = [
      { group: 'apps', kind: 'ReplicaSet' },
      { group: '', kind: 'Pod' },
      { group: 'discovery.k8s.io', kind: 'EndpointSlice' },
    ];
    expect(project.spec.namespaceResourceWhitelist).toEqual(expect.arrayContaining([...kinds, ...made]));
    expect(project.spec.clusterResourceWhitelist).toEqual([{ group: '', kind: 'Namespace' }]);
  });

  it('knows the Secret that the Deployment names', () => {
    const { envFrom } = only(files, /^deploy\/k8s\/base\//, 'Deployment').spec.template.spec.containers[0];
    const secret = envFrom.find((source: Document) => source.secretRef).secretRef.name;
    expect(project.spec.orphanedResources.ignore).toEqual([{ kind: 'Secret', name: secret }]);
  });

  it('lists every file of the folder in its kustomization, which fills in the URL of the repository', () => {
    const { resources, replacements } = only(files, folder, 'Kustomization');
    const own = [...files.keys()].filter((path) => folder.test(path) && path.endsWith('.yaml'));
    expect(resources.map((path: string) => `deploy/argocd/${path}`).toSorted()).toEqual(
      own.filter((path) => !path.endsWith('/kustomization.yaml')).toSorted(),
    );
    const source = only(files, folder, 'ConfigMap');
    expect(replacements[0].source).toEqual({
      kind: 'ConfigMap',
      name: source.metadata.name,
      fieldPath: 'data.repoURL',
    });
    expect(new URL(source.data.repoURL).hostname).toBe('git.invalid');
    const holders = own.filter((path) => /https:\/\/git/.test(files.get(path) ?? ''));
    expect(holders).toEqual(['deploy/argocd/source.yaml']);
  });
});
