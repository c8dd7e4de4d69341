import { appendFileSync, existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratchFolder } from '../helpers/scratch.ts';
import { lockText } from '../helpers/store.ts';
import { serviceOf } from './release.ts';
import { commitAll, committed, git } from './repository.ts';
import { differing, newService, serviceIn, type TestService } from './service.ts';

const [lockFile, basesFile] = ['.slipway/lock.jsonl', '.slipway/base.jsonl'];
const keptFiles = ['base.jsonl', 'lock.jsonl', 'manifest.schema.json'];

/** Everything is in order: no drift, and `doctor` finds the store whole. */
function expectWhole(service: TestService): void {
  expect(service.must('check')).toContain('No drift');
  expect(service.run('doctor').stdout).toMatch(/✓ store +\d+ bases, all whole/);
  expect(readdirSync(path.join(service.root, '.slipway')).toSorted()).toEqual(keptFiles);
}

describe('two branches that each added a module', () => {
  /** @returns the service after the merge, what git could not merge resolved in favour of one side; the manifest has both */
  function merged(prepare: (service: TestService) => void = () => {}): TestService {
    const service = committed();
    prepare(service);
    git(service, ['checkout', '--quiet', '-b', 'other']);
    service.must('add', 'postgres');
    commitAll(service, 'postgres');
    const theirs = service.manifest();
    git(service, ['checkout', '--quiet', 'main']);
    service.must('add', 'redis');
    commitAll(service, 'redis');
    const ours = service.manifest();
    git(service, ['merge', '--quiet', 'other'], false);
    const conflicts = git(service, ['diff', '--name-only', '--diff-filter=U'])
      .split('\n')
      .filter((name) => name !== '');
    for (const name of conflicts) if (!name.endsWith('.jsonl')) git(service, ['checkout', '--ours', '--', name]);
    const modules = { ...Object(theirs['modules']), ...Object(ours['modules']) };
    service.write('slipway.json', `${JSON.stringify({ ...ours, modules }, null, 2)}\n`);
    return service;
  }

  function expectReconciled(service: TestService): void {
    expect(service.run('doctor').stdout).toMatch(/✓ store/);
    expect(service.run('check').exitCode).toBe(4);
    service.must('update');
    expectWhole(service);
    const fresh = newService('--preset=minimal');
    fresh.must('add', 'postgres', 'redis');
    expect(differing(fresh.tree(), service.tree()).filter((name) => !name.startsWith('.git/'))).toEqual([]);
    // What either branch has added goes again, every file of it.
    service.must('remove', 'redis', 'postgres');
    const start = newService('--preset=minimal');
    expect(differing(start.tree(), service.tree()).filter((name) => !name.startsWith('.git/'))).toEqual([]);
  }

  it('are merged by git with no conflict in .slipway/, and update brings the service to both', () => {
    const service = merged();
    const unmerged = git(service, ['diff', '--name-only', '--diff-filter=U']);
    expect(unmerged).not.toContain('.slipway/lock.jsonl');
    expect(unmerged).not.toContain('.slipway/base.jsonl');
    expect(service.read(lockFile).match(/"path":"package\.json"/g)).toHaveLength(2);
    commitAll(service, 'merged');
    expectReconciled(service);
  });

  it('are understood where .gitattributes is gone and the markers of git are in the lock and the bases', () => {
    const service = merged((plain) => {
      plain.write('.gitattributes', '');
      commitAll(plain, 'no attributes');
    });
    expect(service.read(lockFile)).toContain('<<<<<<< ');
    git(service, ['checkout', '--ours', '--', '.gitattributes'], false);
    rmSync(path.join(service.root, '.gitattributes'));
    git(service, ['add', '--all']);
    git(service, ['commit', '--quiet', '--message', 'merged with markers']);
    service.must('update');
    expectWhole(service);
    expect(service.read(lockFile)).not.toContain('<<<<<<< ');
    service.must('remove', 'redis');
    expect(existsSync(path.join(service.root, 'internal/platform/redis'))).toBe(false);
  });

  it('keep what the user has written on either of them', () => {
    const service = merged((plain) => {
      plain.edit('tsconfig.json', (text) => text.replace('{', '{\n  // mine'));
      plain.edit('package.json', (text) => text.replace('"scripts": {', '"scripts": {\n    "mine": "echo",'));
      commitAll(plain, 'mine');
    });
    commitAll(service, 'merged');
    service.must('update');
    expectWhole(service);
    expect(service.read('tsconfig.json')).toContain('// mine');
    expect(service.read('package.json')).toContain('"mine": "echo"');
    expect(service.read('package.json')).toMatch(/"@redis\/client"[^]*"pg"/);
  });
});

describe('a store that was damaged', () => {
  /** Search and replace over the whole repository. */
  function replaceEverywhere(service: TestService, from: string, to: string): void {
    for (const name of git(service, ['ls-files']).split('\n')) {
      const text = service.read(name);
      if (text.includes(from)) service.write(name, text.replaceAll(from, to));
    }
  }

  it('by a search and replace over the repository is mended from git’s history, and merges go on', () => {
    const service = committed();
    const before = service.tree();
    replaceEverywhere(service, 'problem', 'trouble');
    expect(service.read(lockFile)).not.toBe(before[lockFile]?.slice(4));
    expect(service.read(basesFile)).toContain('trouble');
    expect(service.run('doctor').stdout).toMatch(/✗ store .*mend it with: slipway update/);
    expect(service.run('check').exitCode).toBe(4);
    service.must('update');
    expectWhole(service);
    expect(service.tree()[lockFile]).toBe(before[lockFile]);
    expect(service.tree()[basesFile]).toBe(before[basesFile]);
    // An update that changes the same files needs the bases; and nothing of the user's is lost.
    expect(service.second.must('update', '--conflict=ours')).not.toContain('no longer holds');
    expect(service.read('internal/platform/http/description/problems.ts')).toContain('trouble');
    expect(service.second.must('check')).toContain('No drift');
    expect(service.second.run('doctor').stdout).toMatch(/✓ store/);
  });

  it('by the loss of its bases merges with those of git’s history', () => {
    const [service, whole] = [committed(), committed()];
    for (const one of [service, whole]) {
      one.edit('package.json', (text) => text.replace('"scripts": {', '"scripts": {\n    "mine": "echo",'));
      commitAll(one, 'mine');
    }
    rmSync(path.join(service.root, basesFile));
    commitAll(service, 'bases gone');
    service.must('add', 'postgres');
    whole.must('add', 'postgres');
    expect(differing(whole.tree(), service.tree()).filter((name) => !name.startsWith('.git/'))).toEqual([]);
    expectWhole(service);
  });

  it.each([
    ['the lock', (service: TestService) => rmSync(path.join(service.root, lockFile))],
    ['a part of the lock', (service: TestService) => service.edit(lockFile, (text) => text.slice(0, 1000))],
    ['all of it', (service: TestService) => rmSync(path.join(service.root, '.slipway'), { recursive: true })],
  ])('by the loss of %s goes on from git’s history', (_, damage) => {
    const service = committed();
    service.must('add', 'postgres');
    commitAll(service, 'postgres');
    const before = service.tree();
    damage(service);
    expect(service.run('check').exitCode).toBe(4);
    expect(service.run('explain', 'package.json').exitCode).toBe(0);
    service.must('update');
    expect(differing(before, service.tree())).toEqual([]);
    service.must('remove', 'postgres');
    expect(existsSync(path.join(service.root, 'internal/platform/postgres'))).toBe(false);
  });
});

it('a clone with core.autocrlf=true has LF line ends and no drift', () => {
  const service = committed();
  const clone = serviceIn(path.join(scratchFolder('memory'), 'clone'));
  git(service, ['clone', '--quiet', '--config', 'core.autocrlf=true', service.root, clone.root]);
  const turned = git(clone, ['ls-files'])
    .split('\n')
    .filter((name) => clone.read(name).includes('\r\n'));
  expect(turned).toEqual([]);
  expectWhole(clone);
});

describe('a service of Slipway 0.1.0', () => {
  const oldService = (): TestService => serviceOf('0.1.0', '--preset=minimal').service;

  it('is read as it is, and converted by the first command that writes', () => {
    const service = oldService();
    service.edit('package.json', (text) => text.replace('"scripts": {', '"scripts": {\n    "mine": "echo",'));
    const before = service.tree();
    expect(service.run('update', '--dry-run').exitCode).toBe(0);
    expect(service.run('explain', 'package.json').stdout).toContain('edited since Slipway wrote it');
    expect(service.run('doctor').stdout).toMatch(/✓ store +\d+ bases, all whole/);
    expect(service.tree()).toEqual(before);
    service.must('update');
    expectWhole(service);
    expect(service.read('package.json')).toContain('"mine": "echo"');
  });

  it('that nobody has edited becomes the one that has its manifest today', () => {
    const [service, fresh] = [oldService(), newService('--preset=minimal')];
    service.must('update');
    fresh.write('slipway.json', service.read('slipway.json'));
    fresh.must('update');
    // A seed that the templates no longer have stays with its owner.
    const differs = differing(fresh.tree(), service.tree()).filter((name) => !isSeed(fresh, name));
    const others = differs.filter((name) => !name.startsWith('internal/items/'));
    // The example imports what the templates have dropped.
    const used = [
      'cursor.ts',
      'idempotency/fingerprint.ts',
      'idempotency/idempotency.ts',
      'idempotency/idempotencyMemory.ts',
    ];
    expect(others).toEqual(['docs/decisions/000-template.md', ...used.map((file) => `internal/platform/http/${file}`)]);
    expect(service.tree()).toHaveProperty(['internal/items/routes.ts']);
  });

  function isSeed(service: TestService, name: string): boolean {
    const files = service.lock().files;
    return name === lockFile || files[name]?.ownership === 'seed';
  }

  it('is understood where a branch that was converted was merged with one that was not', () => {
    const service = oldService();
    git(service, ['init', '--quiet', '--initial-branch=main']);
    commitAll(service, 'start');
    const old = service.tree();
    service.must('update');
    // As somebody leaves it who keeps the old lock in the conflict.
    service.write('.slipway/lock.json', old['.slipway/lock.json']?.slice(4) ?? '');
    expect(service.run('check').exitCode).toBe(4);
    service.must('update');
    expectWhole(service);
  });

  it('of which a base is damaged finds it in git’s history', () => {
    const service = oldService();
    git(service, ['init', '--quiet', '--initial-branch=main']);
    commitAll(service, 'start');
    service.edit('package.json', (text) => text.replace('"scripts": {', '"scripts": {\n    "mine": "echo",'));
    for (const name of readdirSync(path.join(service.root, '.slipway/objects')))
      appendFileSync(path.join(service.root, '.slipway/objects', name), ' ');
    service.must('update');
    expectWhole(service);
    expect(service.read('package.json')).toContain('"mine": "echo"');
  });
});

it('a lock that names what is not there is brought to the service', () => {
  const service = newService('--preset=minimal');
  const { catalogue, files } = service.lock();
  const gone = { module: 'redis', ownership: 'merged', hash: 'f'.repeat(64) } as const;
  service.write(lockFile, lockText({ catalogue, files: { ...files, 'internal/platform/redis/module.ts': gone } }));
  service.must('update');
  expectWhole(service);
});
