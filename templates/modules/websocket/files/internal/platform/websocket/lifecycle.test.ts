import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Type } from 'typebox';
import { describe, expect, it, vi } from 'vitest';
import { defineModule } from '../app/module.ts';
import { type Incoming, noTracing, tracing } from '../app/tracing.ts';
import { Client } from '../../../pkg/client/websocket/index.ts';
import { current } from '../../../pkg/context/index.ts';
import { invalidArgument, notFound } from '../../../pkg/errors/index.ts';
import type { Sockets } from './sockets.ts';
import { echo, news, note, numberOf, rawClient, testService, upgraded } from './testing.ts';

const patient = { timeout: 60_000 };

describe('heartbeat', () => {
  it('keeps those who answer, and removes a connection that is half open', async () => {
    const service = await testService({
      WEBSOCKET_HEARTBEAT_MS: '300',
      // An answer to a ping is no message.
      WEBSOCKET_MESSAGES_PER_SECOND: '1',
    });
    const alive = await rawClient(`${service.ws}/ws`);
    // It stays connected and never answers, as after a cable was pulled.
    const half = await upgraded(`${service.api}/ws`);
    half.on('error', () => {});
    half.resume();
    await once(half, 'close');
    const counted = 'websocket_closed_total{reason="silent"} 1';
    await vi.waitFor(async () => expect(await service.metrics.text()).toContain(counted), patient);
    expect((await alive.ask({ payload: { text: 'a' } })).payload).toEqual({ text: 'a' });
    alive.socket.terminate();
    await service.service.stop(0, 5000);
  });
});

describe('a client that is not read from, because it has enough in flight', () => {
  it('is not taken for dead', async () => {
    const service = await testService({ WEBSOCKET_HEARTBEAT_MS: '300' }, (sockets) =>
      sockets.on(note, () => sleep(1200)),
    );
    const client = await rawClient(`${service.ws}/ws`);
    for (let count = 0; count < 20; count += 1) client.send({ type: 'note', payload: { text: '' } });
    expect((await client.ask({ payload: { text: 'still on' } })).payload).toEqual({ text: 'still on' });
    client.socket.terminate();
    await service.service.stop(0, 5000);
  });
});

describe('shutdown', () => {
  it('lets what is in flight end, then closes with 1001, one after another', async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: done, resolve: finish } = Promise.withResolvers<void>();
    const service = await testService({ WEBSOCKET_DRAIN_MS: '2000' }, (sockets) => {
      sockets.on(note, () => {
        begin();
        return done;
      });
    });
    const clients = await Promise.all(Array.from({ length: 10 }, () => rawClient(`${service.ws}/ws`)));
    const [busy] = clients;
    const order: number[] = [];
    const closes = clients.map(async ({ closed }) => {
      const { code } = await closed;
      order.push(performance.now());
      return code;
    });
    busy?.send({ type: 'note', msgId: 'slow', payload: { text: '' } });
    await begun;
    const stopping = service.service.stop(0, 10_000);
    // All but the one that waits for its answer are gone.
    await vi.waitFor(() => expect(order).toHaveLength(9), patient);
    busy?.send({ type: 'note', msgId: 'too late', payload: { text: '' } });
    finish();
    expect(await Promise.all(closes)).toEqual(clients.map(() => 1001));
    expect(busy?.received.filter(({ type }) => type === 'ack')).toMatchObject([{ correlationId: 'slow' }]);
    expect(await stopping).toBe(true);
    expect((order.at(-1) ?? 0) - (order[0] ?? 0)).toBeGreaterThan(200);
  });

  it('does not wait until the deadline for a client that does not answer the close frame', async () => {
    const service = await testService();
    const silent = await upgraded(`${service.api}/ws`);
    silent.on('error', () => {}).resume();
    const deadlineMs = 60_000;
    const begun = performance.now();
    await service.service.stop(0, deadlineMs);
    expect(performance.now() - begun).toBeLessThan(deadlineMs / 3);
  });

  it('cuts off at the deadline who does not go', async () => {
    const service = await testService({}, (sockets) => sockets.on(note, () => new Promise<void>(() => {})));
    const client = await rawClient(`${service.ws}/ws`);
    client.send({ type: 'note', payload: { text: '' } });
    await client.ask({ payload: { text: 'it has begun' } });
    await service.service.stop(0, 500);
    expect(await client.closed).toMatchObject({ code: 1006 });
  });
});

describe('a handler', () => {
  it('has the id, trace and deadline of its message', async () => {
    const seen: unknown[] = [];
    const service = await testService({ WEBSOCKET_DEADLINE_MS: '1000' }, (sockets) => {
      sockets.on(note, () => {
        const { id, trace } = current();
        seen.push(id, trace.traceId, current().remainingMs() <= 50);
      });
    });
    const client = await rawClient(`${service.ws}/ws`);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
    client.send({ type: 'note', msgId: 'm-1', payload: { text: '' }, traceparent, timeoutMs: 50 });
    await client.next(({ type }) => type === 'ack');
    expect(seen).toEqual(['m-1', '0af7651916cd43dd8448eb211c80319c', true]);
    client.socket.terminate();
    await service.service.stop(0, 5000);
  });

  it('is a span of the trace of its message, where traces are recorded', async () => {
    const begun: Incoming[] = [];
    const faults: (string | undefined)[] = [];
    const recording = defineModule({
      name: 'recording',
      config: Type.Object({}),
      requires: [],
      completes: tracing,
      start({ use }) {
        use(tracing).current = {
          ...noTracing,
          isSampled: () => true,
          begin(_context, incoming) {
            begun.push(incoming);
            return (_attributes, fault) => void faults.push(fault);
          },
        };
        return { value: undefined };
      },
    });
    const throws = (sockets: Sockets): void =>
      sockets.on(note, () => {
        throw new TypeError('broken');
      });
    const service = await testService({}, throws, [recording]);
    const client = await rawClient(`${service.ws}/ws`);
    await client.ask({ payload: { text: 'a' } });
    await client.ask({ type: 'note', msgId: 'the-failed-one', payload: { text: '' } });
    client.socket.terminate();
    await service.service.stop(0, 5000);
    expect(begun).toMatchObject([
      { name: 'process echo', kind: 'consumer' },
      { name: 'process note', attributes: { 'messaging.message.id': 'the-failed-one' } },
    ]);
    expect(faults).toEqual([undefined, 'internal']);
  });

  it('is given up at the deadline; its errors are told as they would be by HTTP, and a fault of ours is not told', async () => {
    const service = await testService({ WEBSOCKET_DEADLINE_MS: '50' }, (sockets) => {
      sockets.on(note, ({ text }) => {
        if (text === 'late') return new Promise<void>(() => {});
        if (text === 'missing') throw notFound('item', '7');
        throw new Error('secret');
      });
    });
    const client = await rawClient(`${service.ws}/ws`);
    const payloadOf = async (text: string): Promise<unknown> =>
      (await client.ask({ type: 'note', payload: { text } })).payload;
    expect(await payloadOf('late')).toMatchObject({ code: 'deadline_exceeded' });
    expect(await payloadOf('missing')).toMatchObject({ code: 'item_not_found', message: 'There is no item "7".' });
    expect(await payloadOf('broken')).toEqual({ code: 'internal', message: 'Something went wrong.', retryable: false });
    expect(service.log.text).toContain('secret');
    expect(await service.metrics.text()).toContain('errors_total{code="item_not_found"} 1');
    client.socket.terminate();
    await service.service.stop(0, 5000);
  });

  it('that fails with an error which throws when it is read is answered', async () => {
    const fail = (): never => {
      throw Object.defineProperty(new Error('secret'), 'name', {
        get() {
          throw new Error('unreadable');
        },
      });
    };
    const service = await testService({}, (sockets) => {
      sockets.on(note, fail);
    });
    const client = await rawClient(`${service.ws}/ws`);
    expect((await client.ask({ type: 'note', payload: { text: '' } })).payload).toEqual({
      code: 'internal',
      message: 'Something went wrong.',
      retryable: false,
    });
    expect((await client.ask({ payload: { text: 'still on' } })).payload).toEqual({ text: 'still on' });
    client.socket.terminate();
    await service.service.stop(0, 5000);
  });

  it('that answers with what JSON cannot write is a fault of ours, and one that fails with it is told', async () => {
    const open = { ...echo, response: Type.Object({ text: Type.String() }) };
    const service = await testService({}, (sockets) => {
      sockets.on({ ...open, type: 'big' }, () => ({ text: '', version: 12n }));
      sockets.on({ ...open, type: 'failing' }, () => {
        throw invalidArgument('No.', { details: { version: 12n } });
      });
    });
    const client = await rawClient(`${service.ws}/ws`);
    expect((await client.ask({ type: 'big', payload: { text: '' } })).payload).toMatchObject({ code: 'internal' });
    expect((await client.ask({ type: 'failing', payload: { text: '' } })).payload).toMatchObject({
      code: 'invalid_argument',
      details: { version: '12' },
    });
    client.socket.terminate();
    await service.service.stop(0, 5000);
  });

  it('gives what its definition promises: anything else is a fault of ours, and not told', async () => {
    const service = await testService({}, (sockets) => {
      sockets.on({ ...echo, type: 'wrong' }, () => ({ text: 'ahoy', secret: 'for nobody' }));
    });
    const client = await rawClient(`${service.ws}/ws`);
    const { payload } = await client.ask({ type: 'wrong', payload: { text: '' } });
    expect(payload).toEqual({ code: 'internal', message: 'Something went wrong.', retryable: false });
    expect(service.log.text).toContain('The payload of wrong@1.0 is not valid');
    client.socket.terminate();
    await service.service.stop(0, 5000);
  });

  it('is called for so many messages of one client at a time; the others wait, in order', async () => {
    const begun: number[] = [];
    const finish: (() => void)[] = [];
    const service = await testService({}, (sockets) => {
      sockets.on(note, ({ text }) => {
        begun.push(Number(text));
        return new Promise<void>((resolve) => finish.push(resolve));
      });
    });
    const client = await rawClient(`${service.ws}/ws`);
    const numbers = Array.from({ length: 18 }, (_, index) => index);
    for (const number of numbers) client.send({ type: 'note', payload: { text: String(number) } });
    for (const count of [16, 17, 18]) {
      await vi.waitFor(() => expect(begun).toEqual(numbers.slice(0, count)), patient);
      finish.shift()?.();
    }
    client.socket.terminate();
    await service.service.stop(0, 5000);
  });
});

it('the client that comes with the service asks, hears of topics, and goes on after its connection was lost', async () => {
  const service = await testService();
  const connections = new Set<Socket>();
  service.http.server.on('connection', (connection) => connections.add(connection));
  const client = new Client({ url: `${service.ws}/ws`, backoff: { baseMs: 10, maxMs: 50 } });
  const numbers: unknown[] = [];
  client.subscribe('news', ({ payload }) => void numbers.push(numberOf(payload)));
  client.connect();
  const { type, version } = echo;
  expect(await client.request({ type, version, payload: { text: 'ahoy' } })).toEqual({ text: 'ahoy' });
  await service.sockets.publish('news', news, { number: 1 });
  await vi.waitFor(() => expect(numbers).toEqual([1]), patient);
  // Cut, and published while nobody is there.
  for (const connection of connections) connection.destroy();
  await service.sockets.publish('news', news, { number: 2 });
  await vi.waitFor(() => expect(numbers).toEqual([1, 2]), patient);
  client.close();
  await service.service.stop(0, 5000);
});
