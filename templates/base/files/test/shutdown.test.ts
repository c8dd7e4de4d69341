import { describe, expect, it } from 'vitest';
import { Tally, load } from '../scripts/service.ts';
import { startService } from './support/service.ts';

describe('a service that is told to stop under load', () => {
  it('fails no request, and ends with exit code 0', async () => {
    const service = await startService({ SHUTDOWN_DELAY_MS: '2000' });
    const tally = new Tally();
    const running = load(`${service.api}/version`, 10, tally);
    await expect.poll(() => tally.succeeded).toBeGreaterThan(20);

    service.process.kill('SIGTERM');
    await service.logged('stopping');
    expect((await fetch(`${service.admin}/readyz`)).status).toBe(503);
    // Until the service asks them to leave, during its delay.
    await running;
    expect(tally.failures).toEqual([]);
    expect(await service.exited).toEqual({ code: 0, signal: null });
  });
});
