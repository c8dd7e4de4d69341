import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { root, startService } from '../test/support/service.ts';

/** Milliseconds: some modules take their time to start, on a machine that is busy. */
const patience = 60_000;

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
