import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { preparations } from '../scripts/support/preparations.ts';
import { startService } from '../test/support/service.ts';

// A service with an embedded database takes a while to start on a machine that is busy.
it(
  'websocket.json is what the service says of its messages (npm run messages writes it)',
  { timeout: 60_000 },
  async () => {
    const { env, headers } = await preparations();
    const service = await startService(env);
    const response = await fetch(`${service.api}/websocket.json`, { headers });
    const served: unknown = await response.json();
    await service.stop();

    const committed: unknown = JSON.parse(await readFile(new URL('websocket.json', import.meta.url), 'utf8'));
    // The service may be called otherwise here.
    expect(committed).toEqual({ ...Object(served), title: Object(committed).title });
  },
);
