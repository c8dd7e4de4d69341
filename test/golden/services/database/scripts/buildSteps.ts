/** The end of a build: what modules have to add to `dist/`, a file each in `scripts/build/`. */
import { glob } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

for await (const file of glob('scripts/build/*.ts')) await import(pathToFileURL(path.resolve(file)).href);
