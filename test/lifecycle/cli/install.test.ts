import { chmodSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { execaSync } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { packageManagerDefinitions } from '../../../generators/engine/packageManagers/index.ts';
import { bundled, onPath, scratchFolder, slipway, startSlipway, treeOf } from '../../helpers/cli.ts';
import { expectFault } from '../../helpers/expectFault.ts';
import { writeFiles } from '../../helpers/scratch.ts';
import { scratchService } from '../../helpers/scratchService.ts';

/** A folder of programs that stands for all of PATH, for one test: this Node, and shell scripts. */
function programs(scripts: Readonly<Record<string, string>> = {}): { readonly PATH: string } {
  const scratch = scratchFolder();
  onTestFinished(() => scratch[Symbol.dispose]());
  symlinkSync(process.execPath, path.join(scratch.path, 'node'));
  for (const [name, script] of Object.entries(scripts)) {
    const file = path.join(scratch.path, name);
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
  }
  return { PATH: scratch.path };
}

const sleep = onPath('sleep')[0] ?? 'sleep';

async function until(isSo: () => boolean): Promise<void> {
  for (const started = Date.now(); !isSo();) {
    if (Date.now() - started > 20_000) throw new Error('it did not come to it in time');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('when dependencies cannot be installed, the service is kept', () => {
  it('without npm and git on the machine', () => {
    using scratch = scratchFolder();
    const { exitCode, stdout, stderr } = slipway(['new', 'orders', '--yes'], {
      cwd: scratch.path,
      env: programs(),
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      'error dependencies are not installed: npm is not on this machine\n  the files are written; go on with: cd orders && npm install\n',
    );
    expect(stdout).toContain('no first commit: git is not on this machine\n  go on with: git init');
    expect(stdout).toMatch(/Next:\n {2}cd orders\n {2}npm install\n {2}npm run dev/);
    expect(slipway(['check', '--cwd', 'orders'], { cwd: scratch.path }).exitCode).toBe(0);
  });

  it('without pnpm', () => {
    using scratch = scratchFolder();
    const { exitCode, stderr } = slipway(['new', 'orders', '--yes', '--package-manager', 'pnpm'], {
      cwd: scratch.path,
      env: programs(),
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      'pnpm is not on this machine\n  the files are written; go on with: cd orders && pnpm install',
    );
  });

  it('without a network', async () => {
    using scratch = scratchFolder();
    const env = {
      npm_config_registry: `http://127.0.0.1:${await closedPort()}`,
      npm_config_fetch_retries: '0',
      npm_config_cache: path.join(scratch.path, 'cache'),
    };
    const { exitCode, stderr } = slipway(['new', 'orders', '--yes', '--no-git'], { cwd: scratch.path, env });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/error dependencies are not installed: `npm install` exited with \d+: .*ECONNREFUSED/);
    expect(stderr).toContain('go on with: cd orders && npm install');
    expect(slipway(['check', '--cwd', 'orders'], { cwd: scratch.path }).exitCode).toBe(0);
  }, 60_000);

  it('after add, and the change is kept too', () => {
    using service = scratchService();
    const env = programs({ npm: 'echo "npm error code ENOSPC" >&2; exit 28' });
    const { exitCode, stdout, stderr } = slipway(['add', 'postgres'], { cwd: service.path, env });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      'error dependencies are not installed: `npm install` exited with 28: npm error code ENOSPC\n  the files are written; go on with: npm install\n',
    );
    expect(stdout).toContain('Done: ');
    expect(slipway(['check'], { cwd: service.path }).exitCode).toBe(0);
  });

  it('with one document for --json, and one error for --quiet', () => {
    using scratch = scratchFolder();
    const env = programs();
    const json = slipway(['new', 'orders', '--json'], { cwd: scratch.path, env });
    expect(json.exitCode).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({
      applied: true,
      exitCode: 1,
      error: {
        message: 'dependencies are not installed: npm is not on this machine',
        hint: expect.stringContaining('npm install'),
      },
    });
    const quiet = slipway(['new', 'billing', '--yes', '--quiet'], { cwd: scratch.path, env });
    expectFault(quiet, 1, 'dependencies are not installed');
  });

  it.for([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('when %s interrupts it, and the lock is released', { timeout: 60_000 }, async ([signal, exit]) => {
    using service = scratchService();
    const flag = path.join(path.dirname(service.path), 'installing');
    const env = programs({ npm: `: > '${flag}'; exec ${sleep} 30` });
    const run = startSlipway(['add', 'postgres', '--yes'], { cwd: service.path, env });
    await until(() => existsSync(flag));
    run.kill(signal);
    const { exitCode, stderr } = await run.result;
    expect(exitCode).toBe(exit);
    expect(stderr).toContain('dependencies are not installed\n  the files are written; go on with: npm install');
    expect(readdirSync(path.join(service.path, '.slipway'))).not.toContain('running.json');
    expect(slipway(['check'], { cwd: service.path }).exitCode).toBe(0);
  });
});

it('the first commit, when a signal interrupts it, is said to be missing', { timeout: 60_000 }, async () => {
  using scratch = scratchFolder();
  const flag = path.join(scratch.path, 'beginning');
  const git = `for word; do [ "$word" = init ] && { : > '${flag}'; exec ${sleep} 30; }; done; echo 'fatal: not a git repository (or any of the parent directories): .git' >&2; exit 128`;
  const run = startSlipway(['new', 'orders', '--yes', '--no-install'], { cwd: scratch.path, env: programs({ git }) });
  await until(() => existsSync(flag));
  run.kill('SIGINT');
  const { exitCode, stderr } = await run.result;
  expect({ exitCode, stderr }).toEqual({
    exitCode: 130,
    stderr: 'the files are written, without a first commit; go on with: git init && git add --all && git commit\n',
  });
});

describe('doctor', () => {
  it('looks for the package manager of the service', () => {
    using service = scratchService('--package-manager=yarn');
    const without = slipway(['doctor'], { cwd: service.path, env: programs({ npm: 'echo 11.6.1' }) });
    expect(without.exitCode).toBe(1);
    expect(without.stdout).toMatch(/✗ yarn +not found: dependencies cannot be installed/);
    const env = programs({ npm: 'echo 11.6.1', yarn: 'echo 4.18.1' });
    expect(slipway(['doctor'], { cwd: service.path, env }).stdout).toMatch(/✓ yarn +4\.18\.1/);
  });
});

describe.skipIf(process.platform === 'win32')('what the package manager and git get', () => {
  it('is an environment without the secrets of CI', () => {
    using service = scratchService();
    const folder = path.dirname(service.path);
    const log = (name: string): string => `${onPath('env')[0]} > '${path.join(folder, name)}'`;
    const env = programs({
      npm: log('npm.env'),
      git: `${log('git.env')}; echo 'fatal: not a git repository (or any of the parent directories): .git' >&2; exit 128`,
    });
    const secrets = {
      AWS_SECRET_ACCESS_KEY: 'CANARY-1',
      GITHUB_TOKEN: 'CANARY-2',
      DATABASE_URL: 'postgres://app:CANARY-3@db/orders',
    };
    const settings = {
      npm_config_registry: 'https://registry.example.com/',
      NPM_TOKEN: 'CANARY-npm',
      https_proxy: 'http://me:CANARY-proxy@proxy:3128',
      GIT_AUTHOR_NAME: 'somebody',
      LC_ALL: 'de_DE.UTF-8',
    };
    expect(slipway(['add', 'postgres'], { cwd: service.path, env: { ...env, ...secrets, ...settings } }).exitCode).toBe(
      0,
    );
    const [npm, git] = ['npm.env', 'git.env'].map((name) => readFileSync(path.join(folder, name), 'utf8'));
    for (const name of Object.keys(secrets)) expect(npm).not.toContain(name);
    for (const name of ['npm_config_registry', 'NPM_TOKEN', 'https_proxy']) expect(npm).toContain(`${name}=`);
    expect(git).not.toContain('CANARY');
    expect(git).toContain('GIT_AUTHOR_NAME=somebody');
    expect(git).toContain('LC_ALL=C\n');
  });

  it.for(['yarn', 'bun'])('installs nothing of a plan from elsewhere with %s, whose settings may name code', (name) => {
    using service = scratchService(`--package-manager=${name}`);
    const folder = path.dirname(service.path);
    const env = programs({ [name]: `: > '${path.join(folder, 'called')}'` });
    const { stdout } = slipway(['plan', 'add', 'postgres', '--json'], { cwd: service.path, env });
    writeFileSync(path.join(folder, 'plan.json'), stdout);
    const applied = slipway(['apply', '../plan.json'], { cwd: service.path, env });
    expect(applied, applied.stderr).toMatchObject({ exitCode: 0 });
    expect(applied.stdout).toContain(`${name} install   # not done, because it may run code of the service`);
    expect(existsSync(path.join(folder, 'called'))).toBe(false);
  });

  it('runs no hooks of the service with pnpm, nor another pnpm, after a plan from elsewhere', () => {
    using service = scratchService('--package-manager=pnpm');
    const folder = path.dirname(service.path);
    const env = programs({ pnpm: `echo "$@" > '${path.join(folder, 'pnpm.log')}'` });
    const { stdout } = slipway(['plan', 'add', 'postgres', '--json'], { cwd: service.path, env });
    writeFileSync(path.join(folder, 'plan.json'), stdout);
    expect(slipway(['apply', '../plan.json'], { cwd: service.path, env }).exitCode).toBe(0);
    expect(readFileSync(path.join(folder, 'pnpm.log'), 'utf8')).toBe(
      'install --ignore-scripts --ignore-pnpmfile --config.manage-package-manager-versions=false\n',
    );
  });

  it('runs no program with npm that .npmrc of the service names as git', () => {
    using scratch = scratchFolder();
    const dependency = path.join(scratch.path, 'dependency');
    const service = path.join(scratch.path, 'service');
    writeFiles(scratch.path, {
      'dependency/package.json': '{"name":"dependency","version":"1.0.0"}',
      'service/package.json': `{"dependencies":{"dependency":"git+${pathToFileURL(dependency).href}"}}`,
      'service/.npmrc': 'git=./program.sh\naudit=false\n',
      'service/program.sh': { text: '#!/bin/sh\n: > ran\nexec git "$@"\n', mode: 0o755 },
    });
    const identity = [
      '-c',
      'user.name=somebody',
      '-c',
      'user.email=somebody@example.org',
      '-c',
      'commit.gpgsign=false',
    ];
    for (const words of [
      ['init', '--quiet'],
      ['add', '--all'],
      ['commit', '--quiet', '--message=one'],
    ])
      execaSync('git', [...identity, ...words], { cwd: dependency });
    const [npm = '', ...words] = packageManagerDefinitions.npm.installOnly?.split(' ') ?? [];
    execaSync(npm, words, { cwd: service, env: { npm_config_cache: path.join(scratch.path, 'cache') } });
    expect(existsSync(path.join(service, 'node_modules/dependency/package.json'))).toBe(true);
    expect(existsSync(path.join(service, 'ran'))).toBe(false);
  });

  it('runs no scripts of a plan or of a catalogue from elsewhere, and says so', () => {
    using service = scratchService();
    const folder = path.dirname(service.path);
    const env = programs({ npm: `echo "$@" >> '${path.join(folder, 'npm.log')}'` });
    const run = (...command: string[]) => {
      const result = slipway(command, { cwd: service.path, env });
      expect(result, result.stderr).toMatchObject({ exitCode: 0 });
      return result.stdout;
    };
    writeFileSync(path.join(folder, 'plan.json'), run('plan', 'add', 'postgres', '--json'));
    const note = 'npm rebuild';
    expect(run('apply', '../plan.json')).toContain(note);
    expect(run('add', 'redis', '--catalogue', path.join(path.dirname(bundled()), 'catalogue.txt'))).toContain(note);
    expect(run('remove', 'redis')).not.toContain(note);
    const foreign = 'install --ignore-scripts --git=git\n';
    expect(readFileSync(path.join(folder, 'npm.log'), 'utf8')).toBe(`${foreign}${foreign}install\n`);
  });
});

describe('two runs at once', () => {
  it('one does it, the other is told who holds the service, and nothing is mixed', async () => {
    using service = scratchService();
    const outside = path.dirname(service.path);
    const flag = path.join(outside, 'installing');
    const go = path.join(outside, 'go');
    const env = programs({ npm: `: > '${flag}'; while [ ! -e '${go}' ]; do ${sleep} 0.05; done` });
    const first = startSlipway(['add', 'postgres', '--yes'], { cwd: service.path, env });
    await until(() => existsSync(flag));
    const before = treeOf(service.path);
    for (const command of [
      ['ci', '--provider', 'gitlab'],
      ['remove', 'postgres'],
      ['update'],
      ['eject', 'README.md'],
    ]) {
      expectFault(
        slipway(command, { cwd: service.path }),
        1,
        /another run holds this service: process \d+ on ".+", since "20.+\n {2}wait until it is done/,
      );
    }
    expect(slipway(['check'], { cwd: service.path }).exitCode).toBe(0);
    expect(treeOf(service.path)).toEqual(before);
    writeFileSync(go, '');
    expect(await first.result).toMatchObject({ exitCode: 0 });
    expect(slipway(['ci', '--provider', 'gitlab', '--no-install'], { cwd: service.path }).exitCode).toBe(0);
  }, 60_000);

  it('many at the very same time do one after the other, or say why not', async () => {
    using service = scratchService();
    const commands = [
      ['add', 'postgres'],
      ['ci', '--provider', 'gitlab'],
      ['ci', '--provider', 'none'],
      ['eject', 'README.md'],
    ];
    const runs = await Promise.all(
      commands.map((command) => startSlipway([...command, '--no-install'], { cwd: service.path }).result),
    );
    expect(runs.some(({ exitCode }) => exitCode === 0)).toBe(true);
    for (const { exitCode, stderr } of runs.filter((run) => run.exitCode !== 0)) {
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/^error another run /);
    }
    expect(slipway(['check'], { cwd: service.path }).exitCode).toBe(0);
  }, 60_000);

  it('a lock of a process that is gone does not stand in the way', () => {
    using service = scratchService();
    const lock = path.join(service.path, '.slipway/running.json');
    const holder = { pid: 2 ** 22 + 1, host: 'another', started: '2026-01-01T00:00:00.000Z' };
    writeFileSync(lock, JSON.stringify(holder));
    expectFault(
      slipway(['add', 'postgres'], { cwd: service.path }),
      1,
      'on "another", since "2026-01-01T00:00:00.000Z"',
    );
    writeFileSync(lock, JSON.stringify({ ...holder, host: hostname() }));
    expect(slipway(['add', 'postgres', '--no-install'], { cwd: service.path }).exitCode).toBe(0);
    expect(existsSync(lock)).toBe(false);
  });
});

describe('--verify', () => {
  it.for([
    ['cannot be installed', 'exit 7', 'the changes cannot be verified: `npm install` exited with 7'],
    [
      'fails its own checks',
      '[ "$1" = install ] || { echo "test error: no"; exit 1; }',
      'the changes do not pass: `npm run check` exited with 1: test error: no',
    ],
  ] as const)('lands nothing when the copy %s', ([, npm, message]) => {
    using service = scratchService();
    const before = treeOf(service.path);
    const result = slipway(['add', 'postgres', '--verify'], {
      cwd: service.path,
      env: programs({ npm }),
    });
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(`error ${message}`);
    expect(result.stderr).toContain('nothing was written');
    expect(treeOf(service.path)).toEqual(before);
  });

  it('tries the change in a copy, and lands it when it is green', () => {
    using service = scratchService();
    const log = path.join(path.dirname(service.path), 'log');
    const npm = `echo "$* $(test -d internal/platform/postgres && echo with || echo without) $PWD" >> '${log}'`;
    const result = slipway(['add', 'postgres', '--verify'], {
      cwd: service.path,
      env: programs({ npm }),
    });
    expect(result.exitCode).toBe(0);
    const lines = readFileSync(log, 'utf8').trim().split('\n');
    expect(lines.map((line) => line.split(' ').slice(0, -1).join(' '))).toEqual([
      'install with',
      'run check with',
      'install with',
    ]);
    expect(lines[0]).not.toContain(service.path);
    expect(existsSync(lines[0]?.split(' ').at(-1) ?? '')).toBe(false);
    expect(slipway(['check'], { cwd: service.path }).exitCode).toBe(0);
  });
});

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 9;
}
