import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { printTypes } from '../scripts/openapi/print.ts';
import { root, startService } from '../scripts/service.ts';

/** Milliseconds in which a service starts on a busy machine. */
const patience = 300_000;
const types = path.join(root, 'pkg', 'client', 'contract.gen.ts');
const contract: unknown = JSON.parse(await readFile(path.join(root, 'api', 'openapi.json'), 'utf8'));

it(
  'openapi.json is what the service says of itself (npm run openapi writes it)',
  async () => {
    const service = await startService();
    const response = await fetch(`${service.api}/openapi.json`);
    const served: unknown = await response.json();
    await service.stop();
    expect(contract).toEqual(served);
  },
  patience,
);

it.runIf(existsSync(types))(
  'the types of the client are those of openapi.json (npm run openapi prints them)',
  async () => {
    expect(await readFile(types, 'utf8')).toBe(printTypes(contract));
  },
);
