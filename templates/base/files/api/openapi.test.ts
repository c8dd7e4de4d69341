import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { startService } from '../test/support/service.ts';
import { ofRoutes } from '../test/support/contract.ts';

it('openapi.json is what the service says of itself (npm run openapi writes it)', async () => {
  const service = await startService();
  const response = await fetch(`${service.api}/openapi.json`);
  const served: unknown = await response.json();
  await service.stop();

  const committed: unknown = JSON.parse(await readFile(new URL('openapi.json', import.meta.url), 'utf8'));
  expect(ofRoutes(committed)).toEqual(ofRoutes(served));
});
