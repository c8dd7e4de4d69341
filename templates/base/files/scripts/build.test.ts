import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { buildInfo } from './build.ts';

let folder: string;
const packageJson = JSON.stringify({ name: 'orders', version: '1.2.3' });
const author = { GIT_AUTHOR_NAME: 'test', GIT_AUTHOR_EMAIL: 'test@example.com' };
const committer = { GIT_COMMITTER_NAME: 'test', GIT_COMMITTER_EMAIL: 'test@example.com' };

function commit(): void {
  const env = { ...process.env, ...author, ...committer, GIT_COMMITTER_DATE: '2026-11-21T10:00:00+02:00' };
  for (const args of [
    ['init', '--quiet'],
    ['add', '.'],
    ['commit', '--quiet', '--message=feat: begin'],
  ]) {
    execFileSync('git', args, { cwd: folder, env });
  }
}

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'build-info-'));
  writeFileSync(path.join(folder, 'package.json'), packageJson);
});
afterEach(() => rmSync(folder, { recursive: true }));

it('knows the version, and no more, outside of git', () => {
  expect(buildInfo(folder, {})).toEqual({ version: '1.2.3' });
});

it('takes commit and date from git, the date in UTC', () => {
  commit();
  const info = buildInfo(folder, {});
  expect(info).toEqual({
    version: '1.2.3',
    revision: expect.stringMatching(/^[0-9a-f]{40}$/),
    date: '2026-11-21T08:00:00.000Z',
  });
});

it('says when files differ from the commit', () => {
  commit();
  writeFileSync(path.join(folder, 'package.json'), `${packageJson}\n`);
  expect(buildInfo(folder, {}).revision).toMatch(/^[0-9a-f]{40}-dirty$/);
});

it('believes the builder before git', () => {
  commit();
  const told = { BUILD_VERSION: '2.0.0', BUILD_REVISION: 'abc', BUILD_DATE: '2026-01-02T03:04:05Z' };
  expect(buildInfo(folder, told)).toEqual({ version: '2.0.0', revision: 'abc', date: '2026-01-02T03:04:05Z' });
  expect(buildInfo(folder, { SOURCE_DATE_EPOCH: '0' }).date).toBe('1970-01-01T00:00:00.000Z');
});
