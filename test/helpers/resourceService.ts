import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';

import { printCatalogue } from '../../generators/engine/catalogueText.ts';
import { type CliResult, scratchFolder, slipway } from './cli.ts';
import { resourceCatalogue } from './resourceCatalogue.ts';

/** A service on disk, and the command line in it. */
export interface ResourceService extends Disposable {
  readonly root: string;
  /** Path of its catalogue. */
  readonly catalogue: string;
  readonly run: (...args: string[]) => CliResult;
}

/**
 * @param env variables of the runs, besides those of the tests
 * @param preset of the catalogue
 * @returns a service of a small catalogue with templates of resources
 */
export function resourceService(env: NodeJS.ProcessEnv = {}, preset = 'plain'): ResourceService {
  const scratch = scratchFolder();
  const catalogue = path.join(scratch.path, 'catalogue.txt');
  writeFileSync(catalogue, printCatalogue(resourceCatalogue()));
  const run = (cwd: string, args: readonly string[]): CliResult =>
    slipway([...args, '--catalogue', catalogue], { cwd, env });
  const made = run(scratch.path, [
    ...['new', 'shop', `--preset=${preset}`, '--modules=database', '--yes', '--no-install', '--no-git'],
  ]);
  expect(made.stderr).toBe('');
  const root = path.join(scratch.path, 'shop');
  return {
    root,
    catalogue,
    run: (...args) => run(root, args),
    [Symbol.dispose]: () => scratch[Symbol.dispose](),
  };
}
