import { describe, expect, it } from 'vitest';
import { Tally, load } from '../scripts/service.ts';
import { startService } from './support/service.ts';

describe('a service that is told to stop under load', () => {
  it('fails no request, and ends with exit code 0', async () => {
    const service = await startService({ SHUTDOWN_DELAY_MS: '2000' });
    const [leave, tally] = [new AbortController(), new Tally()];
    const running = load(`${service.api}/version`, 10, leave.signal, tally);
    await expect.poll(() => tally.succeeded).toBeGreaterThan(20);

    service.process.kill('SIGTERM');
    await service.logged('stopping');
    expect((await fetch(`${service.admin}/readyz`)).status).toBe(503);
    // Clients are asked to leave. As a load balancer does, they send nothing more once readiness has failed.
    await expect.poll(() => tally.closing).toBeGreaterThan(0);
    leave.abort();

    await running;
    expect(tally.failures).toEqual([]);
    expect(await service.exited).toEqual({ code: 0, signal: null });
  });
});
