import { type Server, type ServerResponse, createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { trace } from '@opentelemetry/api';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testHttp } from '../../../test/support/http.ts';
import { readConfig } from '../config/config.ts';
import { listen } from '../http/connections.ts';
import type { Http } from '../http/server.ts';
import { config } from './config.ts';
import { type RecordingTracing, startTracing } from './otel.ts';

/** Of the SDK: spans that are sent at once, and those that wait meanwhile. */
const batch = 512;
const queue = 2048;

let collector: Server;
/** What the collector has taken in, and how it answers. */
let received: Buffer[];
let answer: (response: ServerResponse) => void;
let tracing: RecordingTracing;
let http: Http;
let lines: string[];
const pending: ServerResponse[] = [];

beforeEach(async () => {
  received = [];
  lines = [];
  collector = createServer((request, response) => {
    const take = async (): Promise<void> => {
      received.push(await buffer(request));
      answer(response);
    };
    void take();
  });
  const port = await listen(collector, '127.0.0.1', 0);
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_TRACES_SAMPLER: 'always_on' };
  const log = pino({}, { write: (line) => void lines.push(line) });
  tracing = startTracing(readConfig(config, env), log);
  http = await testHttp({}, { tracing });
  http.get('/', () => ({ ok: true }));
});
afterEach(async () => {
  await http.close();
  await tracing.stop();
  collector.closeAllConnections();
  collector.close();
});

function trickle(response: ServerResponse): void {
  response.writeHead(200);
  const drip = setInterval(() => {
    if (response.writableEnded) clearInterval(drip);
    else response.write('.');
  }, 20);
}

describe('a collector that', () => {
  it.each([
    ['takes what it is sent and does not answer', () => undefined],
    ['answers byte by byte', trickle],
  ])('%s slows no request, has a bounded number of spans wait for it, and is told of once', async (_what, slowly) => {
    answer = (response) => {
      pending.push(response);
      slowly(response);
    };
    const tracer = trace.getTracer('test');
    for (let count = 0; count < 10_000; count += 1) tracer.startSpan('of the test').end();
    await expect.poll(() => received.length).toBe(1);

    // It has not answered, and yet:
    for (let count = 0; count < 50; count += 1) expect((await http.inject('/')).statusCode).toBe(200);
    expect(received).toHaveLength(1);

    answer = (response) => response.end();
    for (const response of pending.splice(0)) response.end();
    await expect.poll(() => received.length).toBe(1 + queue / batch);
    tracer.startSpan('of the test').end();
    tracer.startSpan('of the test').end();
    await tracing.stop();
    expect(
      Buffer.concat(received)
        .toString('latin1')
        .match(/of the test/g),
    ).toHaveLength(batch + queue + 2);
    expect(lines).toHaveLength(1);
  });

  it.each([400, 401, 413])('refuses what it is sent with %i slows no request, and is told of once', async (status) => {
    answer = (response) => response.writeHead(status).end();
    const tracer = trace.getTracer('test');
    for (let sent = 1; sent <= 3; sent += 1) {
      for (let count = 0; count < batch; count += 1) tracer.startSpan('of the test').end();
      await expect.poll(() => received.length).toBe(sent);
      expect((await http.inject('/')).statusCode).toBe(200);
    }
    await expect.poll(() => lines.length).toBe(1);
    expect(lines[0]).toContain('OpenTelemetry warns: traces may be lost');
  });
});
