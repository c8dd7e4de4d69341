/** Writes down what the service says of itself, `api/openapi.json`, and the client's part of it: `npm run openapi`. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { root, startService } from './support/service.ts';
import { printClient } from './openapi/client.ts';
import { printDocument } from './openapi/document.ts';

const service = await startService();
const response = await fetch(`${service.api}/openapi.json`);
const text = printDocument(await response.json());
await service.stop();
await writeFile(path.join(root, 'api', 'openapi.json'), text);
// From the text, as Slipway prints it: what comes first there comes first here.
await writeFile(path.join(root, 'pkg', 'client', 'contract.gen.ts'), printClient(JSON.parse(text)));
