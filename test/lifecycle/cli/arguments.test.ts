import { describe, expect, it } from 'vitest';
import { readArguments } from '../../../bin/arguments.ts';
import { helpPage } from '../../../bin/help.ts';
import { commandNames, loadCommand } from '../../../generators/commands.ts';

const forSome = expect.stringContaining('--conflict=theirs:deploy/');
const read = (...argv: string[]) => readArguments(argv, '/somewhere', true);

describe('the command line', () => {
  it('reads a command, its arguments and its flags', async () => {
    expect(await read('add', 'postgres', '--dry-run', '--set', 'postgres.version=17', '--set=a.b=c')).toMatchObject({
      kind: 'run',
      invocation: {
        command: 'add',
        args: ['postgres'],
        cwd: '/somewhere',
        flags: { dryRun: true, conflicts: [], verify: [], install: true, set: ['postgres.version=17', 'a.b=c'] },
      },
    });
  });

  it('takes rules for conflicts in their order, before and after the command', async () => {
    expect(await read('--conflict', 'ours', 'add', '--conflict=theirs:deploy/', 'postgres')).toMatchObject({
      invocation: {
        args: ['postgres'],
        flags: {
          conflicts: [
            { paths: '**', choice: 'ours' },
            { paths: 'deploy/', choice: 'theirs' },
          ],
        },
      },
    });
  });

  it('takes --verify with and without names of scripts', async () => {
    expect(await read('add', '--verify', 'postgres')).toMatchObject({
      invocation: { args: ['postgres'], flags: { verify: ['check'] } },
    });
    expect(await read('add', 'postgres', '--verify=check, smoke')).toMatchObject({
      invocation: { flags: { verify: ['check', 'smoke'] } },
    });
  });

  it('takes global flags before the command', async () => {
    expect(await read('--json', '--cwd', 'orders', 'check')).toMatchObject({
      invocation: { command: 'check', cwd: '/somewhere/orders', flags: { json: true } },
    });
  });

  it('reads `plan add x` as `add x --dry-run`, with nobody to ask', async () => {
    expect(await read('plan', 'add', 'postgres', '--json')).toMatchObject({
      invocation: { command: 'add', args: ['postgres'], interactive: false, flags: { dryRun: true, json: true } },
    });
  });

  it.each([
    [['ad', 'postgres'], 'there is no command "ad"', 'did you mean "add"?'],
    [['add', '--dryrun'], 'slipway add has no flag --dryrun', 'did you mean "--dry-run"?'],
    [['add', '--conflict', 'mine'], '--conflict takes stop, ours, theirs, markers, skip; given: mine', forSome],
    [['add', '--conflict=deploy/**'], '--conflict takes stop, ours, theirs, markers, skip; given: deploy/**', forSome],
    [['add', '--verify=check,'], '--verify takes names of npm scripts; given: check,', '--verify=check,smoke'],
    [['add', '--verify='], '--verify takes names of npm scripts; given: ', '--verify=check,smoke'],
    [['add', '--set'], '--set needs a value', '--set <m.option=value>'],
    [['add', '--set', '--yes'], '--set needs a value', '--set <m.option=value>'],
    [['add', '--yes=no'], '--yes takes no value', 'slipway add --help'],
    [['--helpp'], 'slipway has no flag --helpp', 'did you mean "--help"?'],
    [['list', 'postgres'], 'slipway list takes nothing but flags; given: postgres', 'slipway list --help'],
    [['info', 'a', 'b'], 'slipway info takes one argument; given: a b', 'slipway info --help'],
    [['help', 'ad'], 'there is no command "ad"', 'did you mean "add"?'],
    [['plan', 'list'], 'there is no plan of "list"', expect.any(String)],
    [['plan'], 'slipway plan needs a command', expect.any(String)],
    [['constructor'], 'there is no command "constructor"', expect.any(String)],
  ])('%j is bad usage', async (argv, message, hint) => {
    await expect(read(...argv)).rejects.toMatchObject({ message, exitCode: 2, hint });
  });

  it('asks nothing with --yes or --json', async () => {
    expect(await read('new', 'orders')).toMatchObject({ invocation: { interactive: true } });
    expect(await read('new', 'orders', '--yes')).toMatchObject({ invocation: { interactive: false } });
    expect(await read('new', 'orders', '--json')).toMatchObject({ invocation: { interactive: false } });
  });

  it('explains every command and every flag', async () => {
    for (const command of commandNames) {
      expect(await read(command, '--help')).toEqual({ kind: 'help', command });
      expect(await helpPage(command)).toContain((await loadCommand(command)).summary);
      expect(await helpPage(undefined)).toContain(command);
    }
  });

  it('prints help without a command, and its version', async () => {
    expect(await read()).toEqual({ kind: 'help', command: undefined });
    expect(await read('help')).toEqual({ kind: 'help', command: undefined });
    expect(await read('help', 'add')).toEqual({ kind: 'help', command: 'add' });
    expect(await read('--version')).toEqual({ kind: 'version' });
  });
});
