import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { context as otelContext, trace } from '@opentelemetry/api';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { testHttp } from '../../test/support/http.ts';
import { Context, current, detach, newTraceId, runWith } from '../../pkg/context/index.ts';
import { readConfig } from '../config/config.ts';
import type { Http } from '../http/server.ts';
import { config } from './config.ts';
import { Delivery } from './delivery.ts';
import { telemetry } from './module.ts';
import { type RecordingTracing, startTracing } from './otel.ts';
import { samplingOf } from './sampling.ts';

const silent = pino({ level: 'silent' });
const parent = '4bf92f3577b34da6a3ce929d0e0e4736';
let collector: Server;
let endpoint: string;
let received: Buffer;
let asked: (string | undefined)[];

beforeEach(async () => {
  received = Buffer.alloc(0);
  asked = [];
  collector = createServer((request, response) => {
    asked.push(request.url);
    void buffer(request).then((body) => {
      received = Buffer.concat([received, body]);
      return response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const address = collector.address();
  endpoint = typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
});

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  vi.unstubAllEnvs();
  collector.closeAllConnections();
  collector.close();
});

/** A server whose traces go to the collector; `flush` waits until they are there. */
async function traced(env: Record<string, string> = {}): Promise<{ http: Http; flush: () => Promise<void> }> {
  const settings = readConfig(config, { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...env });
  const tracing: RecordingTracing = startTracing(settings, silent);
  const http = await testHttp({}, { tracing });
  closing.push(() => http.close(), tracing.stop);
  return { http, flush: tracing.stop };
}

function has(text: string, encoding: BufferEncoding = 'utf8'): boolean {
  return received.includes(Buffer.from(text, encoding));
}

describe('the trace of a request', () => {
  it('reaches the collector: a span by the conventions, and those of libraries as its children', async () => {
    const { http, flush } = await traced({ OTEL_TRACES_SAMPLER: 'always_on' });
    let place = current().trace;
    http.get('/items/:id', async () => {
      place = current().trace;
      return trace.getTracer('library').startActiveSpan('select', async (span) => {
        const inner = current().trace;
        span.end();
        return { inner };
      });
    });
    const response = await http.inject({ url: '/items/7?token=hunter2', headers: { host: 'shop:81' } });
    const { inner } = response.json<{ inner: typeof place }>();
    expect(inner).toMatchObject({ traceId: place.traceId, sampled: true });
    expect(inner.spanId).not.toBe(place.spanId);
    await flush();
    expect(asked).toEqual(['/v1/traces']);
    expect(
      ['GET /items/:id', 'select', 'http.route', '/items/7', 'shop', 'service.name'].filter((text) => !has(text)),
    ).toEqual([]);
    expect([place.traceId, place.spanId, inner.spanId].filter((id) => !has(id, 'hex'))).toEqual([]);
    expect(has('hunter2')).toBe(false);
  });

  it('reaches the collector by RPC as well, with the method and its status', async () => {
    const settings = readConfig(config, { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER: 'always_on' });
    const tracing = startTracing(settings, silent);
    closing.push(tracing.stop);
    const place = { traceId: newTraceId(), spanId: '00f067aa0ba902b7', sampled: true };
    const context = new Context({ id: 'r-1', trace: place });
    const caller = { traceId: place.traceId, spanId: 'b7ad6b7169203331', sampled: true };
    tracing.beginRpc(context, { method: 'test.Echo/One', peer: '192.0.2.7', parent: caller })('INTERNAL');
    await tracing.stop();
    const texts = ['test.Echo/One', 'rpc.method', 'rpc.response.status_code', 'INTERNAL', '192.0.2.7', 'error.type'];
    expect(texts.filter((text) => !has(text))).toEqual([]);
    const ids = [caller.traceId, caller.spanId, context.trace.spanId];
    expect(ids.filter((id) => !has(id, 'hex'))).toEqual([]);
  });

  it('is that of its caller, whose decision is heeded', async () => {
    const { http, flush } = await traced({ OTEL_TRACES_SAMPLER_ARG: '0' });
    const seen: string[] = [];
    http.get('/', () => {
      seen.push(current().trace.traceId);
      return {};
    });
    await http.inject({ url: '/', headers: { traceparent: `00-${parent}-00f067aa0ba902b7-01` } });
    await http.inject({ url: '/', headers: { traceparent: `00-${parent.replace('4b', '4c')}-00f067aa0ba902b7-00` } });
    await http.inject({ url: '/' });
    await flush();
    expect(has(parent, 'hex')).toBe(true);
    expect(has('00f067aa0ba902b7', 'hex')).toBe(true);
    expect(seen.slice(1).filter((id) => has(id, 'hex'))).toEqual([]);
    expect(new Set(seen).size).toBe(3);
  });

  it('is no part of another library when it is not sampled', async () => {
    const { http, flush } = await traced({ OTEL_TRACES_SAMPLER_ARG: '0' });
    http.get('/', () => {
      trace.getTracer('library').startSpan('select').end();
      return {};
    });
    await http.inject({ url: '/' });
    await flush();
    expect(asked).toEqual([]);
  });

  it('is linked by the trace of what was detached from it', async () => {
    const { http, flush } = await traced({ OTEL_TRACES_SAMPLER_ARG: '0' });
    const { promise: done, resolve } = Promise.withResolvers<Context>();
    http.get('/', () => {
      void detach('mail', async () => resolve(current()));
      return {};
    });
    await http.inject({ url: '/', headers: { traceparent: `00-${parent}-00f067aa0ba902b7-01` } });
    const context = await done;
    await flush();
    expect(context.trace.traceId).not.toBe(parent);
    expect(context.link?.traceId).toBe(parent);
    expect(has(context.trace.traceId, 'hex')).toBe(true);
    expect(has('mail')).toBe(true);
  });
});

describe('OpenTelemetry’s context', () => {
  it('lives in ours, and keeps its id and deadline', async () => {
    await traced();
    const outer = new Context({ id: 'r-1', deadline: performance.now() + 1000 });
    const key = Symbol('key');
    runWith(outer, () => {
      otelContext.with(otelContext.active().setValue(key, 1), () => {
        expect(otelContext.active().getValue(key)).toBe(1);
        expect(current()).toMatchObject({ id: 'r-1', deadline: outer.deadline });
      });
      const bound = otelContext.bind(otelContext.active().setValue(key, 2), () => otelContext.active().getValue(key));
      expect(bound()).toBe(2);
      expect(otelContext.active().getValue(key)).toBeUndefined();
    });
  });
});

describe('sampling', () => {
  const place = (sampled: boolean) => ({ traceId: newTraceId(), spanId: '00f067aa0ba902b7', sampled });

  it.each([
    ['always_on', true, true, true],
    ['always_off', false, false, false],
    ['parentbased_always_on', true, true, false],
    ['parentbased_always_off', false, true, false],
    ['traceidratio', true, true, true],
    ['parentbased_traceidratio', true, true, false],
  ] as const)('%s: new %j, of a sampled parent %j, of another %j', (name, fresh, sampled, unsampled) => {
    const { isSampled } = samplingOf({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: 1 });
    const decided = [undefined, place(true), place(false)].map((caller) => isSampled(newTraceId(), caller));
    expect(decided).toEqual([fresh, sampled, unsampled]);
  });

  it('takes the share that it is told', () => {
    const { isSampled } = samplingOf({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: 0.1 });
    const taken = Array.from({ length: 10_000 }, () => isSampled(newTraceId(), undefined)).filter(Boolean).length;
    expect(taken).toBeGreaterThan(800);
    expect(taken).toBeLessThan(1200);
  });
});

describe('a collector that cannot be reached', () => {
  it('is told of once, and once when it is back', () => {
    const lines: string[] = [];
    const log = pino({ base: null, timestamp: false }, { write: (line) => void lines.push(line) });
    const results = ['away', 'away', undefined, undefined, 'away'].map((text) =>
      text === undefined ? undefined : new Error(text),
    );
    const exporter = new Delivery(log).watch({
      export: (_spans, done) => {
        const error = results.shift();
        done(error === undefined ? { code: 0 } : { code: 1, error });
      },
      shutdown: async () => {},
    });
    for (let times = 0; times < 5; times += 1) exporter.export([], () => {});
    expect(lines.map((line): unknown => JSON.parse(line)['msg'])).toEqual([
      'traces cannot be delivered',
      'traces are delivered again',
      'traces cannot be delivered',
    ]);
  });

  it('slows no request, and does not hold up the end', async () => {
    // How long the exporter tries again.
    vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', '200');
    const { http, flush } = await traced({
      OTEL_TRACES_SAMPLER: 'always_on',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
    });
    http.get('/', () => ({}));
    const begun = performance.now();
    expect((await http.inject({ url: '/' })).statusCode).toBe(200);
    expect(performance.now() - begun).toBeLessThan(500);
    const ended = await Promise.race([flush().then(() => 'flushed'), http.close().then(() => 'closed')]);
    expect(ended).toBe('closed');
  });
});

it('without an endpoint, nothing is loaded, and what a caller decided is passed on', async () => {
  const { value, stop } = await telemetry.start({
    config: readConfig(config, {}),
    log: silent,
    signal: new AbortController().signal,
    lifecycle: { phase: 'starting', health: async () => ({}) },
    use: () => {
      throw new Error('it requires nothing');
    },
  });
  expect(stop).toBeUndefined();
  const place = { traceId: parent, spanId: '00f067aa0ba902b7', sampled: true };
  expect([value.isSampled(parent, place), value.isSampled(parent, undefined)]).toEqual([true, false]);
});
