import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findViolations } from './support/walls.ts';

describe('the walls between cmd, internal, pkg and api', () => {
  let planted: string;

  beforeEach(async () => {
    planted = await mkdtemp(path.join(os.tmpdir(), 'walls-'));
  });

  afterEach(async () => {
    await rm(planted, { recursive: true });
  });

  async function plant(file: string, text: string): Promise<void> {
    await mkdir(path.dirname(path.join(planted, file)), { recursive: true });
    await writeFile(path.join(planted, file), text);
  }

  it.each([
    ['internal/a/module.ts', "import { run } from '../../cmd/server/main.ts';"],
    ['pkg/a/index.ts', "export { run } from '../../internal/platform/app/run.ts';"],
    ['pkg/a/index.ts', "const { run } = await import('../../cmd/server/main.ts');"],
    ['api/a.ts', "import type { A } from '../pkg/a/index.ts';"],
    ['internal/a/domain.ts', "import { fastify } from 'fastify';"],
    ['internal/a/domain.ts', "import { readFile } from 'node:fs';"],
    ['internal/a/domain.ts', "import { rows } from './repository.ts';"],
    ['internal/a/domain.ts', "import '../http/module.ts';"],
  ])('are broken by %s with %s', async (file, text) => {
    await plant(file, text);
    expect(await findViolations(planted)).toHaveLength(1);
  });

  it.each([
    ['cmd/a/main.ts', "import { run } from '../../internal/platform/app/run.ts';"],
    ['internal/a/module.ts', "import { fastify } from 'fastify';\nimport { rule } from './domain.ts';"],
    ['internal/a/domain.ts', "import { Type } from 'typebox';"],
    ['internal/a/domain.ts', "import { notFound } from '../../pkg/errors/index.ts';\nimport '../b/domain.ts';"],
    ['internal/a/module.test.ts', "import { run } from '../../cmd/server/main.ts';"],
  ])('let %s have %s', async (file, text) => {
    await plant(file, text);
    expect(await findViolations(planted)).toEqual([]);
  });
});
