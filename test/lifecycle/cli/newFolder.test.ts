import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { execaSync } from 'execa';
import { describe, expect, it } from 'vitest';
import { layDown, scratchFolder, slipway, startSlipway, treeOf } from '../../helpers/cli.ts';
import { expectFault } from '../../helpers/expectFault.ts';

const quick = ['--yes', '--no-install'];

/** A folder with these files in it, empty ones. */
function folderWith(folder: string, ...files: string[]): string {
  mkdirSync(folder, { recursive: true });
  for (const file of files) writeFileSync(path.join(folder, file), `my ${file}\n`);
  return folder;
}

function git(folder: string, ...args: string[]): string {
  return execaSync('git', ['-c', 'user.name=somebody', '-c', 'user.email=somebody@example.org', ...args], {
    cwd: folder,
  }).stdout;
}

describe('new', () => {
  it('in the place of a file, or below one, is refused', () => {
    using scratch = scratchFolder();
    folderWith(scratch.path, 'orders');
    expectFault(
      slipway(['new', 'orders', ...quick], { cwd: scratch.path }),
      2,
      'orders is a file\n  name another folder',
    );
    expectFault(
      slipway(['new', 'orders/down', ...quick], { cwd: scratch.path }),
      2,
      'a file is in the place of a folder',
    );
    expect(treeOf(scratch.path)).toEqual({ orders: expect.stringContaining('my orders') });
  });

  it('in a folder that is not empty is refused with a list of what it holds', () => {
    using scratch = scratchFolder();
    folderWith(path.join(scratch.path, 'orders'), 'a.txt', 'b.txt');
    const before = treeOf(scratch.path);
    const result = slipway(['new', 'orders', ...quick], { cwd: scratch.path });
    expectFault(
      result,
      2,
      'orders is not empty, and not a git repository: a.txt, b.txt\n  name another folder, or run `git init`',
    );
    expect(treeOf(scratch.path)).toEqual(before);
  });

  it('lists the first of many', () => {
    using scratch = scratchFolder();
    folderWith(path.join(scratch.path, 'orders'), ...Array.from({ length: 100 }, (_, index) => `file-${index}`));
    const { stderr } = slipway(['new', 'orders', ...quick], { cwd: scratch.path });
    expect(stderr).toContain('and 89 more');
  });

  it('in a folder with nothing but what systems, editors and git put there is laid down', () => {
    using scratch = scratchFolder();
    const folder = folderWith(path.join(scratch.path, 'orders'), '.DS_Store', 'Thumbs.db', 'LICENSE');
    for (const own of ['.idea', '.vscode']) folderWith(path.join(folder, own), 'tasks.json');
    expect(slipway(['new', 'orders', '--no-git', ...quick], { cwd: scratch.path }).exitCode).toBe(0);
    expect(readFileSync(path.join(folder, '.vscode/tasks.json'), 'utf8')).toBe('my tasks.json\n');
    expect(slipway(['check'], { cwd: folder }).exitCode).toBe(0);
  });

  it('in a folder with settings of an editor keeps them, and adds what they lack', () => {
    using scratch = scratchFolder();
    const folder = path.join(scratch.path, 'orders');
    mkdirSync(path.join(folder, '.vscode'), { recursive: true });
    const file = path.join(folder, '.vscode/settings.json');
    writeFileSync(file, '{ "workbench.colorTheme": "Red", "editor.formatOnSave": false }\n');
    expect(slipway(['new', 'orders', '--no-git', ...quick], { cwd: scratch.path }).exitCode).toBe(0);
    const settings = readFileSync(file, 'utf8');
    expect(settings).toContain('"workbench.colorTheme": "Red", "editor.formatOnSave": false');
    expect(Object.keys(JSON.parse(settings)).length).toBeGreaterThan(2);
    expect(slipway(['check'], { cwd: folder }).exitCode).toBe(0);
  });

  it.each(['con', 'aux.service', 'orders.'])('in the folder %s is refused: Windows cannot store it', (name) => {
    using scratch = scratchFolder();
    expectFault(
      slipway(['new', name, '--name=orders', ...quick], { cwd: scratch.path }),
      2,
      `called ${name} everywhere`,
    );
    expect(readdirSync(scratch.path)).toEqual([]);
  });

  it('in an empty folder, here or by name, is laid down', () => {
    using scratch = scratchFolder();
    const here = folderWith(path.join(scratch.path, 'orders'));
    expect(slipway(['new', '.', '--no-git', ...quick], { cwd: here }).exitCode).toBe(0);
    folderWith(path.join(scratch.path, 'billing'));
    expect(slipway(['new', 'billing', '--no-git', ...quick], { cwd: scratch.path }).exitCode).toBe(0);
    for (const name of ['orders', 'billing'])
      expect(slipway(['check', '--cwd', name], { cwd: scratch.path }).exitCode).toBe(0);
  });

  it('in a git repository whose files are in the way is refused with a list, and nothing is written', () => {
    using scratch = scratchFolder();
    const folder = folderWith(path.join(scratch.path, 'orders'), 'README.md', 'package.json', 'LICENSE');
    git(folder, 'init', '--quiet');
    const before = treeOf(folder);
    const result = slipway(['new', 'orders', ...quick], { cwd: scratch.path });
    expectFault(result, 2, 'these files are there already: README.md, package.json\n  move them away');
    const ruled = slipway(['new', 'orders', ...quick, '--conflict=ours:*.md'], { cwd: scratch.path });
    expectFault(ruled, 2, 'these files are there already: package.json\n  move them away');
    expect(treeOf(folder)).toEqual(before);
  });

  it.for([
    ['ours', /^my \.editorconfig\n$/, 0],
    ['theirs', /^root = true\n/, 0],
    ['markers', /<<<<<<< yours\nmy \.editorconfig\n\|{7} base\n=======\nroot = true\n[^]*>>>>>>> slipway/, 3],
  ] as const)('in a git repository settles with --conflict=%s what is in the way', ([mode, settled, code]) => {
    using scratch = scratchFolder();
    const folder = folderWith(path.join(scratch.path, 'orders'), 'README.md', '.editorconfig');
    git(folder, 'init', '--quiet');
    const { exitCode } = slipway(['new', 'orders', `--conflict=${mode}`, ...quick], { cwd: scratch.path });
    expect(exitCode).toBe(code);
    expect(readFileSync(path.join(folder, '.editorconfig'), 'utf8')).toMatch(settled);
    // What is written once and then the user's is his from the start.
    expect(readFileSync(path.join(folder, 'README.md'), 'utf8')).toBe('my README.md\n');
  });

  it('in a git repository with other files is adopted, and leaves the commit to the user', () => {
    using scratch = scratchFolder();
    const folder = folderWith(path.join(scratch.path, 'orders'), 'LICENSE');
    git(folder, 'init', '--quiet');
    const { exitCode, stdout } = slipway(['new', 'orders', ...quick], { cwd: scratch.path });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('inside a git repository: the commit is yours to make');
    expect(readFileSync(path.join(folder, 'LICENSE'), 'utf8')).toBe('my LICENSE\n');
    expect(git(folder, 'status', '--short', 'LICENSE', 'package.json')).toBe('?? LICENSE\n?? package.json');
    expect(slipway(['check'], { cwd: folder }).exitCode).toBe(0);
  });

  it('in a service is refused', () => {
    using scratch = scratchFolder();
    const service = layDown(scratch.path);
    const before = treeOf(service);
    expectFault(
      slipway(['new', 'orders', ...quick], { cwd: scratch.path }),
      2,
      'orders is a service already\n  change it with',
    );
    expectFault(slipway(['new', '.', ...quick], { cwd: service }), 2, '. is a service already');
    expect(treeOf(service)).toEqual(before);
  });

  it('in a folder of a monorepo is laid down beside the others, in their repository', () => {
    using scratch = scratchFolder();
    folderWith(scratch.path, 'package.json');
    git(scratch.path, 'init', '--quiet');
    const { exitCode } = slipway(['new', 'services/orders', ...quick], { cwd: scratch.path });
    expect(exitCode).toBe(0);
    expect(existsSync(path.join(scratch.path, 'services/orders/.git'))).toBe(false);
    expect(readdirSync(scratch.path).sort()).toEqual(['.git', '.github', 'package.json', 'services']);
    expect(slipway(['check', '--cwd', 'services/orders'], { cwd: scratch.path }).exitCode).toBe(0);
    expect(
      slipway(['add', 'postgres', '--no-install', '--cwd', 'services/orders'], { cwd: scratch.path }).exitCode,
    ).toBe(0);
  });

  it('behind a link is laid down where it leads, and not where it leads nowhere', () => {
    using scratch = scratchFolder();
    folderWith(path.join(scratch.path, 'real'));
    symlinkSync('real', path.join(scratch.path, 'orders'));
    expect(slipway(['new', 'orders', '--no-git', ...quick], { cwd: scratch.path }).exitCode).toBe(0);
    expect(existsSync(path.join(scratch.path, 'real/slipway.json'))).toBe(true);
    symlinkSync('nowhere', path.join(scratch.path, 'lost'));
    expectFault(slipway(['new', 'lost', ...quick], { cwd: scratch.path }), 2, 'lost is a link to nowhere');
    expect(existsSync(path.join(scratch.path, 'nowhere'))).toBe(false);
  });

  it('makes a repository and the first commit, with everything in it', () => {
    using scratch = scratchFolder();
    const identity = {
      GIT_AUTHOR_NAME: 'somebody',
      GIT_AUTHOR_EMAIL: 'somebody@example.org',
      GIT_COMMITTER_NAME: 'somebody',
      GIT_COMMITTER_EMAIL: 'somebody@example.org',
    };
    expect(slipway(['new', 'orders', ...quick], { cwd: scratch.path, env: identity }).exitCode).toBe(0);
    const folder = path.join(scratch.path, 'orders');
    expect(git(folder, 'log', '--format=%s')).toBe('feat: create the service');
    expect(git(folder, 'status', '--short')).toBe('');
    expect(git(folder, 'ls-files', '.slipway').split('\n')).toEqual([
      '.slipway/base.jsonl',
      '.slipway/lock.jsonl',
      '.slipway/manifest.schema.json',
    ]);
  });

  it('without an identity for git lays the service down, and says how to go on', () => {
    using scratch = scratchFolder();
    const nobody = {
      HOME: scratch.path,
      XDG_CONFIG_HOME: scratch.path,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'user.useConfigOnly',
      GIT_CONFIG_VALUE_0: 'true',
    };
    const { exitCode, stdout } = slipway(['new', 'orders', ...quick], { cwd: scratch.path, env: nobody });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('no first commit: `git commit` exited with 128');
    expect(stdout).toContain('go on with: git init && git add --all && git commit');
  });

  it('twice at once in one folder lays down one service, and tells the other', async () => {
    using scratch = scratchFolder();
    const args = ['new', 'orders', '--no-git', ...quick];
    const runs = await Promise.all(
      [
        ['minimal', 'npm'],
        ['database', 'pnpm'],
        ['minimal', 'pnpm'],
      ].map(
        ([preset = '', manager = '']) =>
          startSlipway([...args, '--preset', preset, '--package-manager', manager], { cwd: scratch.path }).result,
      ),
    );
    const done = runs.filter(({ exitCode }) => exitCode === 0);
    expect(done).toHaveLength(1);
    for (const { exitCode, stderr } of runs.filter((run) => run !== done[0])) {
      expect([1, 2]).toContain(exitCode);
      expect(stderr).toMatch(/^error .*orders/);
    }
    expect(readdirSync(scratch.path)).toEqual(['orders']);
    expect(slipway(['check', '--cwd', 'orders'], { cwd: scratch.path }).exitCode).toBe(0);
  });
});
