import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { rolldown } from 'rolldown';
import { afterAll } from 'vitest';

/**
 * Bundles a TypeScript program into one script, so that a test can start it quickly and often, with any Node. Call it
 * outside of tests, because the script is removed after the last test of the file.
 * @param entry absolute path of the program
 * @returns absolute path of the script
 */
export async function bundle(entry: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-bundle-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'program.mjs');
  const build = await rolldown({ input: entry, platform: 'node' });
  await build.write({ file });
  await build.close();
  return file;
}
