/**
 * Tells whether what the service promises breaks callers of the last release: `npm run contract`, or with the tag of another release,
 * `npm run contract -- v1.0.0`. Each kind of contract is compared by a file of its own in `scripts/contract/`.
 */
import { glob } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const folder = path.join(import.meta.dirname, 'contract');
for await (const name of glob('*.ts', { cwd: folder })) await import(pathToFileURL(path.join(folder, name)).href);
