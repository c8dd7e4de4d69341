import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';

/** The imports of a file, and of the files that it imports, without those of types. */
async function importsOf(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8');
  const found = [...text.matchAll(/^(?:import|export)(?!\s+type\b)[^;]*?\bfrom\s+'([^']+)'/gm)].map(
    ([, specifier = '']) => specifier,
  );
  const own = found.filter((specifier) => specifier.startsWith('./') && !specifier.endsWith('.gen.ts'));
  const further = await Promise.all(own.map((specifier) => importsOf(path.join(path.dirname(file), specifier))));
  return [...found, ...further.flat()];
}

it('the client runs in a browser too: it imports no module of Node, and one package', async () => {
  const imports = new Set(await importsOf(path.join(import.meta.dirname, 'index.ts')));
  const others = [...imports].filter((specifier) => !specifier.startsWith('./'));
  expect(others.toSorted()).toEqual(['../errors/index.ts', 'openapi-fetch']);
});
