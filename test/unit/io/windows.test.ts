import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { isWithin, pathFault } from '../../../generators/io/paths.ts';
import { pathInService } from '../../../generators/io/service.ts';

vi.mock(import('node:path'), async (original) => {
  const { win32 } = await original();
  return { ...win32, default: win32 };
});

describe('paths on Windows', () => {
  it.each([
    ['pkg\\errors\\index.ts', 'C:\\work\\orders'],
    ['pkg/errors/index.ts', 'C:\\work\\orders'],
    ['..\\pkg\\errors\\index.ts', 'C:\\work\\orders\\docs'],
    ['C:\\work\\orders\\pkg\\errors\\index.ts', 'D:\\'],
    ['c:\\Work\\Orders\\pkg\\errors\\index.ts', 'C:\\work\\orders'],
  ])('%s in %s is a file of the service', (file, cwd) => {
    expect(path.sep).toBe('\\');
    expect(pathInService(file, cwd, 'C:\\work\\orders')).toBe('pkg/errors/index.ts');
  });

  it.each(['D:\\work\\orders\\a.ts', '..\\billing\\a.ts', '\\\\server\\share\\a.ts', 'C:\\work\\orders'])(
    '%s is none',
    (file) =>
      expect(() => pathInService(file, 'C:\\work\\orders', 'C:\\work\\orders')).toThrow('is not a file of the service'),
  );

  it('on another drive is not within a folder', () => {
    expect(isWithin('C:\\work', 'C:\\work\\orders')).toBe(true);
    expect(isWithin('C:\\work', 'D:\\work\\orders')).toBe(false);
    expect(isWithin('C:\\work', 'C:\\worker')).toBe(false);
  });

  it('with a backslash or a drive letter is refused in a lock, a manifest or a plan', () => {
    for (const place of ['pkg\\a.ts', 'C:/a.ts', 'c:a.ts', '\\\\server\\a.ts'])
      expect(pathFault(place)).toBeTypeOf('string');
  });
});
