import path from 'node:path';
import { publish } from '../publicFiles.ts';

const copies = await publish('public', path.join('dist', 'public'));
if (copies > 0) process.stdout.write(`public/: ${copies} compressed copies\n`);
