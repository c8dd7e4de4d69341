/** Writes `api/openapi.json` as the service describes itself, and the types of `pkg/client` from it: `npm run openapi`. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { printDocument, printTypes } from './openapi/print.ts';
import { readArguments } from './build.ts';
import { root, startService } from './service.ts';

readArguments('openapi');
const service = await startService();
const response = await fetch(`${service.api}/openapi.json`);
const text = printDocument(await response.json());
await service.stop();
await mkdir(path.join(root, 'api'), { recursive: true });
await writeFile(path.join(root, 'api', 'openapi.json'), text);

// From the text: the order of its members is that of the types.
const types = path.join(root, 'pkg', 'client', 'contract.gen.ts');
if (existsSync(types)) await writeFile(types, printTypes(JSON.parse(text)));
