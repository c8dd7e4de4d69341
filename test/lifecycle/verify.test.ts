import { chmodSync, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { slipway, treeOf } from '../helpers/cli.ts';
import { scratchFolder, writeFiles } from '../helpers/scratch.ts';
import { commitAll, committed, git, onBranch } from './repository.ts';
import { newService } from './service.ts';

/** A package manager that notes what it is run in, and is content, or not; the real one is for e2e. */
function npmThat(verdict: 'passes' | 'fails'): { folder: string; env: NodeJS.ProcessEnv } {
  const folder = scratchFolder();
  const script = [
    '#!/bin/sh',
    `echo "$*" >> "${folder}/calls"`,
    `find . -type f | sort > "${folder}/$1.txt"`,
    ...(verdict === 'passes' ? [] : ['if [ "$1" = run ]; then echo "error: a check fails"; exit 1; fi']),
    '',
  ].join('\n');
  writeFiles(folder, { npm: { text: script, mode: 0o755 } });
  chmodSync(path.join(folder, 'npm'), 0o755);
  return { folder, env: { PATH: `${folder}${path.delimiter}${process.env['PATH'] ?? ''}` } };
}

describe('--verify', () => {
  it('checks a copy with the change and all of the user’s files in it, then lands the change', () => {
    const service = newService();
    service.write('internal/coverage/domain.ts', 'export const coverage = 1;\n');
    service.write('internal/dist/index.ts', 'export const dist = 1;\n');
    service.write('coverage/report.txt', 'made anew\n');
    service.write('node_modules/fastify/index.js', 'made anew\n');
    const { folder, env } = npmThat('passes');
    const { exitCode, stderr } = slipway(['add', 'postgres', '--verify', '--no-install'], { cwd: service.root, env });
    expect(exitCode, stderr).toBe(0);
    const checked = Object.values(treeOf(folder)).find((text) => text.includes('./slipway.json')) ?? '';
    expect(checked).toContain('./internal/platform/postgres/module.ts\n');
    expect(checked).toContain('./internal/coverage/domain.ts\n');
    expect(checked).toContain('./internal/dist/index.ts\n');
    expect(checked).not.toContain('report.txt');
    expect(checked).not.toContain('node_modules');
    expect(service.tree()).toHaveProperty(['internal/platform/postgres/module.ts']);
  });

  it('says what it runs, and runs the scripts that are named, in their order', () => {
    const service = newService();
    const { folder, env } = npmThat('passes');
    const { exitCode, stdout, stderr } = slipway(['add', 'postgres', '--verify=typecheck,migrate', '--no-install'], {
      cwd: service.root,
      env,
    });
    expect(exitCode, stderr).toBe(0);
    expect(service.read('package.json')).toContain('"migrate"');
    expect(readFileSync(path.join(folder, 'calls'), 'utf8')).toBe('install\nrun typecheck\nrun migrate\n');
    expect(stderr).toContain('verify, in a copy of the service: npm run migrate …');
    expect(stdout).toContain('these pass in a copy of the service: npm run typecheck, npm run migrate');
  });

  it('refuses a script that the service would not have, before it installs anything', () => {
    const service = newService();
    const before = service.tree();
    const { folder, env } = npmThat('passes');
    const adding = ['add', 'postgres', '--verify=check,migrat', '--no-install'];
    const { exitCode, stderr } = slipway(adding, { cwd: service.root, env });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('there is no npm script "migrat"; nothing was written\n  did you mean "migrate"?');
    expect(existsSync(path.join(folder, 'calls'))).toBe(false);
    expect(service.tree()).toEqual(before);
  });

  it('checks no file with conflict markers', () => {
    const service = newService();
    service.edit('internal/platform/app/modules.gen.ts', (text) => text.replace('[', '[mine, '));
    const before = service.tree();
    const { env } = npmThat('passes');
    const adding = ['add', 'postgres', '--verify', '--conflict=markers', '--no-install'];
    const { exitCode, stderr } = slipway(adding, { cwd: service.root, env });
    expect(exitCode).toBe(3);
    expect(stderr).toContain('--verify cannot check internal/platform/app/modules.gen.ts');
    expect(service.tree()).toEqual(before);
  });

  it('lands nothing when the checks fail', () => {
    const service = newService();
    const before = service.tree();
    const { env } = npmThat('fails');
    const { exitCode, stderr } = slipway(['add', 'postgres', '--verify', '--no-install'], { cwd: service.root, env });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('the changes do not pass: `npm run check` exited with 1');
    expect(stderr).toContain('error: a check fails');
    expect(service.tree()).toEqual(before);
  });
});

it.each(['resolve', 'undo'])('--verify of %s lands nothing when a check of what it would write fails', (command) => {
  const service = committed();
  onBranch(service, 'other', () => service.must('add', 'postgres'));
  service.must('add', 'redis');
  commitAll(service, 'redis');
  if (command === 'resolve') git(service, ['merge', '--quiet', 'other'], false);
  const before = service.tree();
  const words = [command, '--verify=lint', '--no-install'];
  const failed = slipway(words, { cwd: service.root, env: npmThat('fails').env });
  expect(failed, failed.stderr).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('a check fails') });
  expect(service.tree()).toEqual(before);
  const passed = slipway(words, { cwd: service.root, env: npmThat('passes').env });
  expect(passed, passed.stderr).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('npm run lint') });
});
