import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { slipway } from '../helpers/cli.ts';
import { scratchFolder } from '../helpers/scratch.ts';
import { commitAll, committed, git, onBranch, unmerged } from './repository.ts';
import { differing, newService, type TestService } from './service.ts';

describe('undo takes back the last run', () => {
  it.each<[string, (service: TestService) => void]>([
    ['add', (service) => void service.must('add', 'postgres', 'docker')],
    ['remove', (service) => void service.must('remove', 'redis')],
    ['ci', (service) => void service.must('ci', '--provider=gitlab')],
    ['eject', (service) => void service.must('eject', 'docs/')],
    ['update', (service) => void service.second.must('update')],
  ])('%s, without git, byte for byte; a second undo restores it', (name, run) => {
    const service = newService('--preset=minimal', '--modules=redis');
    service.edit('package.json', (text) => text.replace('"scripts": {', '"scripts": {\n    "mine": "echo",'));
    const before = service.tree();
    run(service);
    const after = service.tree();
    expect(differing(before, after)).not.toEqual([]);
    expect(service.must('undo', '--dry-run')).toContain('nothing was written');
    expect(differing(after, service.tree())).toEqual([]);
    expect(service.must('undo')).toContain(`takes back: slipway ${name}`);
    expect(differing(before, service.tree())).toEqual([]);
    service.must('undo');
    expect(differing(after, service.tree())).toEqual([]);
  });

  it('resolve: the conflicts of git are back, also in the index', () => {
    const service = committed();
    onBranch(service, 'other', () => service.must('add', 'postgres'));
    service.must('add', 'redis');
    commitAll(service, 'redis');
    git(service, ['merge', '--quiet', 'other'], false);
    const [before, files] = [service.tree(), unmerged(service)];
    const index = git(service, ['ls-files', '--stage']);
    service.must('resolve');
    const after = service.tree();
    expect(unmerged(service)).toEqual([]);
    service.must('undo');
    expect(differing(before, service.tree()).filter((file) => !file.startsWith('.git/'))).toEqual([]);
    expect(unmerged(service)).toEqual(files);
    expect(git(service, ['ls-files', '--stage'])).toBe(index);
    service.must('resolve');
    expect(differing(after, service.tree()).filter((file) => !file.startsWith('.git/'))).toEqual([]);
  });
});

describe('undo refuses', () => {
  it('when a file has changed since, and names it', () => {
    const service = newService('--preset=minimal');
    service.must('add', 'redis');
    service.edit('package.json', (text) => text.replace('"scripts": {', '"scripts": {\n    "mine": "echo",'));
    service.remove('docs/redis.md');
    const before = service.tree();
    const { exitCode, stderr } = service.run('undo');
    expect(exitCode).toBe(3);
    expect(stderr).toContain('changed since `slipway add`: docs/redis.md, package.json');
    expect(differing(before, service.tree())).toEqual([]);
  });

  it('when there is nothing to take back', () => {
    const { exitCode, stderr } = newService('--preset=minimal').run('undo');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('there is no run to take back');
  });

  it('a record that is no plan, or leads out of the service; a file beside it is left alone', () => {
    const service = newService('--preset=minimal');
    const state = scratchFolder();
    const env = { XDG_STATE_HOME: state, LOCALAPPDATA: state };
    const run = (...args: string[]) => slipway(args, { cwd: service.root, env });
    mkdirSync(path.join(state, 'slipway'));
    writeFileSync(path.join(state, 'slipway', '%zz.json'), 'a file of someone else');
    expect(run('add', 'redis', '--no-install').exitCode).toBe(0);
    const record = path.join(state, 'slipway', `${encodeURIComponent(service.root)}.json`);
    expect(existsSync(record)).toBe(true);
    for (const text of ['{', '[]', '{"plan":1,"entries":[],"changes":[{"path":"../x","expect":null,"remove":true}]}']) {
      writeFileSync(record, text);
      expect(run('undo').exitCode).toBe(2);
    }
  });
});

it('a run that cannot be recorded is made, and says so', () => {
  const service = newService('--preset=minimal');
  const state = path.join(scratchFolder(), 'file');
  writeFileSync(state, '');
  chmodSync(state, 0o400);
  const { exitCode, stdout } = slipway(['add', 'redis', '--no-install'], {
    cwd: service.root,
    env: { XDG_STATE_HOME: state, LOCALAPPDATA: state },
  });
  expect(exitCode).toBe(0);
  expect(stdout).toContain('slipway undo cannot take back this run');
});

it('a run on uncommitted edits says so, and runs no filter of the repository', () => {
  const service = committed();
  expect(service.must('add', 'redis')).not.toContain('uncommitted');
  commitAll(service, 'redis');
  const trace = path.join(scratchFolder(), 'trace');
  git(service, ['config', 'filter.evil.clean', `touch ${trace}`]);
  service.write('.git/info/attributes', '* filter=evil\n');
  service.edit('tsconfig.json', (text) => text.replace('{', '{\n  // mine'));
  expect(service.must('add', 'websocket')).toContain('slipway undo');
  expect(existsSync(trace)).toBe(false);
});
