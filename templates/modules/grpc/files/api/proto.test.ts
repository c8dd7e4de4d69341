import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
// Tools run in a copy: nothing of the service is touched.
let copy: string;
beforeEach(() => {
  copy = mkdtempSync(path.join(os.tmpdir(), 'proto-'));
  for (const name of ['api', 'buf.yaml', 'buf.gen.yaml']) {
    cpSync(path.join(root, name), path.join(copy, name), { recursive: true });
  }
});
afterEach(() => rmSync(copy, { recursive: true }));

function run(tool: string, ...args: readonly string[]): string {
  const env = {
    ...process.env,
    PATH: `${path.join(root, 'node_modules/.bin')}${path.delimiter}${process.env['PATH']}`,
  };
  const { status, stdout, stderr, error } = spawnSync(tool, args, { cwd: copy, env, encoding: 'utf8' });
  if (error !== undefined) throw error;
  return status === 0 ? '' : stdout + stderr;
}

/** But for their format. */
function filesIn(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    entries.map(({ parentPath, name }) => {
      const file = path.join(parentPath, name);
      return [
        path.relative(folder, file),
        readFileSync(file, 'utf8')
          .replaceAll('"', "'")
          .replaceAll(/[\s,;|]/g, ''),
      ];
    }),
  );
}

describe('the contract in api/proto', () => {
  it('keeps the rules of buf', () => {
    expect(run('buf', 'lint')).toBe('');
  });

  it('is what api/gen was made of: `npm run proto` makes it anew', () => {
    expect(run('buf', 'generate')).toBe('');
    expect(filesIn(path.join(copy, 'api/gen'))).toEqual(filesIn(path.join(root, 'api/gen')));
  });
});
