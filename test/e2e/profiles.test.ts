import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { packageManagers } from '../../generators/engine/model.ts';
import { coveringArray, type Profile } from '../helpers/coveringArray.ts';
import { type BillOfMaterials, faultsOfBill, packagesOf } from '../helpers/cyclonedx.ts';
import { leaves, load, startService } from '../helpers/liveService.ts';
import { serverDatabase } from '../helpers/postgres.ts';
import { offeredModules } from '../helpers/offeredModules.ts';

/** The rules for what goes together are the tests' own: each of these may be alone with what it requires, and beside any other. */
const chosen = coveringArray({
  ...Object.fromEntries(offeredModules.map((id) => [id, ['there', 'absent']])),
  postgresVersion: ['18', '16'],
  packageManager: packageManagers,
  node: ['pinned', 'new'],
});
/** Files that nothing else in the service looks at: they take turns. */
const pipelines = ['github', 'gitlab', 'github,gitlab'];
const profiles = chosen.map((profile, index): Profile => ({
  ...profile,
  ci: pipelines[index % pipelines.length] ?? '',
}));

describe.each(profiles.map((profile) => [titleOf(profile), profile] as const))('%s', (_title, profile) => {
  const name = 'orders';
  const folder = mkdtempSync(path.join(os.tmpdir(), 'slipway-profile-'));
  const service = path.join(folder, name);
  const env = environment(profile);
  const run = (program: string, ...args: string[]) => execa(program, args, { cwd: service, env, all: true });
  const script = (scriptName: string) => run(profile['packageManager'] ?? 'npm', 'run', scriptName);

  beforeAll(async () => {
    await execa('node', [executable('create-slipway'), name, ...flags(profile)], { cwd: folder, env, all: true });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is installed and committed', async () => {
    expect(existsSync(path.join(service, 'node_modules'))).toBe(true);
    const { stdout } = await run('git', 'log', '--format=%s');
    expect(stdout).toBe('feat: create the service');
    expect((await run('git', 'status', '--porcelain')).stdout).toBe('');
  });

  it('gets a slice by a command', async () => {
    const fields = ['name:string:indexed:min(1)', 'quantity:int:min(0)'];
    await run('node', executable('slipway'), 'resource', 'item', ...fields);
    expect(existsSync(path.join(service, 'internal/items/domain.ts'))).toBe(true);
  });

  // All of its `check`, which test/e2e/verify.test.ts runs, and beyond that what tests leave out.
  it.each(['lint', 'format', 'typecheck'])('passes its own %s', async (check) => {
    expect((await script(check)).exitCode).toBe(0);
  });

  it('passes its own tests, which leave little of its code out', async () => {
    const { all } = await script('coverage');
    expect(all).toMatch(/Tests .*passed/);
  });

  it.runIf(has(profile, 'supply-chain'))(
    'says what it is made of, as CycloneDX has it, and all of it is allowed',
    async () => {
      await script('licenses');
      const { stdout } = await run(profile['packageManager'] ?? 'npm', 'run', '--silent', 'sbom');
      const bill: BillOfMaterials = JSON.parse(stdout);
      expect(faultsOfBill(bill)).toEqual([]);
      const names = packagesOf(bill);
      // The second is something that development needs as well.
      expect(names).toEqual(expect.arrayContaining(['fastify', 'typebox']));
      expect(names).not.toContain('vitest');
    },
  );

  it('passes its integration tests against real servers', async ({ skip }) => {
    await using database = await serverDatabase();
    skip(has(profile, 'postgres') && database === undefined, 'no PostgreSQL on this machine');
    const needsRedis = existsSync(path.join(service, 'internal/platform/redis'));
    skip(needsRedis && process.env['REDIS_URL'] === undefined, 'no Redis on this machine');
    const { exitCode } = await execa('npm', ['run', 'test:integration'], {
      cwd: service,
      env: { ...env, DATABASE_URL: database?.url, REDIS_URL: process.env['REDIS_URL'] },
    });
    expect(exitCode).toBe(0);
  });

  it('builds, and its production build survives its own smoke test', async () => {
    await script('build');
    expect((await script('smoke')).exitCode).toBe(0);
  });

  it('serves under load, and drains on SIGTERM without a failed request', async () => {
    await using live = await startService(service, [profile['packageManager'] ?? 'npm', 'start'], {
      ...env,
      SHUTDOWN_DELAY_MS: '2000',
    });
    const headers: Record<string, string> = has(profile, 'auth')
      ? { authorization: `Bearer ${(await run('npm', 'run', '--silent', 'token')).stdout}` }
      : {};
    const created = await fetch(`${live.origin}/items`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ name: 'anchor', quantity: 3 }),
    });
    expect(created.status).toBe(201);
    const lost = await fetch(`${live.origin}/nowhere`);
    expect(lost.status).toBe(404);
    expect(lost.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(await (await fetch(`${live.admin}/metrics`)).text()).toContain('http_request_duration_seconds');
    const requests = load(`${live.origin}/items`, 20, leaves(live), headers);
    await sleep(500);
    const exitCode = await live.stop();
    const { answered, failed } = await requests;
    expect({ exitCode, failed }, live.output()).toEqual({ exitCode: 0, failed: 0 });
    expect(answered).toBeGreaterThan(50);
  });

  it('has not drifted', async () => {
    const { stdout } = await run('node', executable('slipway'), 'check');
    expect(stdout).toContain('No drift');
  });
});

function titleOf(profile: Profile): string {
  const { postgresVersion, packageManager, ci, node } = profile;
  return `a service with ${modulesOf(profile).join(',') || 'no module'} (${postgresVersion}), ${packageManager}, CI ${ci}, Node ${node}`;
}

function executable(name: string): string {
  return path.join(inject('installed'), 'node_modules', 'create-slipway', 'dist', `${name}.cjs`);
}

function modulesOf(profile: Profile): string[] {
  return offeredModules.filter((id) => profile[id] === 'there');
}

function has(profile: Profile, id: string): boolean {
  return modulesOf(profile).includes(id);
}

function flags(profile: Profile): string[] {
  const { postgresVersion, packageManager, ci, node } = profile;
  return [
    ...[
      '--yes',
      '--preset=minimal',
      `--modules=${modulesOf(profile).join(',') || 'none'}`,
      `--package-manager=${packageManager}`,
      `--ci=${ci}`,
    ],
    ...(has(profile, 'postgres') ? [`--set=postgres.version=${postgresVersion}`] : []),
    ...(node === 'pinned' ? ['--pin-node'] : []),
  ];
}

/** Of a user's shell: nothing of this repository's, and a name for git. */
function environment({ node }: Profile): NodeJS.ProcessEnv {
  const paths = node === 'new' ? [inject('newNode'), inject('hostPath')] : [inject('hostPath')];
  return {
    PATH: paths.join(path.delimiter),
    CI: 'true',
    GIT_AUTHOR_NAME: 'e2e',
    GIT_AUTHOR_EMAIL: 'e2e@example.com',
    GIT_COMMITTER_NAME: 'e2e',
    GIT_COMMITTER_EMAIL: 'e2e@example.com',
    NODE_OPTIONS: '',
    // Only the integration tests are given a server.
    DATABASE_URL: undefined,
    REDIS_URL: undefined,
  };
}
