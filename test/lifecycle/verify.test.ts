import { chmodSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { slipway, treeOf } from '../helpers/cli.ts';
import { scratchFolder, writeFiles } from '../helpers/scratch.ts';
import { newService } from './service.ts';

/** A package manager that notes what it is run in, and is content, or not; the real one is for e2e. */
function npmThat(verdict: 'passes' | 'fails'): { folder: string; env: NodeJS.ProcessEnv } {
  const folder = scratchFolder();
  const script = [
    '#!/bin/sh',
    `find . -type f | sort > "${folder}/$1.txt"`,
    ...(verdict === 'passes' ? [] : ['if [ "$1" = run ]; then echo "error: a check fails"; exit 1; fi']),
    '',
  ].join('\n');
  writeFiles(folder, { npm: { text: script, mode: 0o755 } });
  chmodSync(path.join(folder, 'npm'), 0o755);
  return { folder, env: { PATH: `${folder}${path.delimiter}${process.env['PATH'] ?? ''}` } };
}

describe('--verify', () => {
  it('checks a copy with the change and all of the user’s files in it, then lands the change', () => {
    const service = newService();
    service.write('internal/coverage/domain.ts', 'export const coverage = 1;\n');
    service.write('internal/dist/index.ts', 'export const dist = 1;\n');
    service.write('coverage/report.txt', 'made anew\n');
    service.write('node_modules/fastify/index.js', 'made anew\n');
    const { folder, env } = npmThat('passes');
    const { exitCode, stderr } = slipway(['add', 'postgres', '--verify', '--no-install'], { cwd: service.root, env });
    expect(exitCode, stderr).toBe(0);
    const checked = Object.values(treeOf(folder)).find((text) => text.includes('./slipway.json')) ?? '';
    expect(checked).toContain('./internal/platform/postgres/module.ts\n');
    expect(checked).toContain('./internal/coverage/domain.ts\n');
    expect(checked).toContain('./internal/dist/index.ts\n');
    expect(checked).not.toContain('report.txt');
    expect(checked).not.toContain('node_modules');
    expect(service.tree()).toHaveProperty(['internal/platform/postgres/module.ts']);
  });

  it('lands nothing when the checks fail', () => {
    const service = newService();
    const before = service.tree();
    const { env } = npmThat('fails');
    const { exitCode, stderr } = slipway(['add', 'postgres', '--verify', '--no-install'], { cwd: service.root, env });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('do not pass');
    expect(stderr).toContain('error: a check fails');
    expect(service.tree()).toEqual(before);
  });
});
