/**
 * `npm run smoke`: builds the service, starts it, and checks that it works as a whole. SMOKE_COMMAND starts something else
 * instead, for example an image with `docker run --network host --env PORT ...`.
 */
import assert from 'node:assert/strict';
import { Type } from 'typebox';
import { importAll, readArguments } from './build.ts';
import { startService } from './service.ts';

const Texts = Type.Record(Type.String(), Type.String());
/** What a module adds by a file in `scripts/smoke/`. */
const Preparation = Type.Object({
  /** Settings that the module needs in production. */
  env: Type.Optional(Texts),
  /** For requests to routes that are not public. */
  headers: Type.Optional(Texts),
  /** Runs after the service has stopped. */
  stop: Type.Optional(Type.Unsafe<() => Promise<void>>({})),
});

readArguments('smoke');
const preparations = await importAll('scripts/smoke/*.ts', Preparation);
const env = Object.fromEntries(preparations.flatMap((each) => Object.entries(each.env ?? {})));
const headers = Object.fromEntries(preparations.flatMap((each) => Object.entries(each.headers ?? {})));
const service = await startService(
  { NODE_ENV: 'production', ...env },
  process.env['SMOKE_COMMAND']?.split(' ') ?? [process.execPath, 'dist/cmd/server/main.js'],
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

const accept = 'application/openmetrics-text';
const openMetrics = await (await fetch(`${service.admin}/metrics`, { headers: { accept } })).text();
assert.match(openMetrics, /^http_request_duration_seconds_count\{method="GET",route="unmatched",status="404"\} 1$/m);

assert.deepEqual(await service.stop(), { code: 0, signal: null }, service.output.join('\n'));
// The last lines are written during the stop.
assert.ok(
  service.output.some((line) => line.includes(traceId)),
  'no line of the log names the trace of the request',
);
for (const { stop } of preparations) await stop?.();

process.stdout.write('It starts, answers its probes, measures and stops.\n');
