import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';

/** What a file imports, and what that imports in turn, when the code runs: types are gone by then. */
async function importsOf(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8');
  const found = [...text.matchAll(/^(?:import|export)(?!\s+type\b)[^;]*?\bfrom\s+'([^']+)'/gm)].map(
    ([, specifier = '']) => specifier,
  );
  const own = found.filter((specifier) => specifier.startsWith('./') && !specifier.endsWith('.gen.ts'));
  const further = await Promise.all(own.map((specifier) => importsOf(path.join(path.dirname(file), specifier))));
  return [...found, ...further.flat()];
}

it('the client runs in a browser too: it imports neither Node’s modules, nor packages, nor the context', async () => {
  const imports = await importsOf(path.join(import.meta.dirname, 'index.ts'));
  expect(imports).toContain('./client.ts');
  expect(imports.filter((specifier) => !specifier.startsWith('./') && specifier !== '../errors/index.ts')).toEqual([]);
});
