/** Writes down what the service says of itself, `api/openapi.json`: `npm run openapi`. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { root, startService } from './support/service.ts';
import { printDocument } from './openapi/document.ts';

const service = await startService();
const response = await fetch(`${service.api}/openapi.json`);
const text = printDocument(await response.json());
await service.stop();
await mkdir(path.join(root, 'api'), { recursive: true });
await writeFile(path.join(root, 'api', 'openapi.json'), text);
