import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { oldNode, scratchFolder, slipway, treeOf } from '../../helpers/cli.ts';
import { scratchService } from '../../helpers/scratchService.ts';
import { hasTerminal, keys, onTerminal, type Step, type TerminalResult } from '../../helpers/terminal.ts';

const identity = {
  GIT_AUTHOR_NAME: 'somebody',
  GIT_AUTHOR_EMAIL: 'somebody@example.org',
  GIT_COMMITTER_NAME: 'somebody',
  GIT_COMMITTER_EMAIL: 'somebody@example.org',
};

const quick = ['--no-install', '--no-git'];

/** Every prompt of `new`, and what is typed to come by it. */
const questions: readonly Step[] = [
  ['Folder', `orders${keys.enter}`],
  ['Preset', keys.enter],
  ['Modules', keys.enter],
  ['Package manager', keys.enter],
  ['Continuous integration', keys.enter],
  ['Also copy the tests', keys.enter],
];

const nodes = { 'the Node of the tests': process.execPath, 'an older Node': oldNode };

/** Escape sequences that set colours and styles (Select Graphic Rendition, ECMA-48). */
function stylesIn(output: string): string[] {
  return output.split('\u001B').filter((part) => /^\[[\d;]*m/.test(part));
}

function expectGivenUp(result: TerminalResult): void {
  expect(result.screen).toContain('error cancelled; nothing was written');
  expect(result.screen).not.toMatch(/^ +at /m);
  expect(result).toMatchObject({ exitCode: 1, isCursorShown: true, isRestored: true });
}

describe.skipIf(!hasTerminal)('on a terminal (needs `script` of util-linux)', () => {
  for (const [which, node] of Object.entries(nodes)) {
    describe.skipIf(node === undefined)(`with ${which}`, () => {
      const options = { node: node ?? '' };

      it.for(questions.map(([question], index) => [question, index] as const))(
        'Ctrl+C at "%s" of new leaves nothing behind',
        { timeout: 30_000 },
        async ([question, index]) => {
          using scratch = scratchFolder();
          const steps = [...questions.slice(0, index), [question, keys.ctrlC] as const];
          expectGivenUp(await onTerminal(['new', ...quick], steps, { cwd: scratch.path, ...options }));
          expect(readdirSync(scratch.path)).toEqual([]);
        },
      );

      it.for([
        ['add', [], 'Modules to add'],
        ['remove', ['--modules', 'postgres'], 'Modules to remove'],
        ['ci', [], 'Continuous integration'],
      ] as const)('Ctrl+C at the prompt of %s leaves the service as it was', async ([command, made, question]) => {
        using service = scratchService(...made);
        const before = treeOf(service.path);
        const steps: readonly Step[] = [[question, `${keys.space}${keys.ctrlC}`]];
        expectGivenUp(await onTerminal([command, ...quick], steps, { cwd: service.path, ...options }));
        expect(treeOf(service.path)).toEqual(before);
      });

      it.for([
        ['Ctrl+D', keys.ctrlD],
        ['Escape', keys.escape],
      ] as const)('%s gives up too', async ([, key]) => {
        using scratch = scratchFolder();
        expectGivenUp(await onTerminal(['new'], [['Folder', key]], { cwd: scratch.path, ...options }));
        expectGivenUp(await onTerminal(['new', 'orders'], [['Preset', key]], { cwd: scratch.path, ...options }));
        expect(readdirSync(scratch.path)).toEqual([]);
      });

      it('asks for what is not given, and lays down what was answered', async () => {
        using scratch = scratchFolder();
        const steps: readonly Step[] = [
          ['Folder', `billing${keys.enter}`],
          ['Preset', `${keys.up}${keys.enter}`],
          ['Modules', keys.enter],
          ['postgres.version', `${keys.down}${keys.enter}`],
          ['Package manager', `${keys.down}${keys.enter}`],
          ['Continuous integration', `${keys.down}${keys.space}${keys.enter}`],
          ['Also copy the tests', keys.enter],
        ];
        const result = await onTerminal(['new', ...quick], steps, { cwd: scratch.path, ...options });
        expect(result).toMatchObject({ exitCode: 0, isCursorShown: true, isRestored: true });
        expect(result.screen).toContain('Next:\n  cd billing\n  pnpm install\n  pnpm run dev');
        const service = path.join(scratch.path, 'billing');
        expect(JSON.parse(readFileSync(path.join(service, 'slipway.json'), 'utf8'))).toMatchObject({
          service: { name: 'billing', description: 'The billing service' },
          packageManager: 'pnpm',
          ci: ['github', 'gitlab'],
          modules: { client: {}, postgres: { version: '17' } },
        });
        expect(slipway(['check'], { cwd: service }).exitCode).toBe(0);
      });
    });
  }

  it('says what is wrong with a name while it is typed, and does not take it', async () => {
    using scratch = scratchFolder();
    mkdirSync(path.join(scratch.path, 'full'));
    writeFileSync(path.join(scratch.path, 'full', 'letter.txt'), '');
    const steps: readonly Step[] = [
      ['Folder', '../Bad Name'],
      ['▸ use lower-case letters', keys.enter],
      ['▸ use lower-case letters', `${keys.ctrlU}null`],
      ['▸ "null" means something else', `${keys.ctrlU}full`],
      ['▸ full is not empty', `${keys.ctrlU}shipping${keys.enter}`],
      ...questions.slice(1),
    ];
    const result = await onTerminal(['new', ...quick], steps, { cwd: scratch.path });
    expect(result.exitCode).toBe(0);
    expect(readdirSync(scratch.path).sort()).toEqual(['full', 'shipping']);
  });

  it('selects the package manager that runs it', async () => {
    using scratch = scratchFolder();
    const env = { npm_config_user_agent: 'bun/1.4.5 npm/? node/v24.3.0 linux x64' };
    const result = await onTerminal(['new', ...quick], questions, { cwd: scratch.path, env });
    expect(result.screen).toContain('Next:\n  cd orders\n  bun install\n  bun run dev');
  });

  it('shows names of a stranger’s files without their escape sequences', async () => {
    using scratch = scratchFolder();
    mkdirSync(path.join(scratch.path, 'full'));
    writeFileSync(path.join(scratch.path, 'full', 'a\u001B]0;owned\u0007b\u202Ec'), '');
    const steps: readonly Step[] = [
      ['Folder', 'full'],
      [String.raw`: a\u{1b}]0;owned\u{7}b\u{202e}c`, keys.enter],
      [String.raw`: a\u{1b}]0;owned\u{7}b\u{202e}c`, keys.ctrlC],
    ];
    expectGivenUp(await onTerminal(['new', ...quick], steps, { cwd: scratch.path }));
  });

  it('does not ask for what was given, and checks that before it asks', async () => {
    using scratch = scratchFolder();
    const given = ['new', 'orders', '--modules', 'none', '--package-manager', 'npm'];
    const asked = await onTerminal([...given, ...quick], questions.slice(4), { cwd: scratch.path });
    expect(asked.exitCode).toBe(0);
    expect(asked.screen).not.toMatch(/Folder of|Preset|Modules \(|Package manager/);
    const refused = await onTerminal(['new', 'other', '--ci', 'jenkins'], [], { cwd: scratch.path });
    expect(refused.exitCode).toBe(2);
    expect(refused.screen).toContain('there is no CI provider');
    expect(refused.screen).not.toContain('Modules (');
  });

  it('Ctrl+C while dependencies are installed shows the cursor again, and says how to go on', async () => {
    using scratch = scratchFolder();
    const [programs, service] = ['programs', 'service'].map((name) => path.join(scratch.path, name));
    mkdirSync(programs ?? '');
    mkdirSync(service ?? '');
    writeFileSync(path.join(programs ?? '', 'npm'), '#!/bin/sh\nexec sleep 30\n', { mode: 0o755 });
    const result = await onTerminal(['new', 'orders', '--yes'], [['installing dependencies', keys.ctrlC, 'signal']], {
      cwd: service ?? '',
      env: { ...identity, PATH: `${programs}${path.delimiter}${process.env['PATH']}` },
    });
    expect(result).toMatchObject({ exitCode: 130, isCursorShown: true, isRestored: true });
    expect(result.screen).toContain('go on with: cd orders && npm install');
    expect(slipway(['check', '--cwd', 'orders'], { cwd: service ?? '' }).exitCode).toBe(0);
    // The first commit comes before the install.
    const git = (...args: string[]) =>
      execFileSync('git', args, { cwd: path.join(service ?? '', 'orders'), encoding: 'utf8' });
    expect(git('log', '--format=%s')).toBe('feat: create the service\n');
    expect(git('status', '--short')).toBe('');
  });

  it.for([{ NO_COLOR: '1' }, { FORCE_COLOR: '0' }, { TERM: 'dumb' }])(
    'prompts have no colours with %j',
    async (env) => {
      using scratch = scratchFolder();
      // In CI, output has colours whatever the terminal says.
      const plain = { FORCE_COLOR: '', NO_COLOR: '', CI: '' };
      const options = { cwd: scratch.path, env: { ...plain, ...env } };
      const { exitCode, output } = await onTerminal(['new', ...quick], questions, options);
      expect(exitCode).toBe(0);
      expect(stylesIn(output)).toEqual([]);
      const coloured = await onTerminal(['new', ...quick], [['Folder', keys.escape]], {
        cwd: scratch.path,
        env: plain,
      });
      expect(stylesIn(coloured.output)).not.toEqual([]);
    },
  );

  it('asks nothing with --yes', async () => {
    using scratch = scratchFolder();
    const result = await onTerminal(['new', 'orders', '--yes', ...quick], [], { cwd: scratch.path });
    expect(result.exitCode).toBe(0);
    expect(result.screen).not.toContain('?');
  });

  it('add and remove offer what can be added and removed', async () => {
    using service = scratchService();
    const tick: Step = ['postgres', `a${keys.enter}`];
    const option: Step = ['postgres.version: Major version', `${keys.down}${keys.enter}`];
    const added = await onTerminal(['add', ...quick], [tick, option], { cwd: service.path });
    expect(added.exitCode).toBe(0);
    expect(readFileSync(path.join(service.path, 'slipway.json'), 'utf8')).toMatch(/"postgres": \{\s+"version": "17"/);
    expect(existsSync(path.join(service.path, 'internal/platform/postgres'))).toBe(true);
    const nothing = await onTerminal(['add', ...quick], [], { cwd: service.path });
    expect(nothing.exitCode).toBe(2);
    expect(nothing.screen).toContain('there is no module to add');
    const removed = await onTerminal(['remove', ...quick], [tick], { cwd: service.path });
    expect(removed.exitCode).toBe(0);
    expect(existsSync(path.join(service.path, 'internal/platform/postgres'))).toBe(false);
  });
});
