import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readAbout } from './about.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'about-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Writes files, then reads them. */
function about(files: Readonly<Record<string, object>>) {
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(folder, name), JSON.stringify(content));
  return readAbout(path.join(folder, 'package.json'), path.join(folder, 'build.json'));
}

it('sources have the name and the version of package.json', () => {
  expect(about({ 'package.json': { name: 'orders', version: '1.2.3' } })).toEqual({ name: 'orders', version: '1.2.3' });
  expect(about({ 'package.json': { name: 'orders' } })).toEqual({ name: 'orders', version: '0.0.0' });
});

it('a build has its own version, commit and date', () => {
  const build = { version: '2.0.0', revision: '0a1b2c3', date: '2026-11-21T09:00:00Z' };
  expect(about({ 'package.json': { name: 'orders' }, 'build.json': build })).toEqual({ name: 'orders', ...build });
});

it('a build.json that is damaged is an error, not a wrong version', () => {
  expect(() => about({ 'package.json': { name: 'orders' }, 'build.json': { version: 2 } })).toThrow(
    'build.json has no valid name, version, revision or date',
  );
});
