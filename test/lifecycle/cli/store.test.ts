import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
} from 'node:fs';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { slipway, treeOf } from '../../helpers/cli.ts';
import { expectFault } from '../../helpers/expectFault.ts';
import { scratchService } from '../../helpers/scratchService.ts';
import { lockText, readLock } from '../../helpers/store.ts';

const lockFile = '.slipway/lock.jsonl';
const basesFile = '.slipway/base.jsonl';
const adding = ['add', 'postgres', '--no-install'];

/** Changes a text file of a service. */
function change(service: string, file: string, to: (text: string) => string): void {
  const place = path.join(service, file);
  writeFileSync(place, to(readFileSync(place, 'utf8')));
}

/** The user's edit that a merge needs the base for. */
function edit(service: string): void {
  change(service, 'package.json', (text) => text.replace('{', '{\n  "author": "the team",'));
}

/** Drops the base of a file. */
function loseBase(service: string, file: string): void {
  const hash = readLock(service).files[file]?.hash ?? '';
  change(service, basesFile, (text) => text.replace(new RegExp(`^.*"hash":"${hash}".*\n`, 'm'), ''));
}

function expectRefused(
  service: { readonly path: string },
  message: string | RegExp,
  commands = [['check'], adding],
): void {
  const before = treeOf(service.path);
  for (const command of commands) expectFault(slipway(command, { cwd: service.path }), 2, message);
  expect(treeOf(service.path)).toEqual(before);
}

describe('a lock', () => {
  const entry = { path: 'a.ts', module: 'base', ownership: 'merged', hash: 'a'.repeat(64) } as const;

  it.for([
    ['leads up', { path: '../outside.ts' }, 'the path "../outside.ts" contains ".."'],
    ['is absolute', { path: '/etc/passwd' }, 'the path "/etc/passwd" is absolute'],
    ['leads into git', { path: '.git/hooks/pre-commit' }, "is inside git's own folder"],
    ['hides in the middle', { path: 'internal/../../outside.ts' }, 'contains ".."'],
    ['steers terminals', { path: '../\u001B[2J' }, String.raw`the path "../\u001b[2J" contains`],
    ['was moved outside', { at: '../../outside.ts' }, 'the path "../../outside.ts" contains ".."'],
    ['has no hash', { hash: 'x' }, '.slipway/lock.jsonl is damaged: line'],
    ['has no owner', { ownership: 'mine' }, 'is no record of a file'],
    ['is the manifest', { path: 'slipway.json' }, 'is no record of a file'],
    ['is the lock', { path: lockFile }, 'is no record of a file'],
    ['was moved over the bases', { at: basesFile }, 'is no record of a file'],
  ] as const)('with a path that %s is refused', ([, fault, message]) => {
    using service = scratchService();
    appendFileSync(path.join(service.path, lockFile), `${JSON.stringify({ ...entry, ...fault })}\n`);
    expectRefused(service, message);
  });

  it.for([
    ['empty', ''],
    ['a list', '[]'],
    ['without a header', `${JSON.stringify(entry)}\n`],
  ] as const)('that is %s is damaged', ([, text]) => {
    using service = scratchService();
    writeFileSync(path.join(service.path, lockFile), text);
    expectRefused(
      service,
      /\.slipway\/lock\.jsonl is damaged: .*\n {2}restore it from version control: git checkout -- \.slipway/,
    );
  });

  it('that was cut off is damaged, and doctor says so', () => {
    using service = scratchService();
    truncateSync(path.join(service.path, lockFile), 200);
    expectRefused(service, /lock\.jsonl is damaged: line 3 is no record of a file\n {2}restore it .*delete that line/, [
      ['check'],
      ['update'],
      adding,
      ['eject', 'package.json'],
      ['explain', 'package.json'],
    ]);
    const { exitCode, stdout } = slipway(['doctor'], { cwd: service.path });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/✗ store +\.slipway\/lock\.jsonl is damaged/);
  });

  it('of a newer version asks for a newer Slipway', () => {
    using service = scratchService();
    change(service.path, lockFile, (text) => text.replace('"version":2', '"version":3'));
    expectRefused(
      service,
      'has version 3; this Slipway reads versions up to 2\n  run a newer Slipway: npx create-slipway@latest',
    );
  });

  it('that is missing is not guessed; with the line that the error names, every file counts as the user’s', () => {
    using service = scratchService();
    rmSync(path.join(service.path, lockFile));
    expectRefused(
      service,
      '.slipway/lock.jsonl is missing: without it Slipway cannot tell your edits from its own files',
    );
    rmSync(path.join(service.path, '.slipway'), { recursive: true });
    expectRefused(service, 'git checkout -- .slipway');
    const { stderr } = slipway(['check'], { cwd: service.path });
    const line = /\{"version".*\}/.exec(stderr)?.[0] ?? '';
    mkdirSync(path.join(service.path, '.slipway'));
    writeFileSync(path.join(service.path, lockFile), line);
    edit(service.path);
    const { exitCode, stdout } = slipway(['update', '--no-install'], { cwd: service.path });
    expect(exitCode).toBe(3);
    expect(stdout).toContain('package.json');
    expect(slipway(['update', '--no-install', '--conflict=ours'], { cwd: service.path }).exitCode).toBe(0);
    expect(readFileSync(path.join(service.path, 'package.json'), 'utf8')).toContain('the team');
    expect(slipway(['check'], { cwd: service.path }).exitCode).toBe(0);
  });

  it('that names a file of the user does not make it go when he has edited it since', () => {
    using service = scratchService();
    const mine = path.join(service.path, 'internal/mine.ts');
    writeFileSync(mine, 'export const mine = true;\n');
    const lock = readLock(service.path);
    const files = { ...lock.files, 'internal/mine.ts': entry };
    writeFileSync(path.join(service.path, lockFile), lockText({ ...lock, files }));
    const { exitCode } = slipway(adding, { cwd: service.path });
    expect(exitCode).toBe(3);
    expect(readFileSync(mine, 'utf8')).toBe('export const mine = true;\n');
  });

  it('with CRLF, as a checkout may leave it, is no drift', () => {
    using service = scratchService();
    for (const file of [lockFile, basesFile]) change(service.path, file, (text) => text.replaceAll('\n', '\r\n'));
    expect(slipway(['check'], { cwd: service.path }).exitCode).toBe(0);
    edit(service.path);
    expect(slipway(adding, { cwd: service.path }).exitCode).toBe(0);
    expect(readFileSync(path.join(service.path, 'package.json'), 'utf8')).toContain('the team');
    expect(readFileSync(path.join(service.path, basesFile), 'utf8')).not.toContain('\r\n');
  });
});

describe('the bases', () => {
  const damages = [
    ['were edited', (text: string) => text.replaceAll('"text":"', '"text":"x')],
    ['were cut off', (text: string) => text.slice(0, 40)],
    ['are empty', () => ''],
    ['hold other bytes', () => '\u0000\uFFFD'],
  ] as const;

  it.for(damages)('that %s are drift, and are written anew from the templates and the files', ([, damage]) => {
    using service = scratchService();
    const before = treeOf(service.path);
    change(service.path, basesFile, damage);
    expect(slipway(['check'], { cwd: service.path }).exitCode).toBe(4);
    expect(slipway(['doctor'], { cwd: service.path }).stdout).toMatch(
      /✗ store +\.slipway\/base\.jsonl lacks what Slipway wrote of .*; mend it with: slipway update/,
    );
    expect(slipway(['update', '--no-install'], { cwd: service.path }).exitCode).toBe(0);
    expect(treeOf(service.path)).toEqual(before);
    expect(slipway(['doctor'], { cwd: service.path }).stdout).toMatch(/✓ store/);
  });

  it('that were removed leave a conflict only in a file that both sides changed', () => {
    using service = scratchService();
    edit(service.path);
    change(service.path, 'tsconfig.json', (text) => text.replace('{', '{ // mine'));
    rmSync(path.join(service.path, basesFile));
    const before = treeOf(service.path);
    const { exitCode, stdout } = slipway(adding, { cwd: service.path });
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/conflict +package\.json .*no longer holds what Slipway wrote/);
    expect(stdout).not.toMatch(/conflict +tsconfig/);
    expect(treeOf(service.path)).toEqual(before);
    expect(slipway([...adding, '--conflict=ours'], { cwd: service.path }).exitCode).toBe(0);
    expect(readFileSync(path.join(service.path, 'package.json'), 'utf8')).toContain('the team');
    expect(slipway(['check'], { cwd: service.path }).exitCode).toBe(0);
  });

  it('lack one, and the file it was of is still followed to where the user moved it', () => {
    using service = scratchService();
    const [from, to] = ['internal/platform/http/problems.ts', 'internal/platform/http/problem.ts'];
    renameSync(path.join(service.path, from), path.join(service.path, to));
    loseBase(service.path, from);
    expect(slipway(['update', '--no-install'], { cwd: service.path }).exitCode).toBe(0);
    expect(readLock(service.path).files[from]).toMatchObject({ at: to });
  });

  it('hold no base that nobody asks for', () => {
    using service = scratchService();
    const before = treeOf(service.path);
    appendFileSync(path.join(service.path, basesFile), `{"hash":"${'b'.repeat(64)}","text":"junk"}\n`);
    expect(slipway(['check'], { cwd: service.path }).exitCode).toBe(4);
    expect(slipway(['update', '--no-install'], { cwd: service.path }).exitCode).toBe(0);
    expect(treeOf(service.path)).toEqual(before);
  });

  it('that are a folder are refused', () => {
    using service = scratchService();
    rmSync(path.join(service.path, basesFile));
    mkdirSync(path.join(service.path, basesFile));
    expectRefused(service, `${basesFile} is a folder, where a file is expected\n  move it away`, [adding]);
  });
});

describe('a link that leads out of the service', () => {
  it.for(['.slipway', '.slipway/base.jsonl', 'internal/platform/app', 'package.json'])(
    'in the place of %s is not written through',
    (name) => {
      using service = scratchService();
      const [place, outside] = [path.join(service.path, name), path.join(path.dirname(service.path), 'outside')];
      renameSync(place, outside);
      symlinkSync(outside, place);
      const before = treeOf(path.dirname(service.path));
      const result = slipway(adding, { cwd: service.path });
      if (name.startsWith('.slipway')) {
        // Of what is Slipway's own, no link is followed wherever it leads.
        expectFault(result, 2, `${name} is a link\n  slipway follows no link`);
      } else {
        expect(result.exitCode).toBe(3);
        expect(result.stdout).toMatch(/conflict .* it is a link that leads out of the service/);
      }
      expect(treeOf(path.dirname(service.path))).toEqual(before);
    },
  );

  it('is not followed to a file that is yet to be made', () => {
    using service = scratchService();
    const outside = path.join(path.dirname(service.path), 'outside');
    mkdirSync(outside);
    symlinkSync(outside, path.join(service.path, 'internal/platform/postgres'));
    const { exitCode, stdout } = slipway(adding, { cwd: service.path });
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/conflict .* it is a link that leads out of the service/);
    expect(readdirSync(outside)).toEqual([]);
  });

  it('inside the service is followed', () => {
    using service = scratchService();
    renameSync(path.join(service.path, 'docs'), path.join(service.path, 'handbook'));
    symlinkSync('handbook', path.join(service.path, 'docs'));
    expect(slipway(adding, { cwd: service.path }).exitCode).toBe(0);
    expect(readdirSync(path.join(service.path, 'handbook'))).toContain('postgres.md');
    expect(slipway(['check'], { cwd: service.path }).exitCode).toBe(0);
  });
});
