import { once } from 'node:events';
import { type IncomingHttpHeaders, type Server, createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { context as otelContext, trace } from '@opentelemetry/api';
import { pino } from 'pino';
import { Type } from 'typebox';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { listenLocally, testHttp } from '../../../test/support/http.ts';
import { type ReceivedSpan, spansIn } from '../../../test/support/otlp.ts';
import { connectTo } from '../../../test/support/raw.ts';
import { Context, contextFetch, current, detach, newTraceId, runWith } from '../../../pkg/context/index.ts';
import { Service } from '../app/lifecycle.ts';
import { defineModule } from '../app/module.ts';
import { type Tracing, noTracing, tracing } from '../app/tracing.ts';
import { checkConfig, readConfig } from '../config/config.ts';
import type { Http } from '../http/server.ts';
import { config } from './config.ts';
import { telemetry } from './module.ts';
import { type RecordingTracing, samplingOf, startTracing } from './otel.ts';
import { withoutEffect } from './variables.ts';

const silent = pino({ level: 'silent' });
const parent = '4bf92f3577b34da6a3ce929d0e0e4736';
let collector: Server;
let endpoint: string;
let received: Buffer;
let asked: (string | undefined)[];
let sentHeaders: IncomingHttpHeaders;

beforeEach(async () => {
  received = Buffer.alloc(0);
  asked = [];
  collector = createServer((request, response) => {
    asked.push(request.url);
    sentHeaders = request.headers;
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
  const recording: RecordingTracing = startTracing(settings, silent);
  const http = await testHttp({}, { tracing: recording });
  closing.push(() => http.close(), recording.stop);
  return { http, flush: recording.stop };
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
    expect(['GET /items/:id', 'select', 'http.route', '/items/7', 'service.name'].filter((text) => !has(text))).toEqual(
      [],
    );
    expect([place.traceId, place.spanId, inner.spanId].filter((id) => !has(id, 'hex'))).toEqual([]);
    expect(has('hunter2')).toBe(false);
  });

  it('reaches the collector by other ways as well, with what is known at its begin and at its end', async () => {
    const settings = readConfig(config, { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER: 'always_on' });
    const recording = startTracing(settings, silent);
    closing.push(recording.stop);
    const place = { traceId: newTraceId(), spanId: '00f067aa0ba902b7', sampled: true };
    const context = new Context({ id: 'r-1', trace: place });
    const caller = { traceId: place.traceId, spanId: 'b7ad6b7169203331', sampled: true };
    const attributes = { 'rpc.method': 'test.Echo/One', 'client.address': '192.0.2.7' };
    const incoming = { name: 'test.Echo/One', kind: 'server', attributes, parent: caller } as const;
    recording.begin(context, incoming)({ 'rpc.response.status_code': 'INTERNAL' }, 'INTERNAL');
    recording.begin(new Context({ id: 'r-2', trace: place }), { ...incoming, kind: 'consumer' })({});
    await recording.stop();
    expect(spansIn(received)).toMatchObject([
      {
        traceId: caller.traceId,
        spanId: context.trace.spanId,
        parentSpanId: caller.spanId,
        name: 'test.Echo/One',
        kind: 2,
        attributes: { ...attributes, 'rpc.response.status_code': 'INTERNAL', 'error.type': 'INTERNAL' },
        status: 2,
      },
      { kind: 5, status: 0 },
    ]);
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

  it('has no status when the client has left before there was one', async () => {
    const { http, flush } = await traced({ OTEL_TRACES_SAMPLER: 'always_on' });
    const begun = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    http.get('/slow', async () => {
      begun.resolve();
      await sleep(60_000, undefined, { signal: current().signal }).finally(ended.resolve);
    });
    const client = await connectTo(await listenLocally(http));
    client.write('GET /slow HTTP/1.1\r\nhost: a\r\n\r\n');
    await begun.promise;
    client.destroy();
    await ended.promise;
    await flush();
    const [span] = spansIn(received);
    expect(span).toMatchObject({ name: 'GET /slow', attributes: { 'error.type': 'connection_closed' }, status: 2 });
    expect(span?.attributes).not.toHaveProperty('http.response.status_code');
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

  it('is linked by the trace of work that was detached from it', async () => {
    const { http, flush } = await traced({ OTEL_TRACES_SAMPLER_ARG: '0' });
    const { promise: done, resolve } = Promise.withResolvers<Context>();
    http.get('/', () => {
      void detach('mail', async () => resolve(current()));
      return {};
    });
    await http.inject({ url: '/', headers: { traceparent: `00-${parent}-00f067aa0ba902b7-01` } });
    const context = await done;
    await flush();
    const { traceId } = context.trace;
    expect(traceId).not.toBe(parent);
    expect(spansIn(received)).toContainEqual(expect.objectContaining({ name: 'mail', traceId, links: [parent] }));
  });
});

describe('a call to another service', () => {
  let callee: Server;
  let url: string;
  let told: IncomingHttpHeaders[];

  beforeEach(async () => {
    told = [];
    callee = createServer(({ url: path = '', headers }, response) => {
      told.push(headers);
      if (path.startsWith('/never')) return;
      response.writeHead(Number(/\d{3}/.exec(path)?.[0] ?? 200)).end();
    }).listen(0, '127.0.0.1');
    await once(callee, 'listening');
    const address = callee.address();
    url = typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
  });
  afterEach(() => {
    callee.closeAllConnections();
    callee.close();
  });

  /** What the collector gets of one request whose handler makes that call. */
  async function spansOf(call: () => Promise<unknown>, headers = {}, env = {}): Promise<ReceivedSpan[]> {
    const { http, flush } = await traced({ OTEL_TRACES_SAMPLER: 'always_on', ...env });
    http.get('/', async () => {
      await call();
      return {};
    });
    await http.inject({ url: '/', headers });
    await flush();
    return spansIn(received);
  }

  it('is a span of a client, by the conventions, under which the callee hangs its own', async () => {
    const headers = { traceparent: `00-${parent}-00f067aa0ba902b7-01`, tracestate: 'rojo=1' };
    const call = (): Promise<unknown> => contextFetch(`${url}/items/7?token=hunter2&a=b==&hunter3#hunter4`);
    const spans = await spansOf(call, headers);
    expect(spans).toHaveLength(2);
    const [span, server] = spans;
    expect(span).toEqual({
      traceId: parent,
      spanId: expect.stringMatching(/^[\da-f]{16}$/),
      links: [],
      parentSpanId: server?.spanId,
      name: 'GET',
      kind: 3,
      ms: expect.any(Number),
      attributes: {
        'http.request.method': 'GET',
        'url.full': `${url}/items/7`,
        'server.address': '127.0.0.1',
        'server.port': Number(new URL(url).port),
        'http.response.status_code': 200,
      },
      status: 0,
    });
    expect(told).toEqual([
      expect.objectContaining({ traceparent: `00-${parent}-${span?.spanId}-01`, tracestate: 'rojo=1' }),
    ]);
    expect(has('hunter')).toBe(false);
  });

  it.each([
    ['404', '404'],
    ['503', '503'],
  ])('that is answered by %s is an error', async (status, type) => {
    const [span] = await spansOf(() => contextFetch(`${url}/${status}`));
    expect(span).toMatchObject({
      kind: 3,
      attributes: { 'http.response.status_code': Number(status), 'error.type': type },
      status: 2,
    });
  });

  it.each<[string, () => Promise<unknown>, string]>([
    [
      'reaches nobody',
      async () => {
        callee.close();
        await once(callee, 'close');
        return contextFetch(url);
      },
      'ECONNREFUSED',
    ],
    ['runs out of time', () => contextFetch(`${url}/never`), 'deadline_exceeded'],
    ['is given up', () => contextFetch(`${url}/never`, { signal: AbortSignal.timeout(50) }), 'TimeoutError'],
  ])('that %s is an error without a status', async (_what, call, type) => {
    const [span] = await spansOf(() => call().catch(() => undefined), { 'x-request-timeout': '1000' });
    expect(span).toMatchObject({ kind: 3, attributes: { 'error.type': type }, status: 2 });
    expect(span?.attributes).not.toHaveProperty('http.response.status_code');
  });

  it('with a method of its own is named by none, and has the port of its scheme', async () => {
    const [span] = await spansOf(() =>
      contextFetch('http://localhost/', { method: 'PURGE', signal: AbortSignal.abort(new Error('no')) }).catch(
        () => {},
      ),
    );
    expect(span).toMatchObject({
      name: 'HTTP',
      attributes: { 'http.request.method': '_OTHER', 'server.port': 80, 'error.type': 'Error' },
    });
  });

  it('that there is no time for is none', async () => {
    const spans = await spansOf(async () => {
      current().cancel();
      await contextFetch(url).catch(() => undefined);
    });
    expect(spans.map(({ kind }) => kind)).toEqual([2]);
    expect(told).toEqual([]);
  });

  it('of a library’s span, or of work that was detached, also twice, is a child of that', async () => {
    const places = new Map<string, string>();
    const call = async (name: string): Promise<void> => {
      places.set(name, current().trace.spanId);
      await contextFetch(`${url}/${name}`);
    };
    const spans = await spansOf(async () => {
      await trace.getTracer('library').startActiveSpan('select', async (span) => {
        await call('inner');
        span.end();
      });
      await detach('mail', async () => {
        await call('mail');
        await detach('audit', () => call('audit'));
      });
    });
    const calls = spans.filter(({ kind }) => kind === 3);
    expect(calls.map(({ attributes }) => attributes['url.full'])).toEqual(
      ['inner', 'mail', 'audit'].map((name) => `${url}/${name}`),
    );
    expect(calls.map(({ parentSpanId }) => parentSpanId)).toEqual([...places.values()]);
    expect(new Set(calls.map(({ traceId }) => traceId)).size).toBe(3);
    expect(told.map(({ traceparent }) => traceparent)).toEqual(
      calls.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`),
    );
  });

  it('in a request that is not recorded makes no span, and passes the trace on', async () => {
    const headers = { traceparent: `00-${parent}-00f067aa0ba902b7-00` };
    let place = current().trace;
    const call = async (): Promise<void> => {
      place = current().trace;
      await contextFetch(url);
      await trace.getTracer('library').startActiveSpan('select', () => contextFetch(url));
    };
    expect(await spansOf(call, headers, { OTEL_TRACES_SAMPLER: 'parentbased_always_on' })).toEqual([]);
    expect(told).toHaveLength(2);
    expect(told[0]).toMatchObject({ traceparent: `00-${parent}-${place.spanId}-00` });
    expect(told[1]?.['traceparent']).toMatch(new RegExp(`^00-${parent}-[\\da-f]{16}-00$`));
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
    const isSampled = samplingOf({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: 1 });
    const decided = [undefined, place(true), place(false)].map((caller) => isSampled(newTraceId(), caller));
    expect(decided).toEqual([fresh, sampled, unsampled]);
  });

  it('takes the share that it is told', () => {
    const isSampled = samplingOf({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: 0.1 });
    const taken = Array.from({ length: 10_000 }, () => isSampled(newTraceId(), undefined)).filter(Boolean).length;
    expect(taken).toBeGreaterThan(800);
    expect(taken).toBeLessThan(1200);
  });
});

describe('delivery', () => {
  it('is as the variables of OpenTelemetry say: URL, headers, attributes of the process', async () => {
    vi.stubEnv('OTEL_EXPORTER_OTLP_HEADERS', 'x-all=1,x-key=all');
    vi.stubEnv('OTEL_EXPORTER_OTLP_TRACES_HEADERS', 'x-key=traces');
    vi.stubEnv('OTEL_SERVICE_NAME', 'chosen-name');
    vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', 'k8s.node.name=chosen-node,service.name=not-chosen');
    const { http, flush } = await traced({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${endpoint}/other/path`,
      OTEL_TRACES_SAMPLER: 'always_on',
    });
    http.get('/', () => ({}));
    await http.inject({ url: '/' });
    await flush();
    expect(asked).toEqual(['/other/path']);
    expect(sentHeaders).toMatchObject({ 'x-all': '1', 'x-key': 'traces' });
    expect(['chosen-name', 'chosen-node', 'service.instance.id'].filter((text) => !has(text))).toEqual([]);
    expect(has('not-chosen')).toBe(false);
  });
});

describe('a collector that cannot be reached', () => {
  it('slows no request, and does not hold up the end', async () => {
    // How long the exporter tries again.
    vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', '3000');
    const { http, flush } = await traced({
      OTEL_TRACES_SAMPLER: 'always_on',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
    });
    http.get('/', () => ({}));
    expect((await http.inject({ url: '/' })).statusCode).toBe(200);
    const ended = await Promise.race([flush().then(() => 'flushed'), http.close().then(() => 'closed')]);
    expect(ended).toBe('closed');
  });
});

describe('the module', () => {
  /** @returns which tracing is in use once it has started, and what it does when it stops */
  async function started(env: Record<string, string>): Promise<{ tracing: Tracing; stop: () => Promise<boolean> }> {
    let used = noTracing;
    const user = defineModule({
      name: 'user',
      config: Type.Object({}),
      requires: [tracing],
      start({ use }) {
        used = use(tracing).current;
        return { value: undefined };
      },
    });
    const service = new Service([user, tracing, telemetry], {
      log: silent,
      configOf: (module) => readConfig(module.config, env),
      startTimeoutMs: 10_000,
    });
    await service.start();
    return { tracing: used, stop: () => service.stop(0, 10_000) };
  }

  it('has traces recorded by whoever requires tracing', async () => {
    const { tracing: used, stop } = await started({
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_TRACES_SAMPLER: 'always_on',
    });
    expect(used.isSampled(parent, undefined)).toBe(true);
    expect(await stop()).toBe(true);
  });

  it.each<[string, Record<string, string>]>([
    ['without an endpoint', {}],
    ['when it is disabled', { OTEL_SDK_DISABLED: 'true', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' }],
    ['with no exporter', { OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:1' }],
  ])('does nothing %s, and what a caller decided is passed on', async (_what, env) => {
    const { tracing: used, stop } = await started(env);
    expect(used).toBe(noTracing);
    const place = { traceId: parent, spanId: '00f067aa0ba902b7', sampled: true };
    expect([used.isSampled(parent, place), used.isSampled(parent, undefined)]).toEqual([true, false]);
    expect(await stop()).toBe(true);
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'http://127.0.0.1:1/v1/traces'],
    ['OTEL_TRACES_EXPORTER', 'otlp'],
  ])('records when only %s is set', async (variable, value) => {
    const { tracing: used, stop } = await started({ [variable]: value });
    expect(used).not.toBe(noTracing);
    expect(await stop()).toBe(true);
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://[::1'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'http://[::1'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'grpc://collector:4317'],
    ['OTEL_TRACES_EXPORTER', 'zipkin'],
    ['OTEL_TRACES_SAMPLER', 'jaeger_remote'],
    ['OTEL_TRACES_SAMPLER_ARG', '2'],
    ['OTEL_SDK_DISABLED', 'yes'],
  ])('refuses %s=%s by its name', (variable, value) => {
    const check = (env: Record<string, string>) => checkConfig([config], env);
    expect(() => check({ [variable]: value })).toThrow(`  ${variable}: `);
    expect(() => check({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example.com/otlp' })).not.toThrow();
  });

  it('names the variables of OpenTelemetry that have no effect, and those that the libraries cannot read', async () => {
    vi.stubEnv('OTEL_METRICS_EXPORTER', 'otlp');
    vi.stubEnv('OTEL_EXPORTER_OTLP_TRACES_HEADERS', 'x-key=1');
    vi.stubEnv('OTEL_EXPORTER_OTLP_COMPRESSION', 'zstd');
    let text = '';
    const service = new Service([tracing, telemetry], {
      log: pino({}, { write: (line) => (text += line) }),
      configOf: (module) => readConfig(module.config, { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }),
      startTimeoutMs: 10_000,
    });
    await service.start();
    const lines = text.trim().split('\n');
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      expect.objectContaining({
        level: 40,
        variables: { OTEL_METRICS_EXPORTER: expect.stringContaining('/metrics of the admin port') },
      }),
      expect.objectContaining({ level: 40, warning: expect.stringContaining('OTEL_EXPORTER_OTLP_COMPRESSION') }),
    ]);
    expect(await service.stop(0, 1000)).toBe(true);
  });
});

describe('a variable of OpenTelemetry', () => {
  it.each([
    ['OTEL_PROPAGATORS', 'tracecontext,baggage', 'set tracecontext'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', 'http/protobuf'],
    ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'http/json', 'http/protobuf'],
    ['OTEL_METRIC_EXPORT_INTERVAL', '1000', '/metrics'],
    ['OTEL_EXPORTER_OTLP_METRICS_PROTOCOL', 'http/protobuf', '/metrics'],
    ['OTEL_BLRP_MAX_QUEUE_SIZE', '1', 'standard output'],
    ['OTEL_EXPORTER_OTLP_LOGS_ENDPOINT', 'http://collector', 'standard output'],
    ['OTEL_LOG_LEVEL', 'debug', 'LOG_LEVEL'],
    ['OTEL_NODE_RESOURCE_DETECTORS', 'all', 'not support'],
    ['OTEL_BSP_MAX_QUEUE_SIZE', '0', 'an integer from 1'],
    ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 'many', 'an integer from 1'],
    ['OTEL_BSP_SCHEDULE_DELAY', '99999999999', 'an integer from 0 to 2147483647'],
  ])('%s=%s is named with what to do', (variable, value, advice) => {
    expect(withoutEffect({ [variable]: value })).toEqual({ [variable]: expect.stringContaining(advice) });
  });

  it.each([
    ['OTEL_PROPAGATORS', 'tracecontext'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'http/protobuf'],
    ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'http/protobuf'],
    ['OTEL_METRICS_EXPORTER', 'none'],
    ['OTEL_LOGS_EXPORTER', 'none'],
    ['OTEL_LOG_LEVEL', ''],
    ['OTEL_TRACES_SAMPLER_ARG', '0.1'],
    ['OTEL_BSP_SCHEDULE_DELAY', '0'],
    ['OTEL_SPAN_LINK_COUNT_LIMIT', '7'],
    ['LOG_LEVEL', 'debug'],
  ])('%s=%s is not named: it says what is so', (variable, value) => {
    expect(withoutEffect({ [variable]: value })).toEqual({});
  });

  it('sets the size of batches', async () => {
    vi.stubEnv('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', '2');
    vi.stubEnv('OTEL_BSP_MAX_QUEUE_SIZE', '5');
    const { http, flush } = await traced({ OTEL_TRACES_SAMPLER: 'always_on' });
    http.get('/', () => {
      for (let made = 0; made < 9; made++) trace.getTracer('library').startSpan('step').end();
      return {};
    });
    await http.inject({ url: '/' });
    await flush();
    // A full batch is sent at once. Its place in the queue is free then; of the other spans, five fit.
    expect(asked).toHaveLength(4);
    expect(spansIn(received)).toHaveLength(7);
  });

  it('sets when a batch is sent', async () => {
    vi.stubEnv('OTEL_BSP_SCHEDULE_DELAY', '1');
    const { http } = await traced({ OTEL_TRACES_SAMPLER: 'always_on' });
    http.get('/', () => ({}));
    await http.inject({ url: '/' });
    await vi.waitFor(() => expect(has('GET /')).toBe(true), { timeout: 4000 });
  });

  it('bounds a span; the special one counts more than the general one, but not when it cannot be used', async () => {
    vi.stubEnv('OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT', '3');
    vi.stubEnv('OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', '4');
    vi.stubEnv('OTEL_ATTRIBUTE_COUNT_LIMIT', '1');
    vi.stubEnv('OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', '-1');
    const { http, flush } = await traced({ OTEL_TRACES_SAMPLER: 'always_on' });
    http.get('/', () => {
      trace
        .getTracer('library')
        .startSpan('step', { attributes: { first: 'abcdefg', second: 'b' } })
        .end();
      return {};
    });
    await http.inject({ url: '/' });
    await flush();
    expect(spansIn(received).find(({ name }) => name === 'step')).toMatchObject({ attributes: { first: 'abcd' } });
    expect(spansIn(received).flatMap(({ attributes }) => Object.keys(attributes))).not.toContain('second');
  });
});
