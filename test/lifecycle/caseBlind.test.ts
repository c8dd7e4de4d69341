import { existsSync, mkdirSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { execaSync } from 'execa';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { layDown, onPath } from '../helpers/cli.ts';
import { scratchFolder } from '../helpers/scratch.ts';
import { serviceIn, type TestService } from './service.ts';

vi.setConfig({ testTimeout: 120_000 });

/** NTFS in a file, by FUSE: without letter case, and with the names that Windows reserves refused. */
const [mount] = onPath('lowntfs-3g');
const [format] = onPath('mkntfs');
const canMount = mount !== undefined && format !== undefined && process.getuid?.() === 0 && existsSync('/dev/fuse');

function ntfs(): { readonly folder: string; readonly remount: () => void } {
  const scratch = scratchFolder();
  const [image, folder] = [path.join(scratch, 'image'), path.join(scratch, 'mounted')];
  writeFileSync(image, '');
  truncateSync(image, 200 * 2 ** 20);
  mkdirSync(folder);
  execaSync(format ?? '', ['-q', '-F', image]);
  const put = (): void => void execaSync(mount ?? '', [image, folder, '-o', 'ignore_case,windows_names,permissions']);
  const take = (): void => void execaSync('umount', [folder]);
  put();
  onTestFinished(take);
  return {
    folder,
    // The kernel may show old content of a file that replaced another one.
    remount: () => {
      take();
      put();
    },
  };
}

function renamed(service: TestService, from: string, to: string): void {
  renameSync(path.join(service.root, from), path.join(service.root, 'between'));
  renameSync(path.join(service.root, 'between'), path.join(service.root, to));
}

describe.skipIf(!canMount)('on a file system without letter case', () => {
  it('a service is created, changed and updated, and gives back what was there', () => {
    const { folder, remount } = ntfs();
    const service = serviceIn(layDown(folder, '--preset=api'));
    const before = service.tree();
    service.must('add', 'grpc', 'websocket');
    expect(service.must('check')).toContain('No drift');
    service.must('remove', 'grpc', 'websocket');
    remount();
    expect(service.tree()).toEqual(before);
    service.second.must('update');
    expect(service.second.must('check')).toContain('No drift');
  });

  it.each(['git', 'no git'])('a file and a folder that the user spells otherwise stay the same: %s', (git) => {
    const service = serviceIn(layDown(ntfs().folder, '--preset=minimal', '--modules=postgres'));
    if (git === 'git') execaSync('git', ['init', '--quiet'], { cwd: service.root });
    renamed(service, 'internal/platform/postgres', 'internal/platform/Postgres');
    renamed(service, 'README.md', 'Readme.md');
    renamed(service, 'AGENTS.md', 'agents.md');
    expect(service.must('check')).toContain('No drift');
    service.must('remove', 'postgres');
    expect(existsSync(path.join(service.root, 'internal/platform/postgres'))).toBe(false);
    expect(service.must('check')).toContain('No drift');
  });
});
