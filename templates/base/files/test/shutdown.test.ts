import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { load } from '../scripts/service.ts';
import { startService } from './support/service.ts';

describe('a service that is told to stop under load', () => {
  it('fails no request, and ends with exit code 0', async () => {
    const service = await startService({ SHUTDOWN_DELAY_MS: '2000' });
    const leave = new AbortController();
    const running = load(`${service.api}/version`, 10, leave.signal);
    await sleep(300);

    service.process.kill('SIGTERM');
    // As a load balancer does: it looks every so often, and sends nothing more once readiness has failed.
    while ((await fetch(`${service.admin}/readyz`)).ok) await sleep(20);
    await sleep(200);
    leave.abort();

    const { succeeded, failures, closing } = await running;
    expect(failures).toEqual([]);
    expect(succeeded).toBeGreaterThan(20);
    expect(closing).toBeGreaterThan(0);
    expect(await service.exited).toEqual({ code: 0, signal: null });
  });
});
