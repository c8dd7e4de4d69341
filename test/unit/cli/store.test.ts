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
import { describe, expect, it, vi } from 'vitest';
import { slipway, treeOf } from '../../helpers/cli.ts';
import { expectFault } from '../../helpers/expectFault.ts';
import { scratchService } from '../../helpers/scratchService.ts';

vi.setConfig({ testTimeout: 60_000 });

interface Lock {
  files: Record<string, { module: string; ownership: string; hash: string; at?: string }>;
}

const lockFile = '.slipway/lock.json';
const adding = ['add', 'postgres', '--no-install'];

function readLock(service: string): Lock {
  return JSON.parse(readFileSync(path.join(service, lockFile), 'utf8'));
}

/** Where the base of a file is kept. */
function baseOf(service: string, file: string): string {
  return `.slipway/objects/${readLock(service).files[file]?.hash}`;
}

/** The user's edit that a merge needs the base for. */
function edit(service: string): void {
  const file = path.join(service, 'package.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('{', '{\n  "author": "the team",'));
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
  const entry = { module: 'base', ownership: 'merged', hash: 'a'.repeat(64) };

  it.for([
    ['leads up', { '../outside.ts': entry }, 'the path "../outside.ts" contains ".."'],
    ['is absolute', { '/etc/passwd': entry }, 'the path "/etc/passwd" is absolute'],
    ['leads into git', { '.git/hooks/pre-commit': entry }, "is inside git's own folder"],
    ['hides in the middle', { 'internal/../../outside.ts': entry }, 'contains ".."'],
    ['steers terminals', { '../\u001B[2J': entry }, String.raw`the path "../\u001b[2J" contains`],
    [
      'was moved outside',
      { 'a.ts': { ...entry, at: '../../outside.ts' } },
      'the path "../../outside.ts" contains ".."',
    ],
    ['has no hash', { 'a.ts': { ...entry, hash: 'x' } }, '.slipway/lock.json is damaged at a.ts'],
    ['has no owner', { 'a.ts': { ...entry, ownership: 'mine' } }, '.slipway/lock.json is damaged at a.ts'],
    ['is the manifest', { 'slipway.json': entry }, '.slipway/lock.json is damaged at slipway.json'],
    ['is the lock', { '.slipway/lock.json': entry }, '.slipway/lock.json is damaged at .slipway/lock.json'],
    ['was moved over a base', { 'a.ts': { ...entry, at: '.slipway/objects/x' } }, 'is damaged at a.ts'],
  ] as const)('with a path that %s is refused', ([, files, message]) => {
    using service = scratchService();
    const lock = readLock(service.path);
    writeFileSync(path.join(service.path, lockFile), JSON.stringify({ ...lock, files: { ...lock.files, ...files } }));
    expectRefused(service, message);
  });

  it.for([
    ['empty', ''],
    ['a list', '[]'],
    ['without files', '{"version":1,"catalogue":"0.1.0"}'],
    ['with files in a list', '{"version":1,"catalogue":"0.1.0","files":[7]}'],
  ] as const)('that is %s is damaged', ([, text]) => {
    using service = scratchService();
    writeFileSync(path.join(service.path, lockFile), text);
    expectRefused(
      service,
      /\.slipway\/lock\.json is damaged.*\n {2}restore it from version control: git checkout -- \.slipway/,
    );
  });

  it('that was cut off is damaged, and doctor says so', () => {
    using service = scratchService();
    truncateSync(path.join(service.path, lockFile), 200);
    expectRefused(service, '.slipway/lock.json is damaged: it is not JSON\n  restore it', [
      ['check'],
      ['update'],
      adding,
      ['eject', 'package.json'],
      ['explain', 'package.json'],
    ]);
    const { exitCode, stdout } = slipway(['doctor'], { cwd: service.path });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/✗ store +\.slipway\/lock\.json is damaged/);
  });

  it('of a newer version asks for a newer Slipway', () => {
    using service = scratchService();
    writeFileSync(path.join(service.path, lockFile), JSON.stringify({ ...readLock(service.path), version: 2 }));
    expectRefused(service, 'has version 2; this Slipway understands 1\n  run a newer one: npx create-slipway@latest');
  });

  it('that is missing is not guessed', () => {
    using service = scratchService();
    rmSync(path.join(service.path, lockFile));
    expectRefused(
      service,
      '.slipway/lock.json is missing: without it Slipway cannot tell your edits from its own files',
    );
    rmSync(path.join(service.path, '.slipway'), { recursive: true });
    expectRefused(service, 'git checkout -- .slipway');
  });

  it('with a conflict of git in it says how to take a side', () => {
    using service = scratchService();
    const file = path.join(service.path, lockFile);
    writeFileSync(file, `<<<<<<< HEAD\n${readFileSync(file, 'utf8')}=======\n{}\n>>>>>>> other\n`);
    expectRefused(service, 'holds a conflict that nobody has resolved\n  take one side (git checkout --theirs');
  });

  it('that names a file of the user does not make it go when he has edited it since', () => {
    using service = scratchService();
    const mine = path.join(service.path, 'internal/mine.ts');
    writeFileSync(mine, 'export const mine = true;\n');
    const lock = readLock(service.path);
    const files = { ...lock.files, 'internal/mine.ts': entry };
    writeFileSync(path.join(service.path, lockFile), JSON.stringify({ ...lock, files }));
    const { exitCode } = slipway(adding, { cwd: service.path });
    expect(exitCode).toBe(3);
    expect(readFileSync(mine, 'utf8')).toBe('export const mine = true;\n');
  });
});

describe('a base', () => {
  it.for([
    ['was edited', (file: string) => appendFileSync(file, ' '), 'was changed'],
    ['was cut off', (file: string) => truncateSync(file, 10), 'was changed'],
    ['is missing', (file: string) => rmSync(file), 'is missing'],
  ] as const)('that %s is not merged with', ([, damage, message]) => {
    using service = scratchService();
    edit(service.path);
    const base = baseOf(service.path, 'package.json');
    damage(path.join(service.path, base));
    expectRefused(service, `${base} ${message}: without it your edits cannot be merged\n  restore it from`, [adding]);
    const { exitCode, stdout } = slipway(['doctor'], { cwd: service.path });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/✗ store +\.slipway\/objects/);
  });

  it.for([
    ['is missing', (objects: string) => rmSync(objects, { recursive: true })],
    [
      'was edited',
      (objects: string) => readdirSync(objects).forEach((name) => appendFileSync(path.join(objects, name), ' ')),
    ],
  ] as const)('that %s and can be told from the template is drift, and is mended', ([, damage]) => {
    using service = scratchService();
    damage(path.join(service.path, '.slipway/objects'));
    expect(slipway(['check'], { cwd: service.path }).exitCode).toBe(4);
    expect(slipway(adding, { cwd: service.path }).exitCode).toBe(0);
    expect(slipway(['check'], { cwd: service.path }).exitCode).toBe(0);
    expect(slipway(['doctor'], { cwd: service.path }).stdout).toMatch(/✓ store/);
  });

  it('that nobody asks for is drift, and is cleared away', () => {
    using service = scratchService();
    writeFileSync(path.join(service.path, '.slipway/objects', 'b'.repeat(64)), 'junk');
    expect(slipway(['check'], { cwd: service.path }).exitCode).toBe(4);
    expect(slipway(['update', '--no-install'], { cwd: service.path }).exitCode).toBe(0);
    expect(readdirSync(path.join(service.path, '.slipway/objects'))).not.toContain('b'.repeat(64));
  });

  it('that is a folder is refused', () => {
    using service = scratchService();
    edit(service.path);
    const base = baseOf(service.path, 'package.json');
    rmSync(path.join(service.path, base));
    mkdirSync(path.join(service.path, base));
    expectRefused(service, `${base} is a folder, where a file is expected\n  move it away`, [adding]);
  });
});

describe('a link that leads out of the service', () => {
  it.for(['.slipway', '.slipway/objects', 'internal/platform/app', 'package.json'])(
    'in the place of %s is not written through',
    (name) => {
      using service = scratchService();
      const [place, outside] = [path.join(service.path, name), path.join(path.dirname(service.path), 'outside')];
      renameSync(place, outside);
      symlinkSync(outside, place);
      const before = treeOf(path.dirname(service.path));
      const result = slipway(adding, { cwd: service.path });
      expectFault(result, 2, `${name} is a link that leads out of the service`);
      expect(result.stderr).toContain('slipway never writes through such a link');
      expect(treeOf(path.dirname(service.path))).toEqual(before);
    },
  );

  it('is not followed to a file that is yet to be made', () => {
    using service = scratchService();
    const outside = path.join(path.dirname(service.path), 'outside');
    mkdirSync(outside);
    symlinkSync(outside, path.join(service.path, 'internal/platform/postgres'));
    expectFault(slipway(adding, { cwd: service.path }), 2, 'internal/platform/postgres is a link that leads out');
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
