import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { execaSync } from 'execa';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { scratchFolder, slipway, treeOf } from '../../helpers/cli.ts';
import { expectFault } from '../../helpers/expectFault.ts';
import { scratchService } from '../../helpers/scratchService.ts';

const adding = ['add', 'postgres', '--no-install'];

function git(folder: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=somebody', '-c', 'user.email=somebody@example.org'];
  return execaSync('git', [...identity, ...args], { cwd: folder }).stdout;
}

function edit(service: string, file: string, change: (text: string) => string): void {
  const place = path.join(service, file);
  const text = readFileSync(place, 'utf8');
  expect(change(text)).not.toBe(text);
  writeFileSync(place, change(text));
}

const textOf = (service: string, file: string): string => readFileSync(path.join(service, file), 'utf8');

/** Runs a command that has to succeed. */
function must(service: string, ...args: string[]): string {
  const { exitCode, stdout, stderr } = slipway(args, { cwd: service });
  expect(exitCode, stdout + stderr).toBe(0);
  return stdout;
}

const markers = '<<<<<<< HEAD\nmine\n=======\ntheirs\n>>>>>>> other\n';

describe('a service with a file that is not valid', () => {
  it.for([
    [
      'package.json',
      (text) => text.replace('  "scripts": {', `${markers}  "scripts": {`),
      /package\.json, line \d+: a merge conflict is not resolved/,
    ],
    ['package.json', (text) => text.replace('{', '{ // mine'), 'package.json, line 1: '],
    [
      'package.json',
      (text) => text.replace('{', '{\n  "name": "other",'),
      'package.json, line 3: the key "name" is repeated',
    ],
    ['tsconfig.json', (text) => text.replace('{', '{\n  // mine\n  ,'), 'tsconfig.json, line 3: '],
    [
      'deploy/compose/compose.yaml',
      (text) => `${text}include: []\n`,
      /compose\.yaml, line \d+: the key "include" is repeated/,
    ],
    ['deploy/compose/service.yaml', (text) => `${text}\tx: 1\n`, /service\.yaml, line \d+: /],
    [
      '.github/workflows/ci.yaml',
      (text) => text.replace('check:', 'check: *nowhere\n  other:'),
      /ci\.yaml, line \d+: no anchor/,
    ],
    ['.env.example', (text) => `${text}MINE=1\nMINE=2\n`, /\.env\.example, line \d+: MINE is repeated/],
    ['internal/platform/http/problems.ts', (text) => `${text}{\n`, /problems\.ts, line \d+: "\{" is not closed/],
    ['cmd/server/main.ts', (text) => `${text}>>>>>>> other\n`, /main\.ts, line \d+: a merge conflict is not resolved/],
    ['README.md', (text) => `${text}${markers}`, /README\.md, line \d+: a merge conflict is not resolved/],
    ['deploy/docker/Dockerfile', (text) => `${text}${markers}`, /Dockerfile, line \d+: a merge conflict/],
  ] as readonly (readonly [string, (text: string) => string, string | RegExp])[])(
    'is named with its line by check and by doctor: %s',
    ([file, change, told]) => {
      using service = scratchService('--modules=docker');
      edit(service.path, file, change);
      const before = treeOf(service.path);
      expectFault(slipway(['check'], { cwd: service.path }), 2, told);
      expect(treeOf(service.path)).toEqual(before);
      const { exitCode, stdout } = slipway(['doctor'], { cwd: service.path });
      expect(exitCode).toBe(1);
      expect(stdout).toMatch(told);
    },
  );

  it('is named by every command that plans a change, and nothing is written', () => {
    using service = scratchService('--modules=docker');
    edit(service.path, 'deploy/compose/service.yaml', (text) => `${text}services: {}\n`);
    const before = treeOf(service.path);
    const commands = [
      ['update'],
      adding,
      [...adding, '--dry-run'],
      ['remove', 'docker'],
      ['ci', '--provider=gitlab'],
      ['eject', '.nvmrc'],
    ];
    for (const command of commands)
      expectFault(slipway(command, { cwd: service.path }), 2, /not valid: deploy\/compose\/service\.yaml, line \d+: /);
    expect(treeOf(service.path)).toEqual(before);
  });

  it('goes on once the file is valid, or the plan corrects it', () => {
    using service = scratchService('--modules=docker');
    edit(service.path, 'tsconfig.json', (text) => `// mine\n${text}`);
    edit(service.path, '.vscode/settings.json', (text) => text.replace('{', '{\n  /* mine */'));
    edit(service.path, 'internal/platform/app/modules.gen.ts', (text) => `${text}{\n`);
    expectFault(slipway(['check'], { cwd: service.path }), 2, 'modules.gen.ts, line');
    must(service.path, 'update', '--conflict=theirs', '--no-install');
    must(service.path, 'check');
  });
});

describe('a module that comes to a file in which the user did the same', () => {
  it('joins own services and variables of a job, with an anchor in the file', () => {
    using service = scratchService('--ci=github,gitlab');
    const [github, gitlab] = ['.github/workflows/ci.yaml', '.gitlab-ci.yml'];
    edit(service.path, github, (text) =>
      text.replace(
        /^( {2}check:)$/m,
        '$1 &job\n    env:\n      MINE: 1\n    services:\n      mail:\n        image: mail',
      ),
    );
    edit(service.path, gitlab, (text) => text.replace(/^check:$/m, 'check: &job\n  variables:\n    MINE: 1'));
    must(service.path, 'add', 'postgres', '--no-install', '--conflict=stop');
    const jobs = parse(textOf(service.path, github)).jobs;
    expect(jobs.check).toMatchObject({ env: { MINE: 1 }, services: { mail: { image: 'mail' } } });
    expect(JSON.stringify(jobs)).toContain('pg_isready');
    expect(parse(textOf(service.path, gitlab)).check).toMatchObject({ variables: { MINE: 1 } });
    must(service.path, 'check');
  });

  it('repeats no setting that the user had', () => {
    using service = scratchService('--modules=kubernetes');
    const config = 'deploy/k8s/base/config.env';
    appendFileSync(path.join(service.path, config), 'DATABASE_POOL_MAX=77\n');
    const { exitCode, stdout } = slipway(adding, { cwd: service.path });
    const names = () => textOf(service.path, config).match(/^\w+(?==)/gm) ?? [];
    if (exitCode === 3) {
      expect(stdout).toContain('DATABASE_POOL_MAX');
      must(service.path, ...adding, '--conflict=ours');
    }
    expect(new Set(names()).size).toBe(names().length);
    expect(textOf(service.path, config)).toContain('DATABASE_POOL_MAX=77\n');
    must(service.path, 'check');
  });
});

describe('a sparse checkout', () => {
  it.each(['/docs/', '/.slipway/'])(
    'without %s loses nothing: what it left out is updated when it is checked out',
    (folder) => {
      using service = scratchService('--modules=docker');
      git(service.path, 'init', '--quiet', '--initial-branch=main');
      git(service.path, 'add', '--all');
      git(service.path, 'commit', '--quiet', '--message=start');
      git(
        service.path,
        'sparse-checkout',
        'set',
        '--no-cone',
        '/*',
        '!/docs/',
        `!${folder}`,
        '!/internal/platform/app/modules.gen.ts',
      );
      expect(existsSync(path.join(service.path, 'docs'))).toBe(false);
      must(service.path, 'check');
      expect(must(service.path, ...adding, '--diff', '--json')).toContain('it is not checked out');
      expect(existsSync(path.join(service.path, 'internal/platform/app/modules.gen.ts'))).toBe(false);
      git(service.path, 'add', '--all', '--sparse');
      git(service.path, 'commit', '--quiet', '--message=postgres');
      git(service.path, 'sparse-checkout', 'disable');
      expect(textOf(service.path, 'docs/configuration.md')).not.toContain('DATABASE_URL');
      must(service.path, 'update', '--no-install');
      expect(textOf(service.path, 'docs/configuration.md')).toContain('DATABASE_URL');
      expect(textOf(service.path, 'internal/platform/app/modules.gen.ts')).toContain('postgres');
      must(service.path, 'check');
    },
  );
});

describe('a new name in slipway.json', () => {
  it('is followed by seeds, and the lines that cannot follow are named', () => {
    using service = scratchService('--modules=kubernetes,argocd');
    const overlay = 'deploy/k8s/overlays/prod/kustomization.yaml';
    appendFileSync(path.join(service.path, overlay), '# orders: mine\n');
    edit(service.path, 'slipway.json', (text) => text.replace('"orders"', '"billing"'));
    const told = must(service.path, 'update', '--no-install');
    const line = textOf(service.path, overlay).split('\n').indexOf('# orders: mine') + 1;
    expect(told).toContain(`"orders" is left in line ${line}: change it by hand`);
    for (const file of ['deploy/argocd/source.yaml', 'deploy/k8s/overlays/dev/kustomization.yaml']) {
      expect(textOf(service.path, file)).toContain('billing');
      expect(textOf(service.path, file)).not.toContain('orders');
    }
    expect(textOf(service.path, 'README.md')).toMatch(/^# billing\n/);
    must(service.path, 'check');
  });
});

describe('new in a repository with files of its own', () => {
  it('joins package.json and .gitignore by key', () => {
    using scratch = scratchFolder();
    const folder = path.join(scratch.path, 'orders');
    mkdirSync(folder);
    const own = {
      name: 'mine',
      version: '3.0.0',
      scripts: { test: 'mine', own: 'mine' },
      dependencies: { mine: '1.0.0' },
    };
    writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(own, null, 2)}\n`);
    writeFileSync(path.join(folder, '.gitignore'), '# mine\ndist/\n*.mine\n');
    git(folder, 'init', '--quiet');
    const create = ['new', '.', '--yes', '--no-install', '--name=orders'];
    expectFault(slipway(create, { cwd: folder }), 2, 'package.json');
    must(folder, ...create, '--conflict=ours');
    const after = JSON.parse(textOf(folder, 'package.json'));
    expect(after).toMatchObject(own);
    expect(Object.keys(after.scripts)).toEqual(expect.arrayContaining(['build', 'start', 'dev']));
    expect(after.dependencies).toMatchObject({ fastify: expect.any(String) });
    const ignored = textOf(folder, '.gitignore');
    expect(ignored.startsWith('# mine\ndist/\n*.mine\n')).toBe(true);
    expect(ignored.match(/^dist\/$/gm)).toHaveLength(1);
    expect(ignored).toMatch(/^node_modules\/$/m);
    must(folder, 'check');
    must(folder, ...adding);
    expect(JSON.parse(textOf(folder, 'package.json'))).toMatchObject(own);
    must(folder, 'check');
  });
});
