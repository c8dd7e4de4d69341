import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { printClient } from '../scripts/openapi/client.ts';
import { root } from '../test/support/service.ts';

it('the client is printed from openapi.json (npm run openapi prints it)', async () => {
  const contract: unknown = JSON.parse(await readFile(path.join(root, 'api', 'openapi.json'), 'utf8'));
  const client = await readFile(path.join(root, 'pkg', 'client', 'contract.gen.ts'), 'utf8');
  expect(client).toBe(printClient(contract));
});
