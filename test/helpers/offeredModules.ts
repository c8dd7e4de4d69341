import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const folder = path.resolve('templates/modules');

/** Modules that a user may ask for, by their folders, sorted: all but parts. */
export const offeredModules = readdirSync(folder)
  .filter((id) => !/^ {2}part: true,$/m.test(readFileSync(path.join(folder, id, 'module.ts'), 'utf8')))
  .toSorted();
