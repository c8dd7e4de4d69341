/**
 * What the base service does, wired the usual way: a span for each request by @fastify/otel, Fastify's own request logs,
 * a histogram of prom-client, helmet, a context by `als.run` in a hook.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import helmet from '@fastify/helmet';
import { FastifyOtelInstrumentation } from '@fastify/otel';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { fastify } from 'fastify';
import { Histogram } from 'prom-client';

const provider = new TracerProvider({
  sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.01) }),
  spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
});
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
trace.setGlobalTracerProvider(provider);
const instrumentation = new FastifyOtelInstrumentation();
instrumentation.setTracerProvider(provider);

const requests = new AsyncLocalStorage();
const durations = new Histogram({
  name: 'http_request_duration_seconds',
  help: 'Duration of HTTP requests in seconds.',
  labelNames: ['method', 'route', 'status'],
});

const app = fastify({ logger: true, genReqId: () => randomUUID() });
await app.register(instrumentation.plugin());
await app.register(helmet);
app.addHook('onRequest', (request, _reply, done) => {
  requests.run({ id: request.id, signal: AbortSignal.timeout(15_000) }, done);
});
app.addHook('onResponse', (request, reply, done) => {
  const { method, routeOptions } = request;
  durations.observe({ method, route: routeOptions.url, status: reply.statusCode }, reply.elapsedTime / 1000);
  done();
});
const response = { 200: { type: 'object', properties: { hello: { type: 'string' } } } };
app.get('/hello', { schema: { response } }, () => ({ hello: 'world' }));
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) });
