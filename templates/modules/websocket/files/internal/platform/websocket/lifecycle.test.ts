import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Type } from 'typebox';
import { describe, expect, it, vi } from 'vitest';
import { defineModule } from '../app/module.ts';
import { type Incoming, noTracing, tracing } from '../app/tracing.ts';
import { Client } from '../../../pkg/client/websocket/index.ts';
import { background, current, runWith } from '../../../pkg/context/index.ts';
import { ServiceError, as, invalidArgument, notFound } from '../../../pkg/errors/index.ts';
import { serveBothWays } from './bothWays.ts';
import { defineRequest } from './messages.ts';
import type { Sockets } from './sockets.ts';
import { echo, news, note, numberOf, rawClient, testService, upgraded } from './testing.ts';

const patient = { timeout: 60_000 };
const age = defineRequest({
  type: 'age',
  version: '1.0',
  summary: 'How old is the client?',
  payload: Type.Object({}),
  response: Type.Object({ years: Type.Integer() }),
});

describe('heartbeat', () => {
  it('keeps those who answer, and removes a connection that is half open', async () => {
    const service = await testService({
      WEBSOCKET_HEARTBEAT_MS: '20',
      WEBSOCKET_HEARTBEAT_TIMEOUT_MS: '2000',
      // An answer to a ping is no message.
      WEBSOCKET_MESSAGES_PER_SECOND: '1',
    });
    const alive = await rawClient(`${service.ws}/ws`);
    // It stays connected and never answers, as after a cable was pulled.
    const half = await upgraded(`${service.api}/ws`);
    half.on('error', () => {});
    half.resume();
    await once(half, 'close');
    expect(await service.metrics.text()).toContain('websocket_dead_peers_total 1');
    expect((await alive.ask({ payload: { text: 'a' } })).payload).toEqual({ text: 'a' });
    alive.socket.terminate();
    await service.service.stop(0, 5000);
  });
});

describe('a client that is not read from, because it has enough in flight', () => {
  it('is not taken for dead', async () => {
    const service = await testService(
      {
        WEBSOCKET_IN_FLIGHT_MAX: '1',
        WEBSOCKET_HEARTBEAT_MS: '20',
        WEBSOCKET_HEARTBEAT_TIMEOUT_MS: '500',
      },
      (sockets) => sockets.on(note, () => sleep(1200)),
    );
    const client = await rawClient(`${service.ws}/ws`);
    for (const text of ['one', 'two']) client.send({ type: 'note', payload: { text } });
    expect((await client.ask({ payload: { text: 'still on' } })).payload).toEqual({ text: 'still on' });
    client.socket.terminate();
    await service.service.stop(0, 5000);
  });
});

describe('shutdown', () => {
  it('lets what is in flight end, then closes with 1001, one after another', async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: done, resolve: finish } = Promise.withResolvers<void>();
    const service = await testService({ WEBSOCKET_DRAIN_MS: '500' }, (sockets) => {
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
    expect(faults).toEqual([undefined, 'TypeError']);
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

  it.each(['now', 'later'])('that fails with an error which throws when it is read is answered (%s)', async (when) => {
    const fail = (): never => {
      throw Object.defineProperty(new Error('secret'), 'name', {
        get() {
          throw new Error('unreadable');
        },
      });
    };
    const service = await testService({}, (sockets) => {
      sockets.on(note, when === 'now' ? fail : async () => fail());
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

  it.each(['now', 'later'])(
    'that answers with what JSON cannot write is a fault of ours, and one that fails with it is told (%s)',
    async (when) => {
      const open = { ...echo, response: Type.Object({ text: Type.String() }) };
      const bigint = { text: '', version: 12n };
      const failing = { ...open, type: 'failing' };
      const service = await testService({}, (sockets) => {
        const fail = (): never => {
          throw invalidArgument('No.', { details: { version: 12n } });
        };
        sockets.on({ ...open, type: 'big' }, when === 'now' ? () => bigint : async () => bigint);
        sockets.on(failing, when === 'now' ? fail : async () => fail());
      });
      const client = await rawClient(`${service.ws}/ws`);
      expect((await client.ask({ type: 'big', payload: { text: '' } })).payload).toMatchObject({ code: 'internal' });
      expect((await client.ask({ type: 'failing', payload: { text: '' } })).payload).toMatchObject({
        code: 'invalid_argument',
        details: { version: '12' },
      });
      expect((await client.ask({ payload: { text: 'still on' } })).payload).toEqual({ text: 'still on' });
      client.socket.terminate();
      await service.service.stop(0, 5000);
    },
  );

  it('that goes on after its client has left leaves nothing of it behind', async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: done, resolve: finish } = Promise.withResolvers<void>();
    const { promise: tagged, resolve: tag } = Promise.withResolvers<void>();
    const service = await testService({}, (sockets) =>
      sockets.on(note, async (_payload, { peer }) => {
        begin();
        await done;
        sockets.tag(peer, 'late');
        tag();
      }),
    );
    const client = await rawClient(`${service.ws}/ws`);
    client.send({ type: 'note', payload: { text: '' } });
    await begun;
    client.socket.terminate();
    await vi.waitFor(
      async () => expect(await service.metrics.text()).toContain('\nwebsocket_connections 0\n'),
      patient,
    );
    finish();
    await tagged;
    await service.sockets.push({ tag: 'late' }, news, { number: 1 });
    expect(await service.metrics.text()).toContain('\nwebsocket_delivered_total 0\n');
    await service.service.stop(0, 5000);
  });

  it('gives what its definition promises, at once or later: anything else is a fault of ours, and not told', async () => {
    const wrong = { text: 'ahoy', secret: 'for nobody' };
    const later = { ...echo, type: 'later' };
    const both = { ...echo, type: 'both' };
    const service = await testService({}, (sockets, http) => {
      sockets.on({ ...echo, type: 'now' }, () => wrong);
      sockets.on(later, async () => wrong);
      const rest = { method: 'POST', url: '/both' } as const;
      serveBothWays(http, sockets, { definition: both, rest, phase: 'dual', handle: async () => wrong });
    });
    const client = await rawClient(`${service.ws}/ws`);
    for (const type of ['now', 'later', 'both']) {
      const { payload } = await client.ask({ type, payload: { text: '' } });
      expect(payload).toEqual({ code: 'internal', message: 'Something went wrong.', retryable: false });
      expect(service.log.text).toContain(`The answer to \\"${type}\\" 1.0 is not valid`);
    }
    expect(JSON.stringify(client.received)).not.toContain('secret');
    client.socket.terminate();
    await service.service.stop(0, 5000);
  });

  it('is called for so many messages of one client at a time; the others wait, in order', async () => {
    const begun: string[] = [];
    const finish: (() => void)[] = [];
    const service = await testService({ WEBSOCKET_IN_FLIGHT_MAX: '1' }, (sockets) => {
      sockets.on(note, ({ text }) => {
        begun.push(text);
        return new Promise<void>((resolve) => finish.push(resolve));
      });
    });
    const client = await rawClient(`${service.ws}/ws`);
    for (const text of ['one', 'two', 'three']) client.send({ type: 'note', payload: { text } });
    for (const count of [1, 2, 3]) {
      await vi.waitFor(() => expect(begun).toHaveLength(count), patient);
      finish[count - 1]?.();
    }
    expect(begun).toEqual(['one', 'two', 'three']);
    client.socket.terminate();
    await service.service.stop(0, 5000);
  });
});

describe('the client that comes with the service', () => {
  it('asks and is asked, hears of topics, and goes on after its connection was lost', async () => {
    const ages: unknown[] = [];
    const service = await testService({}, (sockets) => {
      sockets.on(note, async (_payload, { peer }) => {
        // Without a deadline.
        ages.push(await runWith(background, () => peer.request(age, {}, Infinity)));
      });
    });
    const connections = new Set<Socket>();
    service.http.server.on('connection', (connection) => connections.add(connection));
    const client = new Client({ url: `${service.ws}/ws`, backoff: { baseMs: 10, maxMs: 50 } });
    const numbers: unknown[] = [];
    client.subscribe('news', ({ payload }) => void numbers.push(numberOf(payload)));
    client.respond('age', () => ({ years: 7 }));
    client.connect();
    const { type, version } = echo;
    expect(await client.request({ type, version, payload: { text: 'ahoy' } })).toEqual({ text: 'ahoy' });
    await client.send({ type: 'note', version: '1.0', payload: { text: '' } });
    expect(ages).toEqual([{ years: 7 }]);
    await service.sockets.publish('news', news, { number: 1 });
    await vi.waitFor(() => expect(numbers).toEqual([1]), patient);
    // Cut, and published while nobody is there.
    for (const connection of connections) connection.destroy();
    await service.sockets.publish('news', news, { number: 2 });
    await vi.waitFor(() => expect(numbers).toEqual([1, 2]), patient);
    client.close();
    await service.service.stop(0, 5000);
  });

  it('is asked in vain when it does not answer, or answers with an error', async () => {
    const outcomes: unknown[] = [];
    const service = await testService({}, (registry) => {
      registry.on(note, async ({ text }, { peer }) => {
        const timeoutMs = text === 'impatient' ? 30 : 10_000;
        outcomes.push(await peer.request(age, {}, timeoutMs).catch((error: unknown) => as(error, ServiceError)?.code));
      });
    });
    const client = await rawClient(`${service.ws}/ws`);
    client.send({ type: 'note', payload: { text: 'impatient' } });
    await client.next(({ direction }) => direction === 'request');
    await vi.waitFor(() => expect(outcomes).toEqual(['deadline_exceeded']), patient);
    client.received.length = 0;
    client.send({ type: 'note', payload: { text: '' } });
    const asked = await client.next(({ direction }) => direction === 'request');
    const payload = { code: 'too_young', message: 'No.', retryable: false };
    client.send({ type: 'error', direction: 'response', correlationId: asked.msgId, payload });
    await vi.waitFor(() => expect(outcomes).toEqual(['deadline_exceeded', 'too_young']), patient);
    client.received.length = 0;
    client.send({ type: 'note', payload: { text: '' } });
    await client.next(({ direction }) => direction === 'request');
    client.socket.terminate();
    await vi.waitFor(() => expect(outcomes).toEqual(['deadline_exceeded', 'too_young', 'cancelled']), patient);
    await service.service.stop(0, 5000);
  });
});
