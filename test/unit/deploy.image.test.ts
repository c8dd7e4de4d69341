import { Script } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { packageManagers } from '../../generators/engine/model.ts';
import { deployTree, type Document, documents, only } from '../helpers/deployTree.ts';

const path = 'deploy/docker/Dockerfile';
const files = deployTree();
const pod = only(files, /^deploy\/k8s\/base\//, 'Deployment').spec.template.spec;
const ports: number[] = pod.containers[0].ports.map((port: Document) => port.containerPort);

/** What builds the service, and what its production needs. */
const installs = {
  npm: ['npm ci', 'npm ci --omit=dev'],
  pnpm: ['pnpm install --frozen-lockfile', 'pnpm install --frozen-lockfile --prod'],
  yarn: ['yarn install --immutable', 'yarn workspaces focus --production'],
  bun: ['bun install --frozen-lockfile', 'bun install --frozen-lockfile --production --linker=hoisted'],
};

describe.each(packageManagers)('Dockerfile with %s', (packageManager) => {
  const text = deployTree([], packageManager).get(path) ?? '';
  const runtime = text.slice(text.indexOf('AS runtime'));

  it('keeps to instructions that every builder knows', () => {
    expect(text).toContain('FROM node:26.12.1-trixie-slim AS base');
    expect(text).not.toMatch(/^# *syntax=|--link(?!er)|--mount|<<-?['"]?[A-Z]/m);
  });

  it('derives every stage from the one pinned image', () => {
    const stages = [...text.matchAll(/^FROM (\S+) AS (\S+)$/gm)].map(([, from = '', name = '']) => ({ from, name }));
    const [first, ...others] = stages;
    const known = stages.map(({ name }) => name);
    expect(first?.from).toMatch(/^node:/);
    const last = others.pop();
    expect(last).toEqual({ from: 'scratch', name: 'runtime' });
    expect(others.every(({ from }, index) => known.slice(0, index + 1).includes(from))).toBe(true);
    expect([...text.matchAll(/--from=(\S+)/g)].map(([, stage]) => stage)).toEqual(['root', 'dependencies', 'build']);
  });

  it('installs from the lockfile, and only what production needs', () => {
    const [, build = '', dependencies = ''] = text.split('FROM manifests ');
    const [first, last] = installs[packageManager];
    expect(build).toContain(`RUN ${first}\n`);
    expect(dependencies).toContain(`RUN ${last} \\\n`);
    expect(text).toContain(`RUN ${packageManager} run build`);
    for (const other of packageManagers) if (other !== packageManager) expect(text).not.toContain(installs[other][0]);
  });

  it('runs node as process 1, as the user that Kubernetes asks for', () => {
    expect(runtime).toContain('CMD ["node", "dist/cmd/server/main.js"]');
    expect(runtime).not.toMatch(/^(ENTRYPOINT|SHELL|RUN) /m);
    const { runAsUser, runAsGroup } = pod.securityContext;
    expect(runtime).toContain(`USER ${runAsUser}:${runAsGroup}\n`);
    expect(runtime.indexOf('COPY --from')).toBeLessThan(runtime.indexOf('USER'));
    expect(files.has('cmd/server/main.ts')).toBe(true);
  });

  it('asks for health what Kubernetes asks for readiness', () => {
    const [, command = ''] = /^HEALTHCHECK .*CMD (\[.*\])$/m.exec(runtime) ?? [];
    const [program, flag, script] = JSON.parse(command);
    expect([program, flag]).toEqual(['node', '--eval']);
    const { path: readiness } = pod.containers[0].readinessProbe.httpGet;
    expect(script).toContain(`process.env.ADMIN_PORT ?? ${ports[1]}}${readiness}`);
    expect(() => new Script(script)).not.toThrow();
  });

  it('takes version, commit and date from the script that builds it', () => {
    const given = [...(files.get('scripts/image.ts') ?? '').matchAll(/\b(BUILD_\w+):/g)].map(([, name]) => name);
    expect(given).toHaveLength(3);
    for (const name of given) {
      expect(text.split(`ARG ${name}\n`)).toHaveLength(3);
      expect(runtime).toContain(`="\${${name}}"`);
    }
  });

  it('exposes the ports of the service', () => {
    expect(runtime).toContain(`EXPOSE ${ports.join(' ')}\n`);
  });
});

describe.each([
  ['npm', ['npm ci', 'npm ci --omit=dev']],
  ['pnpm', ['pnpm install --frozen-lockfile', 'pnpm --filter . deploy --prod --legacy /deployed']],
] as const)('Dockerfile of a member of a workspace of %s', (packageManager, commands) => {
  const monorepo = { path: 'backend/services/orders', workspace: 'backend' };
  const text = deployTree([], packageManager, monorepo).get(path) ?? '';
  const stageOf = (name: string): string =>
    text.split(/^FROM /m).find((stage) => stage.includes(` AS ${name}\n`)) ?? '';

  it('installs from the lockfile of the workspace, in the folder of the service', () => {
    expect(stageOf('workspace')).toContain('COPY . .\nWORKDIR /service/services/orders\n');
    for (const stage of ['build', 'dependencies']) expect(stageOf(stage)).toMatch(/^workspace AS /);
    expect(stageOf('build')).toContain(`RUN ${commands[0]}\n`);
    expect(stageOf('dependencies')).toContain(`RUN ${commands[1]} \\\n`);
  });

  it('takes what it copies from where a stage puts it', () => {
    const copies = [...stageOf('runtime').matchAll(/^COPY (.*) (\S+)$/gm)].map(
      ([, from = '', to = '']) => `${from} → ${to}`,
    );
    expect(copies).toEqual([
      '--from=root /image → /',
      'services/orders/package.json → ./',
      '--from=dependencies /shared → /node_modules',
      '--from=dependencies /own → ./node_modules',
      '--from=build /service/services/orders/dist → ./dist',
    ]);
    for (const folder of ['/own', '/shared']) expect(stageOf('dependencies')).toMatch(new RegExp(`${folder}\\b`));
    expect(text).not.toContain('backend');
  });
});

describe('.dockerignore', () => {
  const ignored = (files.get('.dockerignore') ?? '').split('\n');

  it('keeps secrets, history and what is built out of the context', () => {
    expect(ignored).toEqual(expect.arrayContaining(['.git', '.env', '.npmrc', 'node_modules', 'dist']));
  });

  it('lets in what the Dockerfile copies and the compiler reads', () => {
    const locks = ['package-lock.json', 'pnpm-lock.yaml', 'yarn.lock', '.yarnrc.yml', 'bun.lock'];
    const needed = ['package.json', ...locks, 'tsconfig.json', 'tsconfig.build.json'];
    const sources = ['cmd', 'internal', 'pkg', 'api', 'configs', 'scripts'];
    expect(ignored.filter((pattern) => [...needed, ...sources].includes(pattern) || pattern === '*')).toEqual([]);
  });
});

describe('service.yaml of Compose', () => {
  const [{ services }] = documents(files, /^deploy\/compose\/service\.yaml$/);
  const { server } = services;

  it('builds the image from the root of the service', () => {
    expect(server.build).toEqual({ context: '../..', dockerfile: path });
  });

  it('waits as long as Kubernetes does', () => {
    expect(server.stop_grace_period).toBe(`${pod.terminationGracePeriodSeconds}s`);
  });

  it('publishes both ports, the one for operations on this machine only', () => {
    expect(server.ports).toEqual([`${ports[0]}:${ports[0]}`, `127.0.0.1:${ports[1]}:${ports[1]}`]);
  });

  it('leaves the health check to the image', () => {
    expect(server.healthcheck).not.toHaveProperty('test');
  });

  it('can do as little as in Kubernetes', () => {
    expect(server).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
  });
});
