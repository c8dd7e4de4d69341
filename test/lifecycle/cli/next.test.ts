import { execFileSync } from 'node:child_process';
import { appendFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratchFolder, slipway } from '../../helpers/cli.ts';
import { scratchService } from '../../helpers/scratchService.ts';

const quick = ['--no-install', '--no-git'];
const identity = {
  GIT_AUTHOR_NAME: 'somebody',
  GIT_AUTHOR_EMAIL: 'somebody@example.org',
  GIT_COMMITTER_NAME: 'somebody',
  GIT_COMMITTER_EMAIL: 'somebody@example.org',
};

/** The lines under "Next:". */
function nextOf(stdout: string): string[] {
  const [, next = ''] = stdout.split(/^Next:\n/m);
  return next.split('\n').map((line) => line.trim());
}

describe('what comes next', () => {
  it('after add: what callers notice, what to write, the page, the install, the checks', () => {
    using service = scratchService();
    const { exitCode, stdout } = slipway(['add', 'auth', ...quick], { cwd: service.path });
    expect(exitCode).toBe(0);
    const next = nextOf(stdout);
    expect(next[0]).toMatch(/^auth: callers need a bearer token for each route, also for those that exist already/);
    expect(next).toContainEqual(expect.stringContaining('`npm run --silent token` makes a token for development'));
    expect(next).toEqual(expect.arrayContaining(['read docs/auth.md', 'npm install', 'npm run check']));
  });

  it('is part of the plan, before anything is written, and of the JSON document', () => {
    using service = scratchService();
    const planned = slipway(['plan', 'add', 'auth'], { cwd: service.path });
    expect(planned.stdout).toMatch(/Once it is written:\n {2}auth: callers need a bearer token/);
    const { next } = JSON.parse(slipway(['plan', 'add', 'auth', '--json'], { cwd: service.path }).stdout);
    expect(next).toContainEqual(expect.stringContaining('auth: callers need a bearer token'));
    const file = path.join(path.dirname(service.path), 'plan.json');
    writeFileSync(file, slipway(['plan', 'add', 'auth', '--json'], { cwd: service.path }).stdout);
    expect(nextOf(slipway(['apply', file, ...quick], { cwd: service.path }).stdout)[0]).toContain('auth: callers need');
  });

  it('after remove: what callers notice, and modules that nothing requires any more', () => {
    using service = scratchService('--modules=websocket,auth');
    const { stdout } = slipway(['remove', 'websocket', ...quick], { cwd: service.path });
    expect(nextOf(stdout)).toEqual(
      expect.arrayContaining([
        'websocket: callers get 404 at /ws',
        'no module requires redis any more; if you do not use it: slipway remove redis',
      ]),
    );
    // `auth` has the part `identity` too, and nobody asked for a part.
    expect(stdout).not.toContain('identity');
    expect(nextOf(slipway(['remove', 'auth', ...quick], { cwd: service.path }).stdout)[0]).toMatch(
      /^auth: callers need no token any more/,
    );
  });

  it('does not name a module that another one still requires', () => {
    using service = scratchService('--modules=websocket,ratelimit');
    const { stdout } = slipway(['remove', 'websocket', ...quick], { cwd: service.path });
    expect(stdout).not.toContain('slipway remove redis');
  });

  it('names the folder of the service when it is another one', () => {
    using service = scratchService();
    const from = path.dirname(service.path);
    const { stdout } = slipway(['add', 'redis', '--cwd', 'orders', ...quick], { cwd: from });
    const next = nextOf(stdout);
    expect(next.slice(next.indexOf('cd orders'))).toEqual(['cd orders', 'npm install', 'npm run check', '']);
  });

  it('is what info tells of a module', () => {
    using service = scratchService();
    const { stdout } = slipway(['info', 'auth'], { cwd: service.path });
    expect(stdout).toMatch(/After slipway add auth\n {2}callers need a bearer token[^]*After slipway remove auth\n/);
  });

  it('is nothing when nothing has changed', () => {
    using service = scratchService('--modules=redis');
    for (const command of [['add', 'redis'], ['update'], ['ci', '--provider=github']])
      expect(slipway([...command, ...quick], { cwd: service.path }).stdout).not.toContain('Next:');
  });
});

describe('files that git ignores', () => {
  const ignored = /git ignores pkg\/\S+[^]*: a commit and a clone lack them\n.*git check-ignore --verbose pkg\//;

  it('are named by new and by add, with the way to the rule; in the service, above it, and of the user', () => {
    using scratch = scratchFolder();
    execFileSync('git', ['init', '--quiet'], { cwd: scratch.path });
    writeFileSync(path.join(scratch.path, '.gitignore'), 'pkg/\n');
    const making = ['new', 'services/orders', '--yes', '--no-install', '--preset=minimal'];
    expect(slipway(making, { cwd: scratch.path }).stdout).toMatch(ignored);
    const service = path.join(scratch.path, 'services/orders');
    const { stdout } = slipway(['add', 'grpc', '--no-install'], { cwd: service });
    expect(stdout).toMatch(/git ignores pkg\/client\/grpc\//);
    // Files of earlier runs are not told again.
    expect(stdout).not.toContain('pkg/context');
    writeFileSync(path.join(scratch.path, 'excludes'), '**/docs/redis.md\n');
    const env = {
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'core.excludesFile',
      GIT_CONFIG_VALUE_0: path.join(scratch.path, 'excludes'),
    };
    const own = slipway(['add', 'redis', '--no-install'], { cwd: service, env });
    expect(own.stdout).toContain('git ignores docs/redis.md: a commit and a clone lack it');
  });

  it('are named when the whole service is ignored', () => {
    using scratch = scratchFolder();
    execFileSync('git', ['init', '--quiet'], { cwd: scratch.path });
    writeFileSync(path.join(scratch.path, '.gitignore'), 'services/\n');
    const making = ['new', 'services/orders', '--yes', '--no-install', '--preset=minimal'];
    expect(slipway(making, { cwd: scratch.path }).stdout).toMatch(
      /git ignores [^]* and \d+ more: a commit and a clone lack/,
    );
  });

  it('that git tracks all the same are not named', () => {
    using service = scratchService();
    const git = (...args: string[]) =>
      execFileSync('git', args, { cwd: service.path, env: { ...process.env, ...identity } });
    git('init', '--quiet');
    git('add', '--all');
    git('commit', '--quiet', '--message=start');
    appendFileSync(path.join(service.path, '.gitignore'), 'package.json\n');
    expect(slipway(['add', 'redis', '--no-install'], { cwd: service.path }).stdout).not.toContain('git ignores');
  });
});

describe('what every run would say again', () => {
  it('is one line: files that are missing, and how to get one back; a move is told once', () => {
    using service = scratchService();
    for (const file of ['tsconfig.json', 'docs/operations.md']) rmSync(path.join(service.path, file));
    renameSync(path.join(service.path, '.editorconfig'), path.join(service.path, 'docs/.editorconfig'));
    // A move is told once.
    const first = slipway(['add', 'redis', ...quick], { cwd: service.path }).stdout;
    expect(first).toMatch(/keep +docs\/\.editorconfig +moved by you from \.editorconfig/);
    for (const args of [['add', 'hal', ...quick], ['check']]) {
      const { exitCode, stdout } = slipway(args, { cwd: service.path });
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(
        /^ {2}left out, because missing: docs\/operations\.md, tsconfig\.json; `slipway update --conflict=theirs:<file>` writes it again$/m,
      );
      expect(stdout).not.toMatch(/keep|\.editorconfig/);
    }
    expect(slipway(['check', '--diff'], { cwd: service.path }).stdout).toMatch(/keep +tsconfig\.json +it is missing/);
    const { entries } = JSON.parse(slipway(['check', '--json'], { cwd: service.path }).stdout);
    expect(entries).toContainEqual(expect.objectContaining({ path: 'tsconfig.json', action: 'keep' }));
    expect(slipway(['update', '--conflict=theirs:tsconfig.json', ...quick], { cwd: service.path }).stdout).toMatch(
      /create +tsconfig\.json +it was missing/,
    );
    rmSync(path.join(service.path, 'docs/http.md'));
    rmSync(path.join(service.path, 'docs/architecture.md'));
    rmSync(path.join(service.path, '.oxlintrc.json'));
    expect(slipway(['check'], { cwd: service.path }).stdout).toContain('left out, because missing: 4 files; --diff');
  });
});
