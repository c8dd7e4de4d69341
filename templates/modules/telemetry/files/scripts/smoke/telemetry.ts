/** For `npm run smoke`: a collector must get the trace of a request, and an exemplar must name that trace. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { listen } from '../../internal/platform/http/connections.ts';
import type { Seen } from '../smoke.ts';

const bodies: Promise<Buffer>[] = [];
const collector = createServer((request, response) => {
  bodies.push(buffer(request));
  response.end();
});
const port = await listen(collector, '127.0.0.1', 0);

export const env = {
  OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
  OTEL_TRACES_SAMPLER: 'always_on',
};

/** The last spans arrive while the service stops. */
export async function verify({ traceId, openMetrics }: Seen): Promise<void> {
  assert.match(openMetrics, new RegExp(`status="404"\\} 1 # \\{trace_id="${traceId}"\\}`), 'no exemplar');
  const spans = Buffer.concat(await Promise.all(bodies));
  assert.ok(spans.includes(Buffer.from(traceId, 'hex')), 'the trace of a request did not reach the collector');
  collector.close();
}
