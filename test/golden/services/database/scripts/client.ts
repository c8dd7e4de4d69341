/** Prints the client's part of the contract, `pkg/client/contract.gen.ts`: `npm run openapi` ends with it. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { printClient } from './openapi/client.ts';
import { root } from './support/service.ts';

// From the file, as Slipway prints it: what comes first there comes first here.
const contract: unknown = JSON.parse(await readFile(path.join(root, 'api', 'openapi.json'), 'utf8'));
await writeFile(path.join(root, 'pkg', 'client', 'contract.gen.ts'), printClient(contract));
