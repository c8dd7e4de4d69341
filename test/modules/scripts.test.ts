import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const templates = path.resolve(import.meta.dirname, '../../templates');
/** They are no commands; `image` passes its arguments on to the builder. */
const others = new Set(['build', 'env', 'image', 'service', 'publicFiles']);
const scripts = globSync(['base/files/scripts/*.ts', 'modules/*/files/scripts/*.ts'], { cwd: templates }).filter(
  (file) => !file.endsWith('.test.ts') && !others.has(path.basename(file, '.ts')),
);

function run(file: string, ...args: string[]) {
  return spawnSync(process.execPath, [path.join(templates, file), ...args], { encoding: 'utf8', cwd: templates });
}

describe('a script of a service', () => {
  it.each(scripts)('%s refuses a flag and says what it takes, without a stack trace', (file) => {
    const { status, stderr, stdout } = run(file, '--', '--bad');
    expect({ status, stdout }, stderr).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(`^unexpected argument: --bad\nusage: ${path.basename(file, '.ts')}[ \\[\\]\\w]*\n$`),
    );
  });

  it('refuses more arguments than it takes', () => {
    const { status, stderr } = run('modules/contract/files/scripts/contract.ts', 'v1.0.0', 'v2.0.0');
    expect(status, stderr).toBe(2);
  });

  it('licenses names a folder that is missing', () => {
    const { status, stderr } = run('modules/supply-chain/files/scripts/licenses.ts', 'missing');
    expect(status).toBe(2);
    expect(stderr).toMatch(/^cannot read missing.package\.json: .*ENOENT.*\n$/);
  });
});
