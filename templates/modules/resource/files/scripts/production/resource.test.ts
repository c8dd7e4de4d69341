import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { checks } from './resource.ts';

const root = mkdtempSync(path.join(tmpdir(), 'production-'));
afterAll(() => rmSync(root, { recursive: true }));

it('a resource that is stored in memory is not ready for production', () => {
  const look = (storage: string): (string | undefined)[] => {
    mkdirSync(path.join(root, 'internal/orders'), { recursive: true });
    writeFileSync(
      path.join(root, 'internal/orders/storage.ts'),
      `import { storage } from '../platform/${storage}.ts';\n`,
    );
    return checks.map((check) => check.look(root));
  };
  expect(look('resource/memory')).toEqual([undefined, expect.stringContaining('internal/orders/storage.ts')]);
  expect(look('postgres/module')).toEqual([undefined, undefined]);
});

it.each([
  [{ item: { created: '20261121' } }, 'remove it'],
  [{ item: { created: '20261121', changes: {} } }, undefined],
  [{ order: { created: '20261121' } }, undefined],
])('the example is named while it is as it came: %j', (resources, fault) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'production-'));
  writeFileSync(path.join(folder, 'slipway.json'), JSON.stringify({ resources }));
  const [found] = checks.map((check) => check.look(folder));
  expect(found?.slice(0, 9)).toBe(fault);
  rmSync(folder, { recursive: true });
});
