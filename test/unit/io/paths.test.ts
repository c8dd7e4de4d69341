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
    'git/x',
    'ünïcode/文件',
    'a b',
    '.env.example',
    'config.ts',
    'auxiliary.ts',
    'consumer/a.ts',
    'certificate.crt',
    'a~1b.ts',
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
    ['.g\u200Cit/hooks/pre-commit', 'not visible'],
    ['a\u001Bb', 'not visible'],
    ['a\nb', 'not visible'],
    ['a\u202Eb', 'not visible'],
    ['docs./a', 'a dot or a space'],
    ['docs /a', 'a dot or a space'],
    ['...', 'a dot or a space'],
    ['README.md:stream', 'a colon'],
    ['SLIPWA~1/lock.jsonl', 'a short name of Windows'],
    ['PACKAG~1.JSO', 'a short name of Windows'],
    ['aux', 'keeps for a device'],
    ['docs/NUL.md', 'keeps for a device'],
    ['com1.ts', 'keeps for a device'],
    ['a/'.repeat(600) + 'a', 'longer than 1024'],
    [`a/${'b'.repeat(300)}`, 'a name longer than 255'],
    ['.env', 'secrets'],
    ['.env.production', 'secrets'],
    ['.envrc', 'secrets'],
    ['config/.ENV', 'secrets'],
    ['certs/server.pem', 'secrets'],
    ['deploy/tls.key', 'secrets'],
    ['.npmrc', 'secrets'],
    ['.ssh/config', 'secrets'],
    ['id_ed25519', 'secrets'],
    ['infra/terraform.tfstate', 'secrets'],
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

  it('refuses links into git and to secrets, links to nothing, and links in a circle', () => {
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
    symlinkSync('.env', join(root, 'README.md'));
    writeFiles(root, { '.env': 'TOKEN=x' });
    refused('README.md', 'where secrets are kept');
    refused('hooks/pre-commit', "link into git's own folder");
    refused('dangling', 'is a link to nowhere, which does not exist');
    refused('one', 'cannot follow the link one');
  });
});
