import { describe, expect, it } from 'vitest';
import { startProcess } from '../scripts/service.ts';

describe('a service that is told to stop', () => {
  it('finishes a request in flight on a keep-alive connection, and does not wait for its client to hang up', async () => {
    const program = `
      import { setTimeout as sleep } from 'node:timers/promises';
      import { Type } from 'typebox';
      import { run } from './internal/platform/app/run.ts';
      import { http } from './internal/platform/http/module.ts';
      import { metrics } from './internal/platform/metrics/module.ts';
      import { tracing } from './internal/platform/app/tracing.ts';
      const slow = {
        name: 'slow',
        config: Type.Object({}),
        requires: [http],
        start({ log, use }) {
          use(http).get('/slow', async () => {
            log.info('in flight');
            await sleep(500);
            return { done: true };
          });
          return { value: undefined };
        },
      };
      await run([metrics, tracing, http, slow]);`;
    const service = startProcess(['--input-type=module', '--eval', program]);
    await service.logged('ready');
    const response = fetch(`http://127.0.0.1:${service.port('http')}/slow`);
    await service.logged('in flight');
    const begun = performance.now();
    const exited = service.stop();
    const reply = await response;
    expect(await reply.json()).toEqual({ done: true });
    expect(await exited).toEqual({ code: 0, signal: null });
    // The request takes half a second; the idle time of a connection is 72.
    expect(performance.now() - begun).toBeLessThan(30_000);
  });
});
