import { once } from 'node:events';
import { connect } from 'node:http2';
import { Registry } from '@prometheus-io/client';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { current, detach, newSpanId, recorder } from '../../../pkg/context/index.ts';
import { unauthenticated } from '../../../pkg/errors/index.ts';
import { readConfig } from '../config/config.ts';
import { type Incoming, noTracing } from '../app/tracing.ts';
import { principalKey } from '../http/requestContext.ts';
import { ErrorCounts } from '../metrics/module.ts';
import { config } from './config.ts';
import { Grpc } from './server.ts';
import { type Answer, Echo, callRaw, echoes, text, until } from './testing.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const callersSpan = '00f067aa0ba902b7';
const sampled = { traceparent: `00-${traceId}-${callersSpan}-01` };
const good = { authorization: 'Bearer good' };
const grpcType = { 'content-type': 'application/grpc' };

let grpc: Grpc;
let port: number;
/** What a call has passed, each with how many calls hold a place at that moment. */
let passed: string[];
let spans: Incoming[];
let stop: () => Promise<void>;
/** Tokens are verified once it has settled. */
let verified: Promise<void> | undefined;
/** How many tokens came to be verified. */
let asked: number;

function pass(what: string): void {
  passed.push(`${what}, ${grpc.calls} in flight`);
}

beforeEach(async () => {
  passed = [];
  spans = [];
  verified = undefined;
  asked = 0;
  const registry = new Registry();
  grpc = new Grpc({
    config: readConfig(config, { GRPC_HOST: '127.0.0.1', GRPC_PORT: '0', GRPC_CALLS_LIMIT: '1' }),
    log: pino({ level: 'silent' }),
    registry,
    errors: new ErrorCounts(registry),
    tracing: {
      ...noTracing,
      begin(context, incoming) {
        pass(`span begun for ${context.get(principalKey)?.subject ?? 'nobody'}`);
        spans.push(incoming);
        context.trace = { ...context.trace, spanId: newSpanId() };
        const detached = (name: string) => {
          pass(`${name} goes on`);
          return undefined;
        };
        context.set(recorder, { fetch, detached });
        return ({ 'rpc.response.status_code': status }, fault) =>
          passed.push(`span ended with ${status}${fault === undefined ? '' : ', a fault'}`);
      },
    },
    identity: {
      async authenticate(token) {
        asked += 1;
        await verified;
        pass('authenticated');
        if (token !== 'good') throw unauthenticated('No.');
        return { subject: 'ada', scopes: new Set(), roles: new Set(), claims: {}, expiresAt: Infinity };
      },
    },
    stopping: new AbortController().signal,
  });
  const hangs = () => {
    pass('handled');
    return new Promise<never>(() => {});
  };
  grpc.add(Echo, { ...echoes, one: see, again: hangs, spread }, { methods: { again: { auth: 'public' } } });
  port = await grpc.listen();
  stop = () => grpc.drain(AbortSignal.timeout(100));
});
afterEach(() => stop());

function see(request: { readonly value: string }): { value: string } {
  pass(`handled in ${current().trace.spanId === callersSpan ? "the caller's span" : 'its own span'}`);
  return { value: request.value };
}

async function* spread(): AsyncGenerator<{ value: string }> {
  yield { value: await detach('mail', async () => current().id) };
}

async function call(path: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  try {
    await once(session, 'remoteSettings');
    return await callRaw(session, path, { message: text('hello') }, headers);
  } finally {
    session.destroy();
  }
}

describe('a call', () => {
  it('is authenticated, then traced, then limited, and comes to its handler last', async () => {
    expect(await call('/test.Echo/One', { ...good, ...sampled })).toMatchObject({ grpcStatus: '0' });
    expect(passed).toEqual([
      'authenticated, 0 in flight',
      'span begun for ada, 0 in flight',
      'handled in its own span, 1 in flight',
      'span ended with OK',
    ]);
  });

  it('has a span with its method, its client and the span of its caller, when that is sampled', async () => {
    await call('/test.Echo/One', { ...good, ...sampled });
    const parent = { traceId, spanId: callersSpan, sampled: true };
    const attributes = { 'rpc.system.name': 'grpc', 'rpc.method': 'test.Echo/One', 'client.address': '127.0.0.1' };
    expect(spans).toMatchObject([{ name: 'test.Echo/One', kind: 'server', attributes, parent }]);
  });

  it.each([{}, { traceparent: `00-${traceId}-${callersSpan}-00` }])('has none otherwise: %j', async (headers) => {
    expect(await call('/test.Echo/One', { ...good, ...headers })).toMatchObject({ grpcStatus: '0' });
    expect(spans).toEqual([]);
    expect(passed.at(-1)).toMatch(/^handled/);
  });

  it('has what goes on after it traced as well', async () => {
    expect(await call('/test.Echo/Spread', { ...good, ...sampled })).toMatchObject({ grpcStatus: '0' });
    expect(passed).toContain('mail goes on, 1 in flight');
  });

  it('that is not permitted begins no span and takes no place', async () => {
    expect(await call('/test.Echo/One', sampled)).toMatchObject({ grpcStatus: '16' });
    expect(passed).toEqual(['authenticated, 0 in flight']);
  });

  it('whose client leaves while its token is verified goes no further', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    verified = promise;
    const session = connect(`http://127.0.0.1:${port}`);
    session.on('error', () => undefined);
    await once(session, 'remoteSettings');
    const stream = session.request({ ':method': 'POST', ':path': '/test.Echo/Gather', ...good, ...grpcType });
    stream.on('error', () => undefined);
    await until(() => asked === 1);
    session.destroy();
    await until(() => grpc.connections === 0);
    resolve();
    await until(() => passed.length > 0);
    expect(passed).toEqual(['authenticated, 0 in flight']);
    expect(grpc.calls).toBe(0);
  });

  it('that is one too many has a span which says so, and goes no further', async () => {
    const hanging = call('/test.Echo/Again', { 'grpc-timeout': '500m' });
    await until(() => grpc.calls === 1);
    passed = [];
    expect(await call('/test.Echo/One', { ...good, ...sampled })).toMatchObject({ grpcStatus: '8' });
    expect(passed).toEqual([
      'authenticated, 1 in flight',
      'span begun for ada, 1 in flight',
      'span ended with RESOURCE_EXHAUSTED',
    ]);
    await hanging;
  });

  it('without time has a span which says so; its handler keeps its place for as long as it works on', async () => {
    const answer = await call('/test.Echo/Again', { 'grpc-timeout': '100m', ...sampled });
    expect(answer).toMatchObject({ grpcStatus: '4' });
    expect(passed).toEqual([
      'span begun for nobody, 0 in flight',
      'handled, 1 in flight',
      'span ended with DEADLINE_EXCEEDED, a fault',
    ]);
    expect(grpc.calls).toBe(1);
  });
});
