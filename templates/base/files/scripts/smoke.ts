/**
 * `npm run smoke`: builds the service, starts it, and checks that it works as a whole. SMOKE_COMMAND starts something else
 * instead, for example an image with `docker run --network host --env PORT ...`.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { load, preparations, startService } from './service.ts';

const delayMs = 1000;
const maxMsToStop = 5000;

const { env, headers, verify } = await preparations();
const command = process.env['SMOKE_COMMAND']?.split(' ') ?? [process.execPath, 'dist/cmd/server/main.js'];
const service = await startService(
  {
    NODE_ENV: 'production',
    SHUTDOWN_DELAY_MS: String(delayMs),
    ...env,
  },
  command,
);
// Also when a check fails.
process.once('exit', () => service.process.kill('SIGKILL'));
const get = (url: string): Promise<Response> => fetch(url, { headers, signal: AbortSignal.timeout(5000) });

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

// Like a load balancer, send requests until the service is not ready.
const leave = new AbortController();
const clients = load(`${service.api}/version`, 10, leave.signal);
await sleep(300);
const begun = performance.now();
const exited = service.stop();
while ((await get(`${service.admin}/readyz`)).ok) await sleep(20);
await sleep(200);
leave.abort();
const { succeeded, failures } = await clients;
const exit = await exited;
const ms = Math.round(performance.now() - begun - delayMs);
assert.deepEqual(failures, [], 'requests failed while the service stopped');
assert.ok(succeeded > 0);
assert.deepEqual(exit, { code: 0, signal: null }, service.output.join('\n'));
assert.ok(ms < maxMsToStop, `it took ${ms} ms to stop`);

// The last lines are written during the stop.
assert.ok(
  service.output.some((line) => line.includes(traceId)),
  'no line of the log names the trace of the request',
);
await verify({ traceId, openMetrics });

process.stdout.write(
  `It starts, answers its probes, measures, keeps its limits; it stopped within ${ms} ms, and of ${succeeded} requests none failed.\n`,
);
