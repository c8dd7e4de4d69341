import { setTimeout as sleep } from 'node:timers/promises';
import { fromBinary } from '@bufbuild/protobuf';
import { afterEach, describe, expect, it } from 'vitest';
import { StatusSchema } from '../../../api/gen/google/rpc/status_pb.ts';
import { detach, current, runWith, withTimeout, Context } from '../../../pkg/context/index.ts';
import { ServiceError, unavailable } from '../../../pkg/errors/index.ts';
import { Type } from 'typebox';
import { defineModule } from '../app/module.ts';
import { type Authenticate, identity } from '../identity/module.ts';
import { type Principal, principalKey } from '../http/requestContext.ts';
import type { Implementation } from './method.ts';
import { Echo, type TestService, callRaw, echoes, testService, text, until } from './testing.ts';

let service: TestService;
afterEach(() => service.stop());

async function serve(handlers: Partial<Implementation<Echo>>): Promise<void> {
  service = await testService((grpc) => grpc.add(Echo, { ...echoes, ...handlers }));
}

async function all(messages: AsyncIterable<{ readonly value: string }>): Promise<string[]> {
  const found: string[] = [];
  for await (const { value } of messages) found.push(value);
  return found;
}

async function* texts(...values: readonly string[]): AsyncGenerator<{ value: string }, void> {
  for (const value of values) yield { value };
}

const good = { message: text('hello') };

describe('a method of each kind', () => {
  it('is served', async () => {
    await serve({});
    const client = service.open().client(Echo);
    expect(await client.one({ value: 'hello' })).toMatchObject({ value: 'hello' });
    expect(await client.gather(texts('a', 'b', 'c'))).toMatchObject({ value: 'abc' });
    expect(await all(client.spread({ value: 'abc' }))).toEqual(['a', 'b', 'c']);
    expect(await all(client.talk(texts('a', 'b')))).toEqual(['a', 'b']);
  });

  it('carries messages of any size up to the limit, in however many pieces they come', async () => {
    await serve({});
    const client = service.open().client(Echo);
    const large = 'x'.repeat(1_000_000);
    expect((await client.one({ value: large })).value).toHaveLength(large.length);
    expect((await client.gather(texts(large, '', large))).value).toHaveLength(2 * large.length);
    expect(await all(client.talk(texts(large, '')))).toEqual([large, '']);
  });

  it.each<[string, Implementation<Echo>['gather']]>([
    ['anything', async () => ({ value: 'enough' })],
    [
      'all',
      async (requests) => {
        for await (const { value } of requests) return { value: `${value} is enough` };
        return { value: 'nothing' };
      },
    ],
  ])('may answer before it has read %s that its client says', async (_what, gather) => {
    await serve({ gather });
    async function* endless(): AsyncGenerator<{ value: string }, void> {
      for (;;) {
        yield { value: 'more'.repeat(1000) };
        await sleep(1);
      }
    }
    expect((await service.open().client(Echo).gather(endless())).value).toMatch(/enough$/);
    await until(() => service.grpc.calls === 0);
  });

  it('cannot be added twice', async () => {
    await serve({});
    expect(() => service.grpc.add(Echo, echoes)).toThrow(/\/test\.Echo\/One.* already provided/);
  });
});

describe('an error', () => {
  it('is told as the nearest ServiceError has it, with details', async () => {
    await serve({
      one() {
        const cause = unavailable('Stock is being counted.', {
          code: 'counting',
          details: { shelf: 7 },
          retryAfterMs: 1500,
        });
        throw new Error('answering', { cause: new Error('reading', { cause }) });
      },
    });
    const answer = await callRaw(await service.raw(), '/test.Echo/One', good, { 'x-request-id': 'r-1' });
    expect(answer).toMatchObject({ grpcStatus: '14', message: 'Stock is being counted.' });
    const bytes = Buffer.from(String(answer.trailers['grpc-status-details-bin']), 'base64');
    const { details } = fromBinary(StatusSchema, bytes);
    expect(details.map(({ typeUrl }) => typeUrl)).toEqual([
      'type.googleapis.com/google.rpc.ErrorInfo',
      'type.googleapis.com/google.rpc.RequestInfo',
      'type.googleapis.com/google.rpc.RetryInfo',
    ]);
    await expect(service.open().client(Echo).one({ value: '' })).rejects.toMatchObject({
      code: 'counting',
      grpcStatus: 'UNAVAILABLE',
      status: 503,
      details: { shelf: '7' },
      retryAfterMs: 1500,
      retryable: true,
    });
  });

  it('that nobody has thought of is INTERNAL: the caller learns nothing, the log all', async () => {
    await serve({
      one() {
        throw new Error('password hunter2');
      },
    });
    const answer = await callRaw(await service.raw(), '/test.Echo/One', good);
    expect(answer).toMatchObject({ grpcStatus: '13', message: 'Internal error.' });
    expect(JSON.stringify(answer.trailers)).not.toContain('hunter2');
    expect(service.log.text).toMatch(/"level":50.*password hunter2.*call failed/);
    expect(await service.metrics.text()).toMatch(/^errors_total\{code="unknown"\} 1$/m);
  });

  it('in the middle of a stream comes after what was sent, in words of any language', async () => {
    await serve({
      async *spread() {
        yield { value: 'a' };
        throw new ServiceError({ code: 'sold_out', status: 409, publicMessage: 'Ausverkauft: 100 % Öl' });
      },
    });
    const found: string[] = [];
    const failed = service.open().client(Echo).spread({ value: '' });
    await expect(
      (async () => {
        for await (const { value } of failed) found.push(value);
      })(),
    ).rejects.toMatchObject({ code: 'sold_out', grpcStatus: 'ABORTED', message: 'Ausverkauft: 100 % Öl' });
    expect(found).toEqual(['a']);
  });
});

describe('a handler', () => {
  const unreadable = new Error('unreadable');
  Object.defineProperty(unreadable, 'cause', {
    get() {
      throw new Error('not even this');
    },
  });
  const circular = new Error('circular');
  circular.cause = circular;

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a number', 7],
    ['a symbol', Symbol('odd')],
    ['an object without a prototype', Object.create(null)],
    ['an error that causes itself', circular],
    ['an error that cannot be read', unreadable],
    ['half a character', new ServiceError({ code: 'odd', status: 500, publicMessage: '\uD800' })],
  ])('may throw %s: the call is INTERNAL, and others are served', async (_what, thrown) => {
    const fail = (): never => {
      throw thrown;
    };
    await serve({
      one: fail,
      gather: async () => fail(),
      async *spread() {
        yield { value: 'a' };
        fail();
      },
      talk: fail,
    });
    const session = await service.raw();
    for (const method of ['One', 'Gather', 'Spread', 'Talk']) {
      expect(await callRaw(session, `/test.Echo/${method}`, good)).toMatchObject({ grpcStatus: '13' });
    }
    expect(await callRaw(session, '/test.Echo/Again', good)).toMatchObject({ grpcStatus: '0' });
    expect(service.grpc.calls).toBe(0);
  });

  it('may give what is no message', async () => {
    const odd: { value: string } = Object.defineProperty({ value: '' }, 'value', {
      get() {
        throw new Error('not a message');
      },
      enumerable: true,
    });
    await serve({ one: () => odd });
    expect(await callRaw(await service.raw(), '/test.Echo/One', good)).toMatchObject({ grpcStatus: '13' });
    expect(service.log.text).toContain('call failed');
  });

  it('may go on without end after its client has left', async () => {
    let begun = 0;
    const hangs = () => {
      begun += 1;
      return new Promise<never>(() => {});
    };
    await serve({
      one: hangs,
      gather: hangs,
      async *spread() {
        yield await hangs();
      },
      async *talk() {
        yield await hangs();
      },
    });
    const session = await service.raw();
    const calls = ['One', 'Gather', 'Spread', 'Talk'].map((method) => callRaw(session, `/test.Echo/${method}`, good));
    await until(() => begun === calls.length);
    session.destroy();
    await Promise.all(calls);
    expect(await callRaw(await service.raw(), '/test.Echo/Again', good)).toMatchObject({ grpcStatus: '0' });
    expect(await service.metrics.text()).toMatch(/^errors_total\{code="cancelled"\} 4$/m);
    // What has not ended still has its place: a service full of such work takes no more.
    expect(service.grpc.calls).toBe(calls.length);
  });
});

describe('the context of a call', () => {
  it('has the request id and the trace of its caller', async () => {
    const seen: Context[] = [];
    await serve({
      one(request) {
        seen.push(current());
        return request;
      },
    });
    const trace = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7', sampled: false };
    await runWith(new Context({ id: 'r-7', trace }), () => service.open().client(Echo).one({ value: '' }));
    expect(seen[0]?.id).toBe('r-7');
    expect(seen[0]?.trace).toMatchObject({ traceId: trace.traceId });
    expect(seen[0]?.trace.spanId).not.toBe(trace.spanId);
    const line = service.log.text.split('\n').find((entry) => entry.includes('"msg":"call"'));
    expect(line).toContain('"method":"test.Echo/One","status":"OK"');
    expect(line).toContain(`"requestId":"r-7","traceId":"${trace.traceId}"`);
  });

  it('has what is left of the time of its caller, less an overhead', async () => {
    const left: number[] = [];
    await serve({
      one(request) {
        left.push(current().remainingMs());
        return request;
      },
    });
    const client = service.open().client(Echo);
    await withTimeout(5000, () => client.one({ value: '' }));
    await client.one({ value: '' }, { timeoutMs: 3000 });
    await client.one({ value: '' }, { timeoutMs: 3_600_000 });
    await client.one({ value: '' });
    const [ofContext = 0, ofCall = 0, most = 0, unsaid = 0] = left;
    expect(ofContext).toBeLessThanOrEqual(4990);
    expect(ofContext).toBeGreaterThan(0);
    expect(ofCall).toBeLessThanOrEqual(3000);
    expect(most).toBeGreaterThan(15_000);
    expect(most).toBeLessThanOrEqual(60_000);
    expect(unsaid).toBeLessThanOrEqual(15_000);
  });

  it.each(['597H', '1193H', '99999999H', '35792M', '99999999M', '8589935S', '99999999S'])(
    'of a caller that waits for %s has the longest time that the service allows',
    async (timeout) => {
      const left: number[] = [];
      await serve({
        one(request) {
          left.push(current().remainingMs());
          return request;
        },
        async *spread(request) {
          left.push(current().remainingMs());
          yield request;
        },
      });
      const session = await service.raw();
      for (const method of ['One', 'Spread']) {
        const answer = await callRaw(session, `/test.Echo/${method}`, good, { 'grpc-timeout': timeout });
        expect([method, answer.grpcStatus]).toEqual([method, '0']);
      }
      const [ofUnary = 0, ofStream = 0] = left;
      expect(ofUnary).toBeGreaterThan(15_000);
      expect(ofUnary).toBeLessThanOrEqual(60_000);
      // 24 days: the longest timer of Node.
      expect(ofStream).toBeGreaterThan(24 * 86_400_000);
    },
  );

  it('ends at the deadline: the caller hears of it, whatever the handler does, and the handler by its signal', async () => {
    const reasons: unknown[] = [];
    await serve({
      async one(request) {
        const { signal } = current();
        await sleep(60_000, undefined, { signal }).catch(() => reasons.push(signal.reason));
        return request;
      },
      again: () => new Promise(() => {}),
    });
    const session = await service.raw();
    const timeout = { 'grpc-timeout': '100m' };
    expect(await callRaw(session, '/test.Echo/One', good, timeout)).toMatchObject({ grpcStatus: '4' });
    expect(await callRaw(session, '/test.Echo/Again', good, timeout)).toMatchObject({ grpcStatus: '4' });
    await until(() => reasons.length === 1);
    expect(reasons[0]).toMatchObject({ code: 'deadline_exceeded' });
    expect(await service.metrics.text()).toMatch(/^errors_total\{code="deadline_exceeded"\} 2$/m);
  });

  it('that has ended is not answered with a reply that comes too late', async () => {
    const late = (): void => {
      while (current().remainingMs() > 0);
    };
    await serve({
      one(request) {
        late();
        return request;
      },
      async *spread(request) {
        late();
        yield request;
      },
      async gather() {
        late();
        return { value: 'late' };
      },
    });
    const session = await service.raw();
    for (const method of ['One', 'Spread', 'Gather']) {
      const answer = await callRaw(session, `/test.Echo/${method}`, good, { 'grpc-timeout': '100m' });
      expect([method, answer.grpcStatus, answer.body.length]).toEqual([method, '4', 0]);
    }
  });

  it.each([{ GRPC_DEADLINE_MS: '100' }, { GRPC_DEADLINE_MAX_MS: '100' }])(
    'of one request and one reply ends at the limit of the service: %j',
    async (settings) => {
      const again = () => new Promise<never>(() => {});
      service = await testService((grpc) => grpc.add(Echo, { ...echoes, again }), settings);
      const timeout = 'GRPC_DEADLINE_MAX_MS' in settings ? { 'grpc-timeout': '1H' } : {};
      const answer = await callRaw(await service.raw(), '/test.Echo/Again', good, timeout);
      expect(answer).toMatchObject({ grpcStatus: '4', message: expect.stringContaining('The time allowed') });
      expect(await service.metrics.text()).toMatch(/^errors_total\{code="deadline_exceeded"\} 1$/m);
    },
  );

  it('is cancelled when the caller cancels', async () => {
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    const reasons: unknown[] = [];
    await serve({
      async one(request) {
        const { signal } = current();
        signal.addEventListener('abort', () => reasons.push(signal.reason));
        resolve();
        await detach('after', () => sleep(100));
        return request;
      },
    });
    const leave = new AbortController();
    const call = service.open().client(Echo).one({ value: '' }, { signal: leave.signal });
    await begun;
    leave.abort();
    await expect(call).rejects.toMatchObject({ grpcStatus: 'CANCELLED' });
    await until(() => reasons.length === 1);
    expect(reasons[0]).toMatchObject({ code: 'cancelled' });
  });
});

describe('where a module knows tokens', () => {
  const ada: Principal = {
    subject: 'ada',
    scopes: new Set(['items:write']),
    roles: new Set(),
    claims: {},
    expiresAt: Infinity,
  };
  const authenticate: Authenticate = async (token, { scopes }) => {
    if (token !== 'good') throw new ServiceError({ code: 'invalid_token', status: 401, publicMessage: 'No.' });
    if (!scopes.every((scope) => ada.scopes.has(scope))) {
      throw new ServiceError({ code: 'insufficient_scope', status: 403, publicMessage: 'No.' });
    }
    return ada;
  };
  const knowing = defineModule({
    name: 'knowing',
    config: Type.Object({}),
    requires: [identity],
    start({ use }) {
      use(identity).provide(authenticate, () => true);
      return { value: undefined };
    },
  });

  it('each method asks for one, with the scopes it names, unless it is public; the handler learns who it is', async () => {
    const seen: (string | undefined)[] = [];
    const see = (request: { readonly value: string }) => {
      seen.push(current().get(principalKey)?.subject);
      return { value: request.value };
    };
    service = await testService(
      (grpc) =>
        grpc.add(
          Echo,
          { ...echoes, one: see, again: see },
          {
            methods: {
              one: { auth: { scopes: ['items:write'] } },
              spread: { auth: { scopes: ['items:own'] } },
              again: { auth: 'public' },
            },
          },
        ),
      {},
      [knowing],
    );
    const nobody = service.open().client(Echo);
    const somebody = service.open({ token: () => 'good' }).client(Echo);
    await expect(nobody.one({ value: '' })).rejects.toMatchObject({
      grpcStatus: 'UNAUTHENTICATED',
      code: 'invalid_token',
    });
    await expect(nobody.gather(texts('a'))).rejects.toMatchObject({ grpcStatus: 'UNAUTHENTICATED' });
    expect(await somebody.one({ value: 'a' })).toMatchObject({ value: 'a' });
    expect(await somebody.gather(texts('a'))).toMatchObject({ value: 'a' });
    await expect(all(somebody.spread({ value: 'a' }))).rejects.toMatchObject({ grpcStatus: 'PERMISSION_DENIED' });
    expect(await nobody.again({ value: 'a' })).toMatchObject({ value: 'a' });
    expect(seen).toEqual(['ada', undefined]);
    const session = await service.raw();
    for (const method of ['grpc.health.v1.Health/List', 'grpc.reflection.v1.ServerReflection/ServerReflectionInfo']) {
      expect(await callRaw(session, `/${method}`, { message: text('') })).toMatchObject({ grpcStatus: '0' });
    }
    expect(await service.metrics.text()).toMatch(
      /grpc_server_call_duration_seconds_count\{method="test.Echo\/One",status="UNAUTHENTICATED"\} 1/,
    );
  });
});

it('a port that is taken is told with the setting that says otherwise', async () => {
  await serve({});
  const second = testService(() => undefined, { GRPC_PORT: String(service.port) });
  await expect(second).rejects.toThrow('set GRPC_PORT to a port that is free');
});
