import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const folder = path.resolve('templates/modules');

/** Ids of the modules that a user may choose, sorted. Parts are left out. */
export const offeredModules = readdirSync(folder)
  .filter((id) => !/^ {2}part: true,$/m.test(readFileSync(path.join(folder, id, 'module.ts'), 'utf8')))
  .toSorted();
