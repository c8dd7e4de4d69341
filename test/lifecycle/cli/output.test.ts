import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandNames } from '../../../generators/commands.ts';
import { loadCatalogue } from '../../../generators/catalogue.ts';
import type { Catalogue } from '../../../generators/engine/model.ts';
import { printCatalogue } from '../../../generators/engine/catalogueText.ts';
import { bundled, scratchFolder, slipway, treeOf } from '../../helpers/cli.ts';
import { expectFault } from '../../helpers/expectFault.ts';
import { scratchService } from '../../helpers/scratchService.ts';

/** Runs a line of shell in which `$slipway` is the command line. */
function shell(line: string, cwd: string, env: NodeJS.ProcessEnv = {}) {
  const [node, program] = [process.execPath, bundled()].map((file) => `'${file}'`);
  const script = line.replaceAll('$slipway', `${node} ${program}`);
  return spawnSync('sh', ['-c', script], { cwd, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1', ...env } });
}

describe('output', () => {
  it('that nobody reads to the end is no fault', () => {
    using service = scratchService();
    // The plan as JSON is larger than a pipe holds.
    for (const command of ['plan add postgres --json', 'add postgres --no-install --diff', 'list --json', '--help']) {
      const { stdout, stderr } = shell(`{ $slipway ${command}; echo "exit $?" >&2; } | head -n 1`, service.path);
      expect(stdout.split('\n')).toHaveLength(2);
      expect(stderr).toBe('exit 0\n');
    }
    expect(slipway(['check'], { cwd: service.path }).exitCode).toBe(0);
    expect(existsSync(path.join(service.path, 'internal/platform/postgres'))).toBe(true);
  });

  it('may be closed', () => {
    using service = scratchService();
    expect(shell('$slipway check >&-', service.path)).toMatchObject({ status: 0, stderr: '' });
    expect(shell('$slipway frobnicate 2>&-', service.path)).toMatchObject({ status: 2, stdout: '' });
    expect(shell('$slipway frobnicate 2>&1 >/dev/null | head -c 1', service.path)).toMatchObject({
      stdout: 'e',
      stderr: '',
    });
  });

  it.skipIf(!existsSync('/dev/full'))('that finds the disk full is a fault', () => {
    using service = scratchService();
    const { status, stderr } = shell('$slipway list > /dev/full', service.path);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error the output could not be written: .*ENOSPC.*\n$/);
  });

  it('is nothing with --quiet, but for what went wrong', () => {
    using service = scratchService();
    const quiet = (...args: string[]) => slipway([...args, '--quiet'], { cwd: service.path });
    expect(quiet('add', 'postgres', '--no-install')).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(quiet('check')).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expectFault(quiet('add', 'nothing'), 2, 'there is no module "nothing"');
    rmSync(path.join(service.path, 'internal/platform/app/modules.gen.ts'));
    const drift = quiet('check');
    expect(drift).toMatchObject({ exitCode: 4, stderr: '' });
    expect(drift.stdout).toContain('internal/platform/app/modules.gen.ts');
  });

  it('is one JSON document with --json, even with --quiet', () => {
    using service = scratchService();
    const { stdout, stderr } = slipway(['check', '--json', '--quiet'], { cwd: service.path });
    expect(JSON.parse(stdout)).toMatchObject({ command: 'check', exitCode: 0 });
    expect(stderr).toBe('');
  });

  it('has colours only where they are wanted', () => {
    using service = scratchService();
    const escape = '\u001B';
    const plain = slipway(['add', 'postgres', '--dry-run', '--diff'], { cwd: service.path });
    expect(plain.stdout).not.toContain(escape);
    const coloured = shell('$slipway add postgres --dry-run --diff', service.path, { NO_COLOR: '', FORCE_COLOR: '1' });
    expect(coloured.stdout).toContain(`${escape}[32m+`);
    expect(coloured.stdout).toContain(`${escape}[36m@@`);
    for (const [name, value] of Object.entries({ FORCE_COLOR: '0', NO_COLOR: '1' })) {
      const { stdout } = shell('$slipway list', service.path, { NO_COLOR: '', [name]: value });
      expect(stdout).not.toContain(escape);
    }
  });

  it.for([
    ['a mistyped command', ['frobnicate'], 2],
    ['a mistyped flag', ['check', '--jsno'], 2],
    ['no service', ['check', '--cwd', '/'], 2],
    ['no module of that name', ['add', 'nothing'], 2],
    ['no such file', ['explain', 'nothing.ts'], 2],
  ] as const)('is one JSON document with --json, also for %s', ([, args, exitCode]) => {
    using service = scratchService();
    const result = slipway([...args, '--json'], { cwd: service.path });
    expect(result.exitCode).toBe(exitCode);
    expect(JSON.parse(result.stdout)).toMatchObject({ exitCode, error: { message: expect.stringMatching(/./) } });
  });
});

describe('usage', () => {
  it('is explained for everything, here and elsewhere', () => {
    using scratch = scratchFolder();
    for (const args of [[], ['--help'], ['help']])
      expect(slipway(args, { cwd: scratch.path })).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining('Exit codes: 0 done'),
      });
    for (const command of commandNames) {
      const { exitCode, stdout } = slipway(['help', command], { cwd: scratch.path });
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(new RegExp(`^Usage: slipway ${command}`));
    }
  });

  it.for([
    [['frobnicate'], 'there is no command "frobnicate"\n  known: add, apply, '],
    [['chekc'], 'there is no command "chekc"'],
    [['--frobnicate'], 'slipway has no flag --frobnicate\n  known: --cwd, '],
    [['add', '--dry-runn'], 'slipway add has no flag --dry-runn\n  did you mean "--dry-run"?'],
    [['add', '--conflict', 'mine'], '--conflict takes stop, ours, theirs, markers, skip; given: mine'],
    [['add', 'x', '--conflict'], '--conflict needs a value\n  --conflict <choice[:path]>'],
    [['check', '--yes'], 'slipway check has no flag --yes'],
    [['check', 'now'], 'slipway check takes nothing but flags; given: now'],
    [['new', 'a', 'b'], 'slipway new takes one argument; given: a b'],
    [['plan'], 'slipway plan needs a command\n  for example: slipway plan add postgres'],
    [['plan', 'list'], 'there is no plan of "list"\n  known: add, apply, '],
    [['check', '--cwd', 'nowhere'], /there is no folder .+nowhere\n {2}name one that is there/],
    [['new', 'orders', '--cwd', 'nowhere', '--yes'], /there is no folder .+nowhere/],
    [['list', '--catalogue', 'nowhere.json'], 'cannot read the catalogue: there is no '],
    [
      ['list', '--catalogue', '.'],
      /cannot read the catalogue: .+ is a folder, where a file is expected\n {2}name another/,
    ],
    [['new', 'orders', '--modules', 'postgress'], 'there is no module "postgress"\n  did you mean "postgres"?'],
    [['new', 'orders', '--set', 'postgres.version=17'], 'module "postgres" is not in this service'],
    [
      ['new', 'orders', '--modules', 'postgres', '--set', 'postgres.version=3'],
      'postgres.version takes 18, 17, 16; given: 3',
    ],
    [
      ['new', 'orders', '--modules', 'postgres', '--set', 'postgres'],
      '--set takes module.option=value; given: postgres',
    ],
    [['new', 'orders', '--preset', 'databas'], 'there is no preset "databas"\n  did you mean "database"?'],
    [['new', 'orders', '--package-manager', 'pnmp'], 'there is no package manager "pnmp"'],
    [['new', 'orders', '--ci', 'github,gitlob'], 'there is no CI provider "gitlob"\n  did you mean "gitlab"?'],
    [['new'], 'a new service needs a folder, and there is no terminal to ask on\n  name it: create-slipway orders'],
    [['new', '--yes'], 'a new service needs a folder'],
  ] as const)('%j is bad, and says what would be good', ([args, message]) => {
    using scratch = scratchFolder();
    expectFault(slipway(args, { cwd: scratch.path }), 2, message);
  });

  it.for([
    [['add'], 'slipway add needs a module\n  for example: slipway add postgres'],
    [['remove'], 'slipway remove needs a module'],
    [['remove', 'postgres'], 'module "postgres" is not in this service\n  it has no modules'],
    [['add', '../postgres'], 'there is no module "../postgres"\n  known: '],
    [['add', '__proto__'], 'there is no module "__proto__"'],
    [['add', 'postgres', '--set', 'postgres.versoin=17'], 'has no option "versoin"\n  did you mean "version"?'],
    [['ci', '--provider', 'jenkins'], 'there is no CI provider "jenkins"\n  known: github, gitlab, none'],
    [['info'], 'slipway info needs a module'],
    [['info', 'postgrse'], 'there is no module "postgrse"'],
    [['explain'], 'slipway explain needs a file\n  for example: slipway explain package.json'],
    [['explain', 'nothing.ts'], 'there is no file nothing.ts'],
    [['explain', 'internal'], 'internal is a folder\n  name a file in it: slipway explain internal/'],
    [['explain', '../orders.json'], '../orders.json is not a file of the service'],
    [['eject'], 'slipway eject needs a file'],
    [['eject', 'packag.json'], 'packag.json is not a file that Slipway wrote\n  did you mean "package.json"?'],
    [['eject', '/etc/passwd'], '/etc/passwd is not a file of the service'],
    [['apply'], 'slipway apply needs one plan\n  make it with: slipway plan'],
    [['apply', 'plan.json'], 'cannot read the plan: there is no '],
  ] as const)('%j in a service is bad, and says what would be good', ([args, message]) => {
    using service = scratchService();
    expectFault(slipway(args, { cwd: service.path }), 2, message);
  });

  it.for([
    ['is no object', () => '[]', 'is not a Slipway catalogue'],
    ['is another format', () => '{ "openapi": "3.1.0" }', 'is not a Slipway catalogue'],
    ['is no JSON', () => 'version: 1', 'is not JSON'],
    ['was cut off', (whole: Catalogue) => printCatalogue(whole).slice(0, -100), 'is not whole'],
    [
      'has a lockfile that is no JSON',
      (whole: Catalogue) => printCatalogue(whole).replace(/"$/, 'x'),
      'is not JSON: see line 1, column ',
    ],
    [
      'has files that are none',
      (whole: Catalogue) => printCatalogue({ ...whole, base: Object.assign({ ...whole.base }, { files: 7 }) }),
      'is damaged: /base/files: ',
    ],
    [
      'has modules that require each other in a circle',
      ({ modules: { postgres, ...modules }, lockfiles: _none, ...rest }: Catalogue) =>
        printCatalogue({
          ...rest,
          modules: { ...modules, ...(postgres && { postgres: { ...postgres, requires: ['postgres'] } }) },
        }),
      'modules require each other in a circle: postgres → postgres\n  correct `requires` of one of these modules',
    ],
    [
      'has files that lead out',
      (whole: Catalogue) =>
        printCatalogue({ ...whole, base: { ...whole.base, files: [{ path: '../x', ownership: 'seed', text: '' }] } }),
      'the path "../x" contains ".."',
    ],
  ] as const)('a catalogue from elsewhere that %s is refused', ([, change, message]) => {
    using service = scratchService('--preset=minimal');
    const built = loadCatalogue('catalogue.txt', path.dirname(bundled()));
    const file = path.join(path.dirname(service.path), 'catalogue.txt');
    writeFileSync(file, change(built));
    const before = treeOf(path.dirname(service.path));
    expectFault(slipway(['add', 'postgres', '--catalogue', file], { cwd: service.path }), 2, message);
    expect(treeOf(path.dirname(service.path))).toEqual(before);
  });

  it('in a folder that is gone is told as such', () => {
    using scratch = scratchFolder();
    mkdirSync(path.join(scratch.path, 'gone'));
    const { status, stderr } = shell('cd gone && rmdir ../gone && exec $slipway check', scratch.path);
    expect(status).toBe(2);
    expect(stderr).toBe('error the folder that this was started in is gone\n  change into one that is there: cd ~\n');
  });
});
