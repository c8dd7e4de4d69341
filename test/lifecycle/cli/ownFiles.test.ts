import { spawnSync } from 'node:child_process';
import {
  closeSync,
  cpSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hash } from 'node:crypto';
import { hostname } from 'node:os';
import path from 'node:path';
import { outputFileSync } from 'fs-extra/esm';
import { describe, expect, it, vi } from 'vitest';
import { bundled, slipway, treeOf } from '../../helpers/cli.ts';
import { expectFault } from '../../helpers/expectFault.ts';
import { scratchService } from '../../helpers/scratchService.ts';

vi.setConfig({ testTimeout: 600_000 });

const isWindows = process.platform === 'win32';
const adding = ['add', 'postgres', '--no-install'];

/** What may lie where a file is expected, and what is said of it. */
const oddities: Readonly<Record<string, [(file: string) => void, RegExp]>> = {
  'a link to nothing': [(file) => symlinkSync('nowhere', file), /is a link/],
  'a link to a device': [(file) => symlinkSync('/dev/zero', file), /is a link/],
  'a link to a file': [(file) => symlinkSync('../README.md', file), /is a link/],
  'a pipe': [(file) => spawnSync('mkfifo', [file]), /is a pipe or a device, where a file is expected/],
  'a link to a pipe': [(file) => symlinkPipe(file), /is a link|is a pipe or a device, where a file is expected/],
  'a folder': [(file) => mkdirSync(file), /is a folder, where a file is expected/],
  'a file of 3 GB': [(file) => makeHuge(file), /is too large: 3221225472 bytes, where \d+ are the limit/],
};

function symlinkPipe(file: string): void {
  spawnSync('mkfifo', [`${file}.pipe`]);
  symlinkSync(`${path.basename(file)}.pipe`, file);
}

/** It takes no space: nothing is ever written in it. */
function makeHuge(file: string): void {
  const descriptor = openSync(file, 'w');
  ftruncateSync(descriptor, 3 * 2 ** 30);
  closeSync(descriptor);
}

/** Path of each of Slipway's own files in a service. */
const ownFiles = [
  'slipway.json',
  '.slipway/lock.jsonl',
  '.slipway/base.jsonl',
  '.slipway/running.json',
  '.slipway/tx/journal.json',
];

describe.skipIf(isWindows)('where a file of Slipway’s own is expected', () => {
  it.for(Object.entries(oddities))('%s ends every command with one clear error', ([what, [plant, message]]) => {
    using original = scratchService();
    const readme = path.join(original.path, 'package.json');
    writeFileSync(readme, readFileSync(readme, 'utf8').replace('{', '{\n  "author": "the team",'));
    for (const [index, name] of ownFiles.entries()) {
      // A link from the manifest to a file of the service is the user's choice.
      if (name === 'slipway.json' && what === 'a link to a file') continue;
      const service = path.join(original.path, `../${index}`);
      cpSync(original.path, service, { recursive: true });
      const file = path.join(service, name);
      mkdirSync(path.dirname(file), { recursive: true });
      rmSync(file, { force: true });
      plant(file);
      const doctor = slipway(['doctor'], { cwd: service });
      expect(doctor.exitCode, `doctor with ${name}`).toBe(1);
      expect(doctor.stderr).toBe('');
      const added = slipway(adding, { cwd: service });
      expect(added.stderr, `add with ${name}`).toContain(path.basename(name));
      expectFault(added, added.exitCode === 1 ? 1 : 2, message);
      expect(doctor.stdout, `doctor with ${name}`).toMatch(message);
    }
  });

  it('a link in the place of .slipway is refused by every command, and nothing is written through it', () => {
    using service = scratchService();
    const [own, outside] = [path.join(service.path, '.slipway'), path.join(service.path, '../outside')];
    for (const place of [outside, path.join(service.path, 'memory')]) {
      renameSync(own, place);
      symlinkSync(place, own);
      const before = treeOf(path.dirname(service.path));
      for (const command of [['check'], adding, ['update'], ['eject', 'tsconfig.json'], ['plan', 'add', 'postgres']])
        expectFault(slipway(command, { cwd: service.path }), 2, /\.slipway is (?:a link|not a folder)\n/);
      expect(slipway(['doctor'], { cwd: service.path }).exitCode).toBe(1);
      expect(treeOf(path.dirname(service.path))).toEqual(before);
      rmSync(own);
      renameSync(place, own);
    }
  });

  it('a link from a file of the service to Slipway’s own is not followed', () => {
    using service = scratchService();
    rmSync(path.join(service.path, '.env.example'));
    symlinkSync('.slipway/lock.jsonl', path.join(service.path, '.env.example'));
    const before = treeOf(service.path);
    const { exitCode, stdout } = slipway(adding, { cwd: service.path });
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/conflict +\.env\.example +it is a link into Slipway's own folder/);
    expect(treeOf(service.path)).toEqual(before);
  });

  it('a link in the place of a draft is not written through', () => {
    using service = scratchService();
    const outside = path.join(service.path, '../outside');
    writeFileSync(outside, 'mine');
    // A shell knows the process id that the command will have.
    const script = 'ln -s ../../outside ".slipway/running-$$.new"; exec "$@"';
    const command = [process.execPath, bundled(), 'doctor'];
    const { stdout } = spawnSync('sh', ['-c', script, 'sh', ...command], { cwd: service.path, encoding: 'utf8' });
    expect(readFileSync(outside, 'utf8')).toBe('mine');
    expect(stdout).toContain('nothing was interrupted');
  });

  it('a stale lock whose claim leads back to itself ends in an error', () => {
    using service = scratchService();
    const dead = JSON.stringify({ pid: 2 ** 30, host: hostname(), started: '2026-01-01T00:00:00.000Z' });
    const claim = `running-${hash('sha256', dead).slice(0, 16)}.json`;
    for (const name of ['running.json', claim]) writeFileSync(path.join(service.path, '.slipway', name), dead);
    expectFault(
      slipway(adding, { cwd: service.path }),
      1,
      /cannot lock the service .+cannot be taken over\n {2}make sure/,
    );
  });

  it('folders with the names of drafts are left alone', () => {
    using service = scratchService();
    outputFileSync(path.join(service.path, '.slipway/running-1073741824.new/file'), 'mine');
    expect(slipway(adding, { cwd: service.path }).exitCode).toBe(0);
    expect(readFileSync(path.join(service.path, '.slipway/running-1073741824.new/file'), 'utf8')).toBe('mine');
  });
});

describe.skipIf(isWindows)('where the user names a file', () => {
  const named = {
    'the plan': (file: string) => ['apply', file],
    'the answers': (file: string) => ['new', 'other', '--yes', '--answers', file],
    'the catalogue': (file: string) => ['list', '--catalogue', file],
  };
  const told: Readonly<Record<string, RegExp>> = {
    'a link to nothing': /cannot read the \w+: there is no /,
    'a link to a device': /is a pipe or a device, where a file is expected/,
    'a link to a file': /README\.md|is not JSON|is not a Slipway catalogue|odd/,
  };

  it.for(Object.entries(oddities))('%s ends the command with one clear error', ([what, [plant, message]]) => {
    using service = scratchService();
    mkdirSync(path.join(service.path, 'files'));
    const file = path.join(service.path, 'files/odd');
    plant(file);
    for (const command of Object.values(named))
      expectFault(slipway(command(file), { cwd: service.path }), 2, told[what] ?? message);
  });

  it('a link to a plan is followed', () => {
    using service = scratchService();
    const { stdout } = slipway(['plan', 'add', 'postgres', '--json'], { cwd: service.path });
    writeFileSync(path.join(service.path, '../plan.json'), stdout);
    symlinkSync('plan.json', path.join(service.path, '../link.json'));
    expect(slipway(['apply', '../link.json', '--no-install'], { cwd: service.path }).exitCode).toBe(0);
  });
});
