import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startService } from '../scripts/service.ts';

it('a service that stops under load fails no request and ends with exit code 0', async () => {
  const { api, admin, logged, stop } = await startService({ SHUTDOWN_DELAY_MS: '2000' });
  let succeeded = 0;
  /** Sends requests over a keep-alive connection until the service asks its clients to leave. */
  const client = async (): Promise<void> => {
    for (let isWelcome = true; isWelcome; await sleep(1)) {
      const response = await fetch(`${api}/version`);
      await response.text();
      expect(response.status).toBe(200);
      succeeded += 1;
      isWelcome = response.headers.get('connection') !== 'close';
    }
  };
  const clients = Promise.all(Array.from({ length: 10 }, client));
  await expect.poll(() => succeeded).toBeGreaterThan(20);
  const exited = stop();
  await logged('stopping');
  expect((await fetch(`${admin}/readyz`)).status).toBe(503);
  await clients;
  expect(await exited).toEqual({ code: 0, signal: null });
});
