/**
 * `npm run smoke`: builds the service, starts it, and checks that it works as a whole. SMOKE_COMMAND starts something else
 * instead, for example an image with `docker run --network host --env PORT ...`.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Tally, load, preparations, startService } from './service.ts';

const { env, headers, verify } = await preparations();
const command = process.env['SMOKE_COMMAND']?.split(' ') ?? [process.execPath, 'dist/cmd/server/main.js'];
const service = await startService(
  {
    NODE_ENV: 'production',
    SHUTDOWN_DELAY_MS: '2000',
    ...env,
  },
  command,
);
// Also when a check fails.
process.once('exit', () => service.process.kill('SIGKILL'));
const get = (url: string): Promise<Response> => fetch(url, { headers, signal: AbortSignal.timeout(60_000) });

for (const probe of ['livez', 'startupz', 'readyz']) {
  assert.equal((await get(`${service.admin}/${probe}`)).status, 200, probe);
}

const missing = await get(`${service.api}/nothing-here`);
assert.equal(missing.status, 404);
assert.match(missing.headers.get('content-type') ?? '', /^application\/problem\+json/);
const [, traceId = ''] = /"traceId":"(\w{32})"/.exec(await missing.text()) ?? [];

assert.equal((await get(`${service.api}/version?${'x'.repeat(10_000)}`)).status, 414);

const metrics = await (await get(`${service.admin}/metrics`)).text();
assert.match(metrics, /^http_request_duration_seconds_count\{method="GET",route="unmatched",status="404"\} 1$/m);
assert.match(metrics, /^build_info\{/m);
const accept = { accept: 'application/openmetrics-text' };
const openMetrics = await (await fetch(`${service.admin}/metrics`, { headers: accept })).text();
assert.match(openMetrics, /\n# EOF\n$/);

const tally = new Tally();
const clients = load(`${service.api}/version`, 10, tally);
while (tally.succeeded === 0 && tally.failures.length === 0) await sleep(20);
const exited = service.stop();
await service.logged('stopping');
assert.equal((await get(`${service.admin}/readyz`)).status, 503);
await clients;
assert.deepEqual(tally.failures, [], 'requests failed while the service stopped');
assert.deepEqual(await exited, { code: 0, signal: null }, service.output.join('\n'));

// The last lines are written during the stop.
assert.ok(
  service.output.some((line) => line.includes(traceId)),
  'no line of the log names the trace of the request',
);
await verify({ traceId, openMetrics });

process.stdout.write(
  `It starts, answers its probes, measures, keeps its limits and stops; of ${tally.succeeded} requests none failed.\n`,
);
