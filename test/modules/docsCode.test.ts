import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { roots } from '../helpers/serviceTree.ts';

const repository = path.resolve(import.meta.dirname, '../..');

it.each([
  [
    'templates/base/files/docs/first-slice.md.hbs',
    ['domain.ts', 'domain.test.ts', 'routes.ts', 'routes.test.ts', 'module.ts'],
  ],
  ['templates/modules/versioning/files/docs/versioning.md.hbs', ['versions.ts']],
])('the code of %s compiles', { timeout: 120_000 }, async (name, expected) => {
  const page = readFileSync(path.join(repository, name), 'utf8');
  const files = [...page.matchAll(/^`(internal\/\S+\.ts)`:\n\n```ts\n([^]*?)^```$/gm)];
  expect(files.map(([, file = '']) => path.basename(file))).toEqual(expected);
  const folder = mkdtempSync(path.join(repository, '.cache/first-slice-'));
  try {
    for (const [, file = '', text = ''] of files) {
      mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
      writeFileSync(path.join(folder, file), text);
    }
    const project = path.join(folder, 'tsconfig.json');
    writeFileSync(
      project,
      JSON.stringify({
        extends: '../../templates/tsconfig.json',
        compilerOptions: { rootDirs: [folder, ...roots] },
        include: ['internal'],
      }),
    );
    const { all } = await execa('tsc', ['--project', project, '--pretty', 'false'], {
      preferLocal: true,
      localDir: repository,
      reject: false,
      all: true,
    });
    expect(all).toBe('');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
