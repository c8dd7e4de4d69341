import { once } from 'node:events';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { afterEach, expect, it } from 'vitest';
import { listen } from '../internal/platform/http/connections.ts';
import { type ReceivedSpan, spansIn } from './support/otlp.ts';
import { type ServiceProcess, startProcess } from '../scripts/service.ts';

/** A service that records every request. Its module of traces is last in the list, and starts before what makes spans all the same. */
const program = `
  import { Type } from 'typebox';
  import { admin } from './internal/platform/admin/module.ts';
  import { run } from './internal/platform/app/run.ts';
  import { tracing } from './internal/platform/app/tracing.ts';
  import { http } from './internal/platform/http/module.ts';
  import { metrics } from './internal/platform/metrics/module.ts';
  import { telemetry } from './internal/platform/telemetry/module.ts';
  const routes = {
    name: 'routes',
    config: Type.Object({}),
    requires: [http],
    start({ use }) {
      use(http).get('/clock', ({ query }) => {
        setClock(Number(query.by));
        return {};
      });
      return { value: undefined };
    },
  };
  await run([admin, http, metrics, routes, tracing, telemetry]);`;

const endings: (() => void)[] = [];
afterEach(() => {
  for (const end of endings.splice(0)) end();
});

/** @returns the service, and what its collector has been sent so far */
async function start(answers: boolean, env: NodeJS.ProcessEnv = {}) {
  const bodies: Promise<Buffer>[] = [];
  const collector = createServer((request, response) => {
    bodies.push(buffer(request));
    if (answers) response.end();
  });
  const port = await listen(collector, '127.0.0.1', 0);
  endings.push(() => {
    collector.close();
    collector.closeAllConnections();
  });
  const args = ['--import=./test/support/jumpingClock.ts', '--input-type=module', '--eval', program];
  const service = startProcess(args, {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_TRACES_SAMPLER: 'always_on',
    ...env,
  });
  endings.push(() => service.process.kill('SIGKILL'));
  await service.logged('ready');
  const spans = async (): Promise<ReceivedSpan[]> => (await Promise.all(bodies)).flatMap(spansIn);
  return { service, collector, spans };
}

async function get(service: ServiceProcess, path: string): Promise<void> {
  expect((await fetch(`http://127.0.0.1:${service.port('http')}${path}`)).status).toBe(200);
}

it('the last spans of a service reach the collector while it stops', async () => {
  const { service, spans } = await start(true);
  await get(service, '/version');
  expect(await service.stop()).toEqual({ code: 0, signal: null });
  expect((await spans()).map(({ name }) => name)).toEqual(['GET /version']);
});

it('no span is longer than its request, also when the clock of the service is set meanwhile', async () => {
  const { service, spans } = await start(true);
  const hour = 3_600_000;
  for (const by of [hour, -2 * hour]) await get(service, `/clock?by=${by}`);
  await service.stop();
  const durations = (await spans()).map(({ ms }) => ms);
  expect(durations).toHaveLength(2);
  for (const ms of durations) expect([ms, ms >= 0 && ms < 60_000]).toEqual([ms, true]);
});

it('a collector that takes traces and never answers is not waited for longer than the last traces have', async () => {
  const tenMinutes = '600000';
  // Nothing else is to end it.
  const { service, collector } = await start(false, {
    OTEL_EXPORTER_OTLP_TIMEOUT: tenMinutes,
    SHUTDOWN_TIMEOUT_MS: tenMinutes,
  });
  const asked = once(collector, 'request');
  await get(service, '/version');
  expect(await service.stop()).toEqual({ code: 0, signal: null });
  await asked;
  expect(service.messages.slice(-2)).toEqual(['the last traces were not delivered in time', 'stopped']);
});
