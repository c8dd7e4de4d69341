import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { assertSafePath, resolveInside } from '../../../generators/io/paths.ts';
import { scratchFolder, writeFiles } from '../../helpers/scratch.ts';

describe('assertSafePath', () => {
  it.for([
    'a',
    'src/a.ts',
    '.gitignore',
    '.github/workflows/ci.yaml',
    '.slipway/lock.jsonl',
    'a..b/c',
    '...',
    'git/x',
    'ünïcode/文件',
    'a b',
  ])('lets %j through', (path) => {
    expect(() => assertSafePath(path)).not.toThrow();
  });

  it.for([
    ['', 'is empty'],
    ['/etc/passwd', 'is absolute'],
    ['C:/windows', 'is absolute'],
    ['c:x', 'is absolute'],
    ['..', '".."'],
    ['../x', '".."'],
    ['a/../b', '".."'],
    ['./a', '"."'],
    ['a/.', '"."'],
    ['a//b', 'an empty part'],
    ['a/', 'an empty part'],
    ['a\\b', 'a backslash'],
    ['\\\\server\\share', 'a backslash'],
    ['a\0b', 'a NUL byte'],
    ['.git/hooks/pre-commit', "git's own folder"],
    ['.GIT/config', "git's own folder"],
    ['sub/.git/config', "git's own folder"],
    ['.git./config', "git's own folder"],
    ['.git::$INDEX_ALLOCATION/config', "git's own folder"],
    ['GIT~1/config', "git's own folder"],
  ] as const)('refuses %j, which has/is %s', ([path, why]) => {
    expect(() => assertSafePath(path)).toThrow(
      expect.objectContaining({ exitCode: 2, message: expect.stringContaining(why) }),
    );
  });

  it('lets no control character of a path reach the terminal', () => {
    expect(() => assertSafePath('/\u001b[31m')).toThrow(/\\u001b/);
  });
});

describe('resolveInside', () => {
  it('gives the place of a file, whether it exists or not', () => {
    const root = scratchFolder();
    writeFiles(root, { 'src/a.ts': 'a' });
    expect(resolveInside(root, 'src/a.ts')).toBe(join(root, 'src/a.ts'));
    expect(resolveInside(root, 'no/such/file.ts')).toBe(join(root, 'no/such/file.ts'));
    expect(resolveInside(root, 'src/a.ts/below')).toBe(join(root, 'src/a.ts/below'));
  });

  it('works from a root that is itself reached through a link', () => {
    const root = scratchFolder();
    writeFiles(root, { 'real/a.ts': 'a' });
    symlinkSync('real', join(root, 'link'));
    expect(resolveInside(join(root, 'link'), 'a.ts')).toBe(join(root, 'real/a.ts'));
  });

  it('follows links that stay inside, of files and of folders', () => {
    const root = scratchFolder();
    writeFiles(root, { 'real/a.ts': 'a' });
    symlinkSync('real', join(root, 'folder'));
    symlinkSync(join(root, 'real/a.ts'), join(root, 'file.ts'));
    expect(resolveInside(root, 'folder/a.ts')).toBe(join(root, 'real/a.ts'));
    expect(resolveInside(root, 'folder/new.ts')).toBe(join(root, 'real/new.ts'));
    expect(resolveInside(root, 'file.ts')).toBe(join(root, 'real/a.ts'));
  });

  it.for(['link.ts', 'folder/a.ts', 'folder/new/b.ts', 'near/a.ts'])('refuses %s, which a link leads out', (path) => {
    const parent = scratchFolder();
    const root = join(parent, 'root');
    // A sibling whose name begins like the root's is outside all the same.
    writeFiles(parent, { 'outside/a.ts': 'a', 'root-2/a.ts': 'a', 'root/x': '' });
    symlinkSync('../outside/a.ts', join(root, 'link.ts'));
    symlinkSync(join(parent, 'outside'), join(root, 'folder'));
    symlinkSync('../root-2', join(root, 'near'));
    const link = path.split('/')[0] ?? '';
    expect(() => resolveInside(root, path)).toThrow(
      expect.objectContaining({
        exitCode: 2,
        message: expect.stringMatching(`^${link} is a link that leads out of the service, to `),
      }),
    );
  });

  it('refuses links into git, links to nothing, and links in a circle', () => {
    const root = scratchFolder();
    mkdirSync(join(root, '.git/hooks'), { recursive: true });
    symlinkSync('.git/hooks', join(root, 'hooks'));
    symlinkSync('nowhere', join(root, 'dangling'));
    symlinkSync('two', join(root, 'one'));
    symlinkSync('one', join(root, 'two'));
    const refused = (path: string, message: string): void =>
      expect(() => resolveInside(root, path)).toThrow(
        expect.objectContaining({ exitCode: 2, message: expect.stringContaining(message) }),
      );
    refused('hooks/pre-commit', "link into git's own folder");
    refused('dangling', 'is a link to nowhere, which does not exist');
    refused('one', 'cannot follow the link one');
  });
});
