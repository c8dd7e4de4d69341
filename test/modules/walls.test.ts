import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratchFolder, writeFiles } from '../helpers/scratch.ts';

const rules = readFileSync('templates/base/files/.oxlintrc.json', 'utf8');

/** Runs the linter of a service on one file, and returns what it says of imports. */
function lint(file: string, text: string): string[] {
  const folder = scratchFolder();
  writeFiles(folder, { '.oxlintrc.json': rules, [file]: text });
  const { stdout } = spawnSync(path.resolve('node_modules/.bin/oxlint'), ['--format=unix'], {
    cwd: folder,
    encoding: 'utf8',
  });
  return stdout.split('\n').filter((line) => line.includes('no-restricted-imports'));
}

describe('the walls between cmd, internal, pkg and api', () => {
  it.each([
    ['internal/a/module.ts', "import { run } from '../../cmd/server/main.ts';"],
    ['pkg/a/index.ts', "export { run } from '../../internal/platform/app/run.ts';"],
    ['pkg/a/index.ts', "const { run } = await import('../../cmd/server/main.ts');"],
    ['api/a.ts', "import type { A } from '../pkg/a/index.ts';"],
    ['internal/a/domain.ts', "import { fastify } from 'fastify';"],
    ['internal/a/domain.ts', "import { readFile } from 'node:fs';"],
    ['internal/a/domain.ts', "import { rows } from './repository.ts';"],
    ['internal/a/domain.ts', "import '../http/module.ts';"],
  ])('are broken by %s with %s', (file, text) => {
    expect(lint(file, text)).toHaveLength(1);
  });

  it.each([
    ['cmd/a/main.ts', "import { run } from '../../internal/platform/app/run.ts';"],
    ['internal/a/module.ts', "import { fastify } from 'fastify';\nimport { rule } from './domain.ts';"],
    ['internal/a/domain.ts', "import { Type } from 'typebox';"],
    ['internal/a/domain.ts', "import { notFound } from '../../pkg/errors/index.ts';\nimport '../b/domain.ts';"],
  ])('let %s have %s', (file, text) => {
    expect(lint(file, text)).toEqual([]);
  });
});
