import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { hashOf, listFiles, listFolder, readFileInside } from '../../../generators/io/tree.ts';
import { bundle } from '../../helpers/bundle.ts';
import { run } from '../../helpers/crash.ts';
import { scratchFolder, writeFiles } from '../../helpers/scratch.ts';

const isWindows = process.platform === 'win32';
const act = await bundle(fileURLToPath(new URL('children/act.ts', import.meta.url)));

describe('readFileInside', () => {
  it('gives bytes, permission bits and SHA-256', () => {
    const root = scratchFolder();
    writeFiles(root, { 'bin/run': { text: 'abc', mode: 0o750 } });
    const file = readFileInside(root, 'bin/run');
    expect(Buffer.from(file?.bytes ?? [])).toEqual(Buffer.from('abc'));
    expect(file?.mode).toBe(0o750);
    // FIPS 180-4's example.
    expect(file?.hash).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(hashOf(new Uint8Array())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });

  it('gives undefined for what is not there, also below a file', () => {
    const root = scratchFolder();
    writeFiles(root, { a: 'a' });
    expect(readFileInside(root, 'b')).toBeUndefined();
    expect(readFileInside(root, 'a/b')).toBeUndefined();
    expect(readFileInside(join(root, 'no/such/root'), 'a')).toBeUndefined();
  });

  it.skipIf(isWindows)('refuses a folder, a pipe and a socket, and waits for none of them', async () => {
    const root = scratchFolder();
    mkdirSync(join(root, 'folder'));
    expect(spawnSync('mkfifo', [join(root, 'pipe')]).status).toBe(0);
    const server = createServer().listen(join(root, 'socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    const refused = (path: string, message: string): void =>
      expect(() => readFileInside(root, path)).toThrow(expect.objectContaining({ exitCode: 2, message }));
    refused('folder', 'folder is a folder, where a file is expected');
    refused('pipe', 'pipe is a pipe or a device, where a file is expected');
    refused('socket', 'socket is a socket, where a file is expected');
    await new Promise((resolve) => server.close(resolve));
  });

  it.skipIf(isWindows)('says so when a file, or a folder on the way, may not be read', async () => {
    const root = scratchFolder();
    chmodSync(root, 0o755);
    writeFiles(root, { 'secret.ts': { text: 's', mode: 0o600 }, 'closed/a.ts': 'a' });
    chmodSync(join(root, 'secret.ts'), 0);
    chmodSync(join(root, 'closed'), 0);
    chmodSync(act, 0o755);
    chmodSync(join(act, '..'), 0o755);
    const nobody = process.getuid?.() === 0 ? { uid: 65_534 } : {};
    for (const path of ['secret.ts', 'closed/a.ts']) {
      const ending = await run({ args: [act, 'read', root, JSON.stringify(path)], ...nobody });
      expect(ending.stderr).toMatch(/^cannot (?:read|open) .*: permission denied\n.+\n$/);
      expect(ending.code).toBe(2);
    }
    chmodSync(join(root, 'closed'), 0o755);
  });
});

describe('listFiles', () => {
  it("lists the user's own files, sorted, and nothing else", () => {
    const root = scratchFolder();
    writeFiles(root, {
      'b.ts': '',
      'a.ts': '',
      'internal/coverage/domain.ts': '',
      'internal/dist/x.ts': '',
      '.github/workflows/ci.yaml': '',
      '.git/config': '',
      'node_modules/x/index.js': '',
      'pkg/client/node_modules/y/index.js': '',
      'dist/a.js': '',
      'coverage/index.html': '',
      '.slipway/lock.jsonl': '',
      'vendor/other/.git/HEAD': '',
      'vendor/other/x.ts': '',
      'vendor/submodule/.git': 'gitdir: ../../.git/modules/submodule',
      'vendor/submodule/x.ts': '',
    });
    if (!isWindows) writeFiles(root, { 'odd\\name.ts': '' });
    symlinkSync('b.ts', join(root, 'link.ts'));
    symlinkSync('..', join(root, 'internal/loop'));
    expect(listFiles(root)).toEqual([
      '.github/workflows/ci.yaml',
      'a.ts',
      'b.ts',
      'internal/coverage/domain.ts',
      'internal/dist/x.ts',
    ]);
  });

  it('stops with an error when there are too many', () => {
    const root = scratchFolder();
    writeFiles(root, { 'a/1': '', 'a/2': '', 'b/3': '' });
    expect(listFiles(root, undefined, 3)).toHaveLength(3);
    expect(() => listFiles(root, undefined, 2)).toThrow(
      expect.objectContaining({ exitCode: 1, message: `${root} holds more than 2 files` }),
    );
  });

  it('lists nothing of a root that is yet to come, and says so when it is a file', () => {
    const root = scratchFolder();
    writeFiles(root, { file: '' });
    expect(listFiles(join(root, 'gone'))).toEqual([]);
    expect(() => listFiles(join(root, 'file'))).toThrow(expect.objectContaining({ exitCode: 2 }));
  });
});

describe('listFolder', () => {
  it('gives the names in a folder, sorted, and none of one that is not there', () => {
    const root = scratchFolder();
    writeFiles(root, { '.slipway/objects/b': '', '.slipway/objects/a': '' });
    expect(listFolder(root, '.slipway/objects')).toEqual(['a', 'b']);
    expect(listFolder(root, '.slipway/nothing')).toEqual([]);
  });

  it('says so when a file is in its place', () => {
    const root = scratchFolder();
    writeFiles(root, { '.slipway/objects': 'x' });
    expect(() => listFolder(root, '.slipway/objects')).toThrow(expect.objectContaining({ exitCode: 2 }));
  });
});
