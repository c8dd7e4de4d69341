import { expect, it } from 'vitest';
import { startService, stopUnderLoad } from '../scripts/service.ts';

it('a service that stops under load fails no request and ends with exit code 0', async () => {
  const service = await startService({ SHUTDOWN_DELAY_MS: '2000' });
  expect(await stopUnderLoad(service)).toEqual({
    succeeded: expect.any(Number),
    failures: [],
    readyz: 503,
    exit: { code: 0, signal: null },
  });
});
