import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import {
  buildFlags,
  filesOf,
  missingTools,
  ownStore,
  provideNodeImage,
  runFlags,
  standInOf,
} from '../helpers/containers.ts';
import { packagesOf } from '../helpers/cyclonedx.ts';
import { freePort, leaves, load } from '../helpers/liveService.ts';
import { serverDatabase } from '../helpers/postgres.ts';

const missing = process.platform === 'linux' ? await missingTools() : ['Linux'];
// Where everything is to be proved, nothing is skipped.
const isSkipped = missing.length > 0 && process.env['CI'] === undefined;

const folder = mkdtempSync(path.join(os.tmpdir(), 'slipway-image-'));
const service = path.join(folder, 'orders');
const image = 'localhost/orders:dev';
const made = [image];

describe.skipIf(isSkipped)(`the image of a service${isSkipped ? ` (missing: ${missing.join(', ')})` : ''}`, () => {
  const env: NodeJS.ProcessEnv = {
    ...(isSkipped ? {} : ownStore()),
    CONTAINER_TOOL: 'buildah',
    PATH: [inject('newNode'), inject('hostPath')].join(path.delimiter),
    NODE_OPTIONS: '',
    DATABASE_URL: undefined,
    REDIS_URL: undefined,
    GIT_AUTHOR_NAME: 'e2e',
    GIT_AUTHOR_EMAIL: 'e2e@example.com',
    GIT_COMMITTER_NAME: 'e2e',
    GIT_COMMITTER_EMAIL: 'e2e@example.com',
  };
  const hostEnv = { PATH: inject('hostPath'), NODE_OPTIONS: '' };
  const shell = { cwd: service, env, shell: true, all: true } as const;
  const run = (line: string, cwd = service) => execa(line, { ...shell, cwd });
  const podman = (...args: string[]) => execa('podman', ['--runtime=runc', ...args], { env, reject: false, all: true });

  beforeAll(async () => {
    const create = path.join(inject('installed'), 'node_modules', 'create-slipway', 'dist', 'create-slipway.cjs');
    await execa('node', [create, 'orders', '--yes', '--modules=postgres'], { cwd: folder, env });
    const [, from = ''] =
      /^FROM (\S+)/m.exec(readFileSync(path.join(service, 'deploy/docker/Dockerfile'), 'utf8')) ?? [];
    made.push(await provideNodeImage(from, await standInOf(inject('newNode'), hostEnv), env));
    const { failed, all } = await execa(`npm run image -- ${buildFlags.join(' ')}`, { ...shell, reject: false });
    if (failed) throw new Error(all.slice(-4000));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await podman('rmi', '--force', ...made);
  });

  async function inspected() {
    const { stdout } = await podman('image', 'inspect', image);
    const [{ Config: config, Healthcheck: healthcheck, Size: size }] = JSON.parse(stdout);
    return { config, healthcheck, size };
  }

  it('says of itself what it is: labels, user, ports, health check', async () => {
    const { config, size } = await inspected();
    const { stdout: commit } = await run('git log -1 --format=%H');
    const { stdout: seconds } = await run('git log -1 --format=%ct');
    expect(config.Labels).toMatchObject({
      'org.opencontainers.image.title': 'orders',
      'org.opencontainers.image.version': '0.1.0',
      'org.opencontainers.image.revision': commit,
      'org.opencontainers.image.created': new Date(Number(seconds) * 1000).toISOString(),
    });
    expect(config.User).toBe('65532:65532');
    expect(Object.keys(config.ExposedPorts)).toEqual(['8080/tcp', '9090/tcp']);

    const node = readFileSync(path.join(inject('newNode'), 'node')).length;
    const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
    process.stdout.write(`image: ${megabytes(size)} MB, ${megabytes(node)} MB of them Node\n`);
    expect(megabytes(size - node)).toBeLessThan(80);
  });

  it('holds nothing that runs but Node, and neither sources nor tests', async () => {
    const files = await filesOf(image, env);
    const own = files.filter(({ bytes, name }) => bytes > 0 && !name.startsWith('service/node_modules/'));
    const executables = own.filter(({ mode }) => /^-..x/.test(mode)).map(({ name }) => name);
    expect(executables.filter((name) => !/^lib(64)?\/|^usr\/lib/.test(name))).toEqual(['usr/local/bin/node']);
    const names = files.map(({ name }) => name);
    expect(names).toContain('service/dist/build.json');
    expect(names.filter((name) => /(^|\/)(sh|bash|npm|npx|corepack|yarn|apt|dpkg)$/.test(name))).toEqual([]);
    expect(names.filter((name) => /^service\/(?!node_modules\/|dist\/|package\.json$|$)/.test(name))).toEqual([]);
    expect(
      names.filter((name) => /^service\/node_modules\/(typescript|vitest|oxlint|node-linux-\w+)\//.test(name)),
    ).toEqual([]);
  });

  it('holds just the packages that the bill of materials of its service lists', async () => {
    const { stdout } = await run('npm run --silent sbom');
    const listed = packagesOf(JSON.parse(stdout));
    const manifests = (await filesOf(image, env)).map(({ name }) =>
      /.*\/node_modules\/(.+)\/package\.json$/.exec(name),
    );
    const packages = new Set(
      manifests.flatMap((found) => found?.[1] ?? []).filter((name) => /^(@[^/]+\/)?[^/]+$/.test(name)),
    );
    expect(listed.length).toBeGreaterThan(20);
    expect(new Set(listed)).toEqual(packages);
  });

  it('serves with a root it cannot write and no right but to run, and drains on SIGTERM without a failed request', async () => {
    const [port, adminPort] = [await freePort(), await freePort()];
    // In production it would need a database.
    const mode = 'NODE_ENV=development';
    const settings = [`PORT=${port}`, `ADMIN_PORT=${adminPort}`, 'SHUTDOWN_DELAY_MS=1000', mode];
    const { stdout: container, all } = await podman(
      'run',
      '--detach',
      ...runFlags,
      ...settings.flatMap((pair) => ['--env', pair]),
      image,
    );
    expect(container, all).toMatch(/^[0-9a-f]{64}$/);
    const [origin, admin] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${adminPort}`];
    try {
      await vi.waitFor(async () => expect((await fetch(`${admin}/readyz`)).status).toBe(200), {
        timeout: 30_000,
        interval: 200,
      });
      for (const probe of ['livez', 'startupz']) expect((await fetch(`${admin}/${probe}`)).status).toBe(200);
      const { stdout: revision } = await run('git log -1 --format=%H');
      expect(await (await fetch(`${origin}/version`)).json()).toMatchObject({ version: '0.1.0', revision });
      const created = await fetch(`${origin}/items`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'anchor', quantity: 3 }),
      });
      expect(created.status).toBe(201);
      expect(await (await fetch(`${admin}/metrics`)).text()).toMatch(
        /^http_request_duration_seconds_count\{.*status="201"\} 1$/m,
      );

      const { healthcheck } = await inspected();
      const [kind, ...check] = healthcheck.Test;
      expect(kind).toBe('CMD');
      expect(await podman('exec', container, ...check)).toMatchObject({ exitCode: 0 });
      expect(await podman('exec', container, '/bin/sh', '-c', 'true')).toMatchObject({ failed: true });
      const write = await podman(
        'exec',
        container,
        'node',
        '--eval',
        "fs.writeFileSync('/service/dist/build.json', '')",
      );
      expect(write.all).toContain('EROFS');

      const requests = load(`${origin}/items`, 10, leaves({ admin }));
      await sleep(500);
      await podman('kill', '--signal=TERM', container);
      const { failed } = await requests;
      const { stdout: exitCode } = await podman('wait', container);
      const { all: output } = await podman('logs', container);
      expect({ failed, exitCode }, output).toEqual({ failed: 0, exitCode: '0' });
    } finally {
      await podman('rm', '--force', container);
    }
  });

  it('passes the smoke test of its service', async () => {
    const settings = ['NODE_ENV', 'PORT', 'ADMIN_PORT', 'LOG_LEVEL'];
    const ofModules = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_TRACES_SAMPLER', 'DATABASE_URL', 'POSTGRES_POOL_MAX'];
    const passed = [...settings, ...ofModules].map((name) => `--env=${name}`);
    const command = ['podman', '--runtime=runc', 'run', '--rm', ...runFlags, ...passed, image].join(' ');
    const { exitCode, all } = await execa('npm', ['run', 'smoke'], {
      cwd: service,
      env: { ...env, SMOKE_COMMAND: command },
      all: true,
      reject: false,
    });
    expect(exitCode, all).toBe(0);
    expect(all).toContain('It starts, answers its probes');
  });

  it('migrates a database', async ({ skip }) => {
    await using database = await serverDatabase();
    skip(database === undefined, 'no PostgreSQL on this machine');
    const migrate = ['--env', `DATABASE_URL=${database?.url}`, image, 'node', 'dist/cmd/migrate/main.js'];
    const { exitCode, all } = await podman('run', '--rm', ...runFlags, ...migrate);
    expect(exitCode, all).toBe(0);
    expect(all).toContain('20261121_items');
  });

  it('is built from a dist/ that is the same, byte for byte, wherever and whenever the commit is built', async () => {
    const builds = [];
    for (const [name, zone] of [
      ['here', 'UTC'],
      ['elsewhere/deeper', 'Pacific/Auckland'],
    ]) {
      const clone = path.join(folder, name ?? '');
      await run(`git clone --quiet ${service} ${clone}`);
      symlinkSync(path.join(service, 'node_modules'), path.join(clone, 'node_modules'));
      await run(`TZ=${zone} npm run build`, clone);
      builds.push(digests(path.join(clone, 'dist')));
      // Files of the second build are younger.
      await sleep(1100);
    }
    const [first, second] = builds;
    expect(first?.has('build.json')).toBe(true);
    expect(first).toEqual(second);
  });
});

/** Path → hash of every file below. */
function digests(root: string): ReadonlyMap<string, string> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files
      .map((entry) => path.join(entry.parentPath, entry.name))
      .toSorted()
      .map((file) => [path.relative(root, file), createHash('sha256').update(readFileSync(file)).digest('hex')]),
  );
}
