/** Starts what the build made and asks whether it works as a whole: `npm run smoke` builds first. */
import assert from 'node:assert/strict';
import { preparations } from '../test/support/preparations.ts';
import { startService } from '../test/support/service.ts';

const mostMsToStop = 5000;

const { env, headers } = await preparations();
const service = await startService(
  { NODE_ENV: 'production', SHUTDOWN_DELAY_MS: '0', ...env },
  'dist/cmd/server/main.js',
);
// Whatever fails, nothing is left running.
process.once('exit', () => service.process.kill('SIGKILL'));
const get = (url: string): Promise<Response> => fetch(url, { headers, signal: AbortSignal.timeout(5000) });

for (const probe of ['livez', 'startupz', 'readyz']) {
  assert.equal((await get(`${service.admin}/${probe}`)).status, 200, probe);
}

const missing = await get(`${service.api}/nothing-here`);
assert.equal(missing.status, 404);
assert.match(missing.headers.get('content-type') ?? '', /^application\/problem\+json/);

const metrics = await (await get(`${service.admin}/metrics`)).text();
assert.match(metrics, /^http_request_duration_seconds_count\{method="GET",route="unmatched",status="404"\} 1$/m);
assert.match(metrics, /^build_info\{/m);

const begun = performance.now();
const exit = await service.stop();
const ms = Math.round(performance.now() - begun);
assert.deepEqual(exit, { code: 0, signal: null }, service.output.join('\n'));
assert.ok(ms < mostMsToStop, `it took ${ms} ms to stop`);

process.stdout.write(`The build starts, answers its probes, measures, and stopped within ${ms} ms.\n`);
