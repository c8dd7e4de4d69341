import { describe, expect, it } from 'vitest';
import { parseLock, printLock, type Lock } from '../../../generators/engine/reconcile/lock.ts';
import { assertSafePath } from '../../../generators/io/paths.ts';

const hash = 'a'.repeat(64);
const lock: Lock = {
  version: 1,
  catalogue: '1.0.0',
  files: { 'b.ts': { module: 'base', ownership: 'merged', hash }, 'a.ts': { module: 'base', ownership: 'seed', hash } },
};

function parsed(change: Record<string, unknown>): () => Lock {
  return () => parseLock(JSON.stringify({ ...lock, ...change }), assertSafePath);
}

describe('the lock', () => {
  it('is printed sorted, and read back', () => {
    const text = printLock(lock);
    expect(text.indexOf('a.ts')).toBeLessThan(text.indexOf('b.ts'));
    expect(parseLock(text, assertSafePath)).toEqual(lock);
  });

  it.each([
    ['a file outside', { files: { '../x': lock.files['a.ts'] } }, 'contains ".."'],
    ['an absolute path', { files: { '/etc/passwd': lock.files['a.ts'] } }, 'is absolute'],
    ['a file of git', { files: { '.git/config': lock.files['a.ts'] } }, 'git'],
    ['a move to the outside', { files: { 'a.ts': { ...lock.files['a.ts'], at: '../../x' } } }, 'contains ".."'],
    [
      'a hash that is none',
      { files: { 'a.ts': { ...lock.files['a.ts'], hash: '../../etc' } } },
      '.slipway/lock.json is damaged at a.ts',
    ],
    ['an unknown ownership', { files: { 'a.ts': { ...lock.files['a.ts'], ownership: 'mine' } } }, 'is damaged at a.ts'],
    ['no files', { files: [] }, 'is damaged'],
    ['a newer version', { version: 2 }, 'has version 2'],
  ])('with %s is refused', (_, change, message) => {
    expect(parsed(change)).toThrow(message);
  });

  it.each(['', '{', 'null', '[]'])('that was cut to %j is refused, with the remedy', (text) => {
    expect(() => parseLock(text, assertSafePath)).toThrow(
      expect.objectContaining({ exitCode: 2, hint: expect.stringContaining('git checkout') }),
    );
  });
});
