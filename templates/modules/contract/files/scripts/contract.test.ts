import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lastRelease } from './contract.ts';

const file = 'api/openapi.json';

let folder: string;
let service: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'release-'));
  // Not the root of its repository: a service may be one of several in it.
  service = path.join(folder, 'origin', 'orders');
  await mkdir(path.join(service, 'api'), { recursive: true });
  git(folder, 'init', '--quiet', 'origin');
});
afterEach(() => rm(folder, { recursive: true }));

function git(cwd: string, ...args: readonly string[]): void {
  const names = ['user.name=test', 'user.email=test@example.com', 'commit.gpgsign=false', 'tag.gpgsign=false'];
  const { status, stderr } = spawnSync('git', [...names.flatMap((name) => ['-c', name]), ...args], {
    cwd,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
}

async function commit(text: string, ...tags: readonly string[]): Promise<void> {
  await writeFile(path.join(service, file), text);
  git(service, 'add', '.');
  git(service, 'commit', '--quiet', '--allow-empty', '--message', 'a');
  for (const tag of tags) git(service, 'tag', tag);
}

describe('the last release', () => {
  it('is the highest version among the tags that the present commit contains', async () => {
    await commit('{"a":1}', 'v1.9.0');
    await commit('{"a":2}', 'v1.10.0', '1.2.0', 'nightly', 'v2.0.0-rc.1');
    git(service, 'checkout', '--quiet', '-b', 'other');
    await commit('{"a":3}', 'v3.0.0');
    git(service, 'checkout', '--quiet', '-');
    await commit('{"a":4}');
    expect(lastRelease(service, file)).toEqual({ tag: 'v1.10.0' });
    expect(lastRelease(service, file, 'v1.9.0')).toEqual({ tag: 'v1.9.0' });
    expect(lastRelease(service, file, 'v0.0.1')).toEqual({ fault: expect.stringContaining('v0.0.1') });
  });

  it('is not there without git, without a tag, and where it had no contract', async () => {
    expect(lastRelease(folder, file)).toEqual({ nothing: expect.stringContaining('no git repository') });
    git(service, 'commit', '--quiet', '--allow-empty', '--message', 'a');
    expect(lastRelease(service, file)).toEqual({ nothing: expect.stringContaining('no tag') });
    git(service, 'tag', '1.0.0');
    await commit('{}');
    expect(lastRelease(service, file)).toEqual({ nothing: '1.0.0 has no api/openapi.json' });
  });

  it('is found in a shallow clone that has its tag, and is asked for in one that has not', async () => {
    await commit('{"a":1}', 'v1.0.0');
    await commit('{"a":2}');
    const clone = (name: string): string => {
      git(folder, 'clone', '--quiet', '--depth=1', '--no-tags', `file://${path.join(folder, 'origin')}`, name);
      return path.join(folder, name, 'orders');
    };
    const [without, having] = [clone('without'), clone('having')];
    git(having, 'fetch', '--quiet', '--depth=1', 'origin', 'tag', 'v1.0.0');
    expect(lastRelease(having, file)).toEqual({ tag: 'v1.0.0' });
    expect(lastRelease(without, file)).toEqual({ fault: expect.stringContaining('git fetch --unshallow --tags') });
  });
});
