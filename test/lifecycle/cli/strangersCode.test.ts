import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { outputFileSync } from 'fs-extra/esm';
import { describe, expect, it, vi } from 'vitest';
import { type CliOptions, scratchFolder, slipway, treeOf } from '../../helpers/cli.ts';
import { expectFault } from '../../helpers/expectFault.ts';
import { scratchService } from '../../helpers/scratchService.ts';

vi.setConfig({ testTimeout: 600_000 });

const isWindows = process.platform === 'win32';
const adding = ['add', 'postgres', '--no-install'];

/** Every command; each runs whether or not the one before it could do its work. */
const commands = [
  ['list'],
  ['info', 'postgres'],
  ['explain', 'package.json'],
  ['check'],
  ['doctor'],
  ['plan', 'add', 'postgres', '--json'],
  ['apply', '../plan.json', '--no-install'],
  ['new', 'other', '--yes', '--no-install'],
  adding,
  ['eject', 'tsconfig.json', '--no-install'],
  ['ci', '--provider', 'gitlab', '--no-install'],
  ['update', '--no-install'],
  ['remove', 'postgres', '--no-install'],
  ['undo', '--no-install'],
  ['resolve', '--no-install'],
];

/** A service, and what tells whether a payload was run in it. */
interface Target extends Disposable {
  readonly path: string;
  readonly marker: string;
  /** JavaScript that leaves a mark. */
  readonly script: string;
  /** A program that leaves a mark. */
  readonly program: string;
}

function target(): Target {
  const service = scratchService();
  const marker = path.join(path.dirname(service.path), 'marker');
  const program = path.join(service.path, 'tools/payload');
  outputFileSync(program, `#!/bin/sh\ntouch '${marker}'\nexit 0\n`);
  chmodSync(program, 0o755);
  const script = `require('fs').writeFileSync(${JSON.stringify(marker)}, '');`;
  return { path: service.path, marker, script, program, [Symbol.dispose]: () => service[Symbol.dispose]() };
}

function git(folder: string, ...args: string[]): void {
  const identity = ['-c', 'user.name=somebody', '-c', 'user.email=somebody@example.org'];
  const { status, stderr } = spawnSync('git', [...identity, ...args], { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

/** Runs every command in a service, and expects that each ends and none runs the payload. */
function expectNothingRun({ path: cwd, marker }: Target, env: CliOptions['env'] = {}): void {
  for (const command of commands) {
    const { exitCode, stdout, stderr } = slipway(command, { cwd, env });
    expect(exitCode, command.join(' ')).not.toBeNull();
    expect(stderr, command.join(' ')).not.toContain('a fault of Slipway itself');
    expect(existsSync(marker), `${command.join(' ')} runs it`).toBe(false);
    if (command[0] === 'plan') writeFileSync(path.join(cwd, '../plan.json'), stdout);
  }
}

describe('code in a service', () => {
  const plants: Readonly<Record<string, (target: Target) => void>> = {
    'package.json.js': ({ path: root, script }) => writeFileSync(path.join(root, 'package.json.js'), script),
    'package.json/index.js': ({ path: root, script }) =>
      outputFileSync(path.join(root, 'package.json/index.js'), script),
    'package.json/package.json with a main': ({ path: root, script }) => {
      outputFileSync(path.join(root, 'package.json/package.json'), '{"main":"code.js"}');
      outputFileSync(path.join(root, 'package.json/code.js'), script);
    },
    'a link from package.json to code': ({ path: root, script }) => {
      writeFileSync(path.join(root, 'code.cjs'), script);
      symlinkSync('code.cjs', path.join(root, 'package.json'));
    },
  };

  it.for(Object.entries(plants))('as %s is not run by any command', ([, plant]) => {
    using planted = target();
    rmSync(path.join(planted.path, 'package.json'));
    plant(planted);
    expectNothingRun(planted);
  });

  it('under the names that node, npm and plop know is not run by any command', () => {
    using planted = target();
    const { path: root, script } = planted;
    for (const name of ['index', 'plopfile', '.plop', '.pnpmfile', '.yarnrc', 'slipway.config']) {
      for (const ending of ['js', 'cjs']) outputFileSync(path.join(root, `${name}.${ending}`), script);
    }
    for (const name of ['node-plop', 'plop', 'execa', 'enquirer', 'handlebars', 'yaml', 'fs-extra', 'yocto-spinner']) {
      outputFileSync(path.join(root, 'node_modules', name, 'index.js'), script);
    }
    outputFileSync(path.join(root, '.npmrc'), 'node-options=--require ./index.js\n');
    expectNothingRun(planted);
  });

  it.skipIf(isWindows)('in the place of a program, where npm lets PATH begin, is not run by any command', () => {
    using planted = target();
    const programs = path.join(planted.path, 'node_modules/.bin');
    mkdirSync(programs, { recursive: true });
    for (const name of ['git', 'npm', 'node']) symlinkSync(planted.program, path.join(programs, name));
    const PATH = [programs, 'node_modules/.bin', '.', process.env['PATH']].join(path.delimiter);
    // The shell finds the payload first.
    spawnSync('git', ['--version'], { env: { PATH } });
    expect(existsSync(planted.marker)).toBe(true);
    rmSync(planted.marker);
    expectNothingRun(planted, { PATH });
  });

  it.skipIf(isWindows).for(['a pipe', '/dev/zero'])('where package.json is %s, every command ends', (kind) => {
    using planted = target();
    const file = path.join(planted.path, 'package.json');
    rmSync(file);
    if (kind === 'a pipe') spawnSync('mkfifo', [file]);
    else symlinkSync(kind, file);
    expectNothingRun(planted);
  });
});

/** Git's ways to name a program in a repository's configuration. */
function hostileConfig(program: string): string {
  return `
[core]
  fsmonitor = ${program}
  hooksPath = ${path.dirname(program)}/hooks
  sshCommand = ${program}
  pager = ${program}
  editor = ${program}
  gitProxy = ${program}
[diff]
  external = ${program}
[diff "evil"]
  textconv = ${program}
  command = ${program}
[filter "evil"]
  clean = ${program}
  smudge = ${program}
  process = ${program}
  required = true
[merge "evil"]
  driver = ${program}
[credential]
  helper = ${program}
[gpg]
  program = ${program}
[pager]
  ls-files = ${program}
  rev-parse = ${program}
[alias]
  ls-files = !${program}
  rev-parse = !${program}
  diff = !${program}
`;
}

describe.skipIf(isWindows)('what a repository makes git run', () => {
  it('by its configuration, its attributes and its hooks is not run by any command', () => {
    using planted = target();
    const { path: root, marker, program } = planted;
    git(root, 'init', '--quiet', '--initial-branch=main');
    git(root, 'add', '--all');
    git(root, 'commit', '--quiet', '--message=start');
    appendFileSync(path.join(root, '.git/config'), hostileConfig(program));
    writeFileSync(path.join(root, '.gitattributes'), '* filter=evil diff=evil merge=evil\n');
    for (const folder of ['.git/hooks', 'tools/hooks']) {
      for (const hook of ['pre-commit', 'post-commit', 'post-index-change', 'reference-transaction', 'post-checkout']) {
        outputFileSync(path.join(root, folder, hook), `#!/bin/sh\ntouch '${marker}'\n`);
        chmodSync(path.join(root, folder, hook), 0o755);
      }
    }
    appendFileSync(path.join(root, 'README.md'), 'edited\n');
    // It is a payload.
    spawnSync('git', ['status'], { cwd: root });
    expect(existsSync(marker)).toBe(true);
    rmSync(marker);
    expectNothingRun(planted);
  });

  it('from a folder that is a bare repository is not run, and git’s refusal is told', () => {
    using planted = target();
    const { path: root, marker, program } = planted;
    outputFileSync(path.join(root, 'HEAD'), 'ref: refs/heads/main\n');
    for (const folder of ['objects', 'refs']) outputFileSync(path.join(root, folder, '.gitkeep'), '');
    const config = hostileConfig(program).replace(
      '[core]',
      '[core]\n  repositoryformatversion = 0\n  bare = false\n  worktree = .',
    );
    writeFileSync(path.join(root, 'config'), config);
    git(path.dirname(root), 'init', '--quiet', '--initial-branch=main');
    // A user may have closed this hole already, and then there is nothing to see here.
    spawnSync('git', ['-c', 'safe.bareRepository=all', 'status'], { cwd: root });
    expect(existsSync(marker)).toBe(true);
    rmSync(marker);
    const before = treeOf(root);
    expectFault(
      slipway(adding, { cwd: root }),
      2,
      /git does not read the repository of .+: cannot use bare repository/,
    );
    expect(treeOf(root)).toEqual(before);
    expect(slipway(['doctor'], { cwd: root }).stdout).toMatch(/✗ conflicts +git does not read the repository/);
    expectNothingRun(planted);
    expect(slipway([...adding, '--no-git'], { cwd: root }).exitCode).toBe(0);
  });
});

describe('git', () => {
  it.for([
    [{ GIT_TRACE: '1' }, []],
    [{ GIT_DIR: '/nowhere', GIT_INDEX_FILE: '/nowhere' }, []],
    [{}, ['core.autocrlf', 'true']],
  ] as const)('with %j and %j is asked, and what it warns of is no file', ([env, setting]) => {
    using service = scratchService();
    git(service.path, 'init', '--quiet', '--initial-branch=main');
    git(service.path, 'add', '--all');
    git(service.path, 'commit', '--quiet', '--message=start');
    if (setting.length > 0) git(service.path, 'config', ...setting);
    appendFileSync(path.join(service.path, 'README.md'), 'edited\n');
    for (const command of [adding, ['ci', '--provider', 'gitlab', '--no-install']]) {
      expect(slipway(command, { cwd: service.path, env })).toMatchObject({ exitCode: 0, stderr: '' });
    }
    expect(slipway(['doctor'], { cwd: service.path, env }).stdout).toContain('no unresolved conflicts');
  });

  it('names files in conflict as they are called', () => {
    using service = scratchService();
    const name = 'docs/größe "x".md';
    const edit = (text: string): void => {
      writeFileSync(path.join(service.path, name), text);
      git(service.path, 'add', '--all');
      git(service.path, 'commit', '--quiet', `--message=${text}`);
    };
    git(service.path, 'init', '--quiet', '--initial-branch=main');
    edit('start\n');
    git(service.path, 'checkout', '--quiet', '-b', 'other');
    edit('theirs\n');
    git(service.path, 'checkout', '--quiet', 'main');
    edit('mine\n');
    expect(() => git(service.path, 'merge', '--quiet', 'other')).toThrow(/^$/);
    expectFault(slipway(adding, { cwd: service.path }), 2, `unresolved conflicts in: ${name}\n`);
  });

  const refusals: Readonly<Record<string, (folder: string) => void>> = {
    'is damaged': (folder) => writeFileSync(path.join(folder, '.git'), 'gitdir: /nowhere\n'),
    ...(process.getuid?.() === 0 && {
      'is somebody else’s': (folder: string) => {
        git(folder, 'init', '--quiet');
        for (const name of ['.', '.git', ...readdirSync(path.join(folder, '.git')).map((entry) => `.git/${entry}`)]) {
          const file = path.join(folder, name);
          if (!lstatSync(file).isSymbolicLink()) chownSync(file, 65_534, 65_534);
        }
      },
    }),
  };

  it.for(Object.entries(refusals))('that refuses a repository because it %s is not taken for none', ([, spoil]) => {
    using scratch = scratchFolder();
    spoil(scratch.path);
    const env = { GIT_CONFIG_GLOBAL: path.join(scratch.path, 'none'), GIT_CONFIG_NOSYSTEM: '1' };
    const made = slipway(['new', 'services/orders', '--yes', '--no-install'], { cwd: scratch.path, env });
    expect(made).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('no first commit: git does not read') });
    const service = path.join(scratch.path, 'services/orders');
    expect(existsSync(path.join(service, '.git'))).toBe(false);
    expectFault(
      slipway(adding, { cwd: service, env }),
      2,
      /git does not read the repository of .+\n {2}let git read it/,
    );
  });
});
