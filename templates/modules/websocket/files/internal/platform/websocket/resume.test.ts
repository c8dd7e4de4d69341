import type { Socket } from 'node:net';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type TestService,
  type RawClient,
  echo,
  guarded,
  news,
  note,
  numberOf,
  rawClient,
  testService,
} from './testing.ts';
import { Client } from '../../../pkg/client/websocket/index.ts';
import { current } from '../../../pkg/context/index.ts';
import type { Http } from '../http/server.ts';
import { principalKey } from '../http/requestContext.ts';
import type { Sockets } from './sockets.ts';

const patient = { timeout: 60_000 };
const running: TestService[] = [];
afterEach(async () => {
  for (const { service } of running.splice(0)) await service.stop(0, 5000);
});

async function start(
  env: Record<string, string> = {},
  messages?: (sockets: Sockets, api: Http) => void,
): Promise<TestService> {
  const service = await testService(env, messages);
  running.push(service);
  return service;
}

function connect({ ws }: TestService, token?: string): Promise<RawClient> {
  return rawClient(`${ws}/ws`, { protocols: token === undefined ? [] : [`bearer.${token}`] });
}

async function open(client: RawClient, payload: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  const answer = await client.ask({ type: 'session.open', payload });
  return Value.Parse(Type.Record(Type.String(), Type.Unknown()), answer.payload);
}

describe('a session', () => {
  it('of one client with large answers does not take the answers of another', async () => {
    let calls = 0;
    const service = await start({ WEBSOCKET_SESSIONS_BYTES_MAX: '200000' }, (sockets) => {
      sockets.on(note, () => {
        calls += 1;
      });
    });
    const [quiet, greedy] = [await connect(service), await connect(service)];
    await quiet.ask({ type: 'note', msgId: 'one', payload: { text: 'a' } });
    for (let number = 0; number < 30; number += 1) {
      await greedy.ask({ msgId: `question-${number}`, payload: { text: 'a'.repeat(10_000) } });
    }
    await quiet.ask({ type: 'note', msgId: 'one', payload: { text: 'a' } });
    expect(calls).toBe(1);
  });

  it('is not open until the listeners of the service succeed; the client gets their error, and tries again', async () => {
    let opened = 0;
    const service = await start({}, (sockets) => {
      sockets.on(note, () => {});
      sockets.onOpen(() => {
        opened += 1;
        if (opened === 1) throw new Error('not yet');
      });
    });
    const client = await connect(service);
    const failed = await client.ask({ type: 'note', msgId: 'one', payload: { text: 'a' } });
    expect(failed).toMatchObject({ type: 'error', correlationId: 'one', payload: { code: 'internal' } });
    expect(await client.ask({ type: 'note', msgId: 'two', payload: { text: 'a' } })).toMatchObject({ type: 'ack' });
    expect(opened).toBe(2);
  });

  it('remembers what it has handled: what comes again is not handled again, and gets the same answer', async () => {
    let calls = 0;
    const service = await start({}, (sockets) => {
      sockets.on(note, () => {
        calls += 1;
      });
    });
    const first = await connect(service);
    const { sessionId } = await open(first);
    const answer = await first.ask({ msgId: 'question', payload: { text: 'a' } });
    const acknowledged = await first.ask({ type: 'note', msgId: 'statement', payload: { text: 'b' } });
    first.socket.terminate();

    const second = await connect(service);
    expect(await open(second, { sessionId })).toMatchObject({ sessionId, resumed: true });
    expect(await second.ask({ msgId: 'question', payload: { text: 'a' } })).toEqual(answer);
    expect(await second.ask({ type: 'note', msgId: 'statement', payload: { text: 'b' } })).toEqual(acknowledged);
    expect(calls).toBe(1);
    expect(await service.metrics.text()).toContain('websocket_repeated_messages_total 2');
  });

  it('answers where its client is by then, when the connection was lost meanwhile', async () => {
    const { promise: done, resolve: finish } = Promise.withResolvers<void>();
    const service = await start({}, (sockets) => sockets.on(note, () => done));
    const first = await connect(service);
    const { sessionId } = await open(first);
    first.send({ type: 'note', msgId: 'slow', payload: { text: 'b' } });
    await first.ask({ payload: { text: 'it has begun' } });
    first.socket.terminate();
    const second = await connect(service);
    await open(second, { sessionId });
    // Again, while it is still handled.
    second.send({ type: 'note', msgId: 'slow', payload: { text: 'b' } });
    await second.ask({ payload: { text: 'it has come' } });
    finish();
    expect(await second.next(({ correlationId }) => correlationId === 'slow')).toMatchObject({ type: 'ack' });
  });

  it('is taken over from a connection that is half open, which is told', async () => {
    const service = await start();
    const first = await connect(service);
    const { sessionId } = await open(first);
    const second = await connect(service);
    expect(await open(second, { sessionId })).toMatchObject({ resumed: true });
    expect(await first.closed).toEqual({ code: 4409, reason: 'session_replaced' });
    expect((await second.ask({ payload: { text: 'a' } })).payload).toEqual({ text: 'a' });
  });

  it('is nobody else’s', async () => {
    const service = await start({}, (_sockets, api) => guarded(api));
    const ada = await connect(service, 'ada');
    const { sessionId } = await open(ada);
    ada.socket.terminate();
    const eve = await connect(service, 'eve');
    expect(await open(eve, { sessionId })).toMatchObject({ resumed: false });
    expect(await open(await connect(service), { sessionId })).toMatchObject({ resumed: false });
    expect(await open(await connect(service, 'ada'), { sessionId })).toMatchObject({ resumed: true });
  });

  it('ends some time after its client has gone, whether anybody comes or not', async () => {
    const service = await start({ WEBSOCKET_SESSION_TTL_MS: '500', WEBSOCKET_HEARTBEAT_MS: '100' });
    const client = await connect(service);
    const { sessionId } = await open(client);
    client.socket.terminate();
    const scrape = (): Promise<string> => service.metrics.text();
    await vi.waitFor(async () => expect(await scrape()).toContain('websocket_sessions_waiting 1'), patient);
    await vi.waitFor(async () => expect(await scrape()).toContain('websocket_sessions_waiting 0'), patient);
    expect(await open(await connect(service), { sessionId })).toMatchObject({ resumed: false });
  });

  it('forgets the oldest answers of all clients beyond a limit, but not which messages are being handled', async () => {
    const calls: string[] = [];
    const { promise: done, resolve: finish } = Promise.withResolvers<void>();
    const service = await start({ WEBSOCKET_SESSIONS_BYTES_MAX: '8000' }, (sockets) => {
      sockets.on({ ...echo, type: 'counted' }, ({ text }, { envelope }) => {
        calls.push(envelope.msgId);
        return { text };
      });
      sockets.on(note, async () => {
        calls.push('note');
        await done;
      });
    });
    const kept = async (): Promise<number> =>
      Number(/^websocket_sessions_bytes (\d+)$/m.exec(await service.metrics.text())?.[1]);
    const ask = (client: RawClient, msgId: string): Promise<unknown> => {
      client.received.length = 0;
      return client.ask({ type: 'counted', msgId, payload: { text: 'a'.repeat(3000) } });
    };
    const [first, second] = [await connect(service), await connect(service)];
    first.send({ type: 'note', msgId: 'at-it', payload: { text: '' } });
    for (const msgId of ['one', 'two']) await ask(first, msgId);
    expect(await kept()).toBeGreaterThan(6000);
    await ask(second, 'three');
    expect(await kept()).toBeLessThan(8000);
    await ask(second, 'three');
    await ask(first, 'two');
    first.send({ type: 'note', msgId: 'at-it', payload: { text: '' } });
    await ask(first, 'one');
    expect(calls).toEqual(['note', 'one', 'two', 'three', 'one']);
    finish();
  });

  it('forgets answers after a time', async () => {
    const service = await start({ WEBSOCKET_SESSION_TTL_MS: '200', WEBSOCKET_HEARTBEAT_MS: '100' });
    const client = await connect(service);
    await client.ask({ payload: { text: 'a' } });
    const scrape = (): Promise<string> => service.metrics.text();
    await vi.waitFor(async () => expect(await scrape()).toContain('\nwebsocket_sessions_bytes 0\n'), patient);
  });
});

describe('a subscriber that was away', () => {
  const numbersOf = ({ received }: RawClient): number[] =>
    received.flatMap(({ type, payload }) => (type === 'news' ? [numberOf(payload)] : []));

  it('gets what it missed on its topics, after the last message that it has, in order', async () => {
    const service = await start({}, (sockets) => sockets.topic({ name: 'other', messages: [news] }));
    const first = await connect(service);
    expect(await open(first, { topics: ['news'] })).toMatchObject({ lost: false, refused: {} });
    await service.sockets.publish('news', news, { number: 1 });
    const { offset: after } = await first.next(({ type }) => type === 'news');
    first.socket.terminate();
    for (const number of [2, 3, 4]) await service.sockets.publish('news', news, { number });
    await service.sockets.publish('other', news, { number: 99 });
    const second = await connect(service);
    expect(await open(second, { topics: ['news'], after })).toMatchObject({ lost: false });
    await service.sockets.publish('news', news, { number: 5 });
    await second.next(({ payload }) => JSON.stringify(payload) === '{"number":5}');
    expect(numbersOf(second)).toEqual([2, 3, 4, 5]);
  });

  it('misses nothing when it has read nothing for a while: a ping tells how far it is', async () => {
    const service = await start({ WEBSOCKET_RETAINED_BYTES: '2000' }, (sockets) =>
      sockets.topic({ name: 'other', messages: [news] }),
    );
    const first = await connect(service);
    await open(first, { topics: ['news'] });
    for (let number = 0; number < 50; number += 1) await service.sockets.publish('other', news, { number });
    const { payload } = await first.ask({ type: 'ping', payload: {} });
    first.socket.terminate();
    await service.sockets.publish('news', news, { number: 1 });
    const second = await connect(service);
    const after: unknown = Object(payload).offset;
    expect(await open(second, { topics: ['news'], after })).toMatchObject({ lost: false });
    expect(numbersOf(second)).toEqual([1]);
  });

  it('learns that some of it is no longer kept', async () => {
    const service = await start({ WEBSOCKET_RETAINED_BYTES: '2000' });
    const { offset: after } = await open(await connect(service), { topics: ['news'] });
    for (let number = 0; number < 50; number += 1) await service.sockets.publish('news', news, { number });
    const second = await connect(service);
    expect(await open(second, { topics: ['news'], after })).toMatchObject({ lost: true });
    expect(numbersOf(second)).toEqual([]);
    await service.sockets.publish('news', news, { number: 50 });
    await second.next(({ type }) => type === 'news');
    expect(numbersOf(second)).toEqual([50]);
  });

  it('learns so, too, when it is more than may wait for it', async () => {
    const service = await start({ WEBSOCKET_BUFFER_LIMIT_BYTES: '20000' });
    const { offset: after } = await open(await connect(service), { topics: ['news'] });
    const padding = 'a'.repeat(1000);
    for (let number = 0; number < 5; number += 1) await service.sockets.publish('news', news, { number, padding });
    const second = await connect(service);
    expect(await open(second, { topics: ['news'], after })).toMatchObject({ lost: false });
    expect(numbersOf(second)).toEqual([0, 1, 2, 3, 4]);
    for (let number = 5; number < 20; number += 1) await service.sockets.publish('news', news, { number, padding });
    const third = await connect(service);
    expect(await open(third, { topics: ['news'], after })).toMatchObject({ lost: true });
    expect(numbersOf(third)).toEqual([]);
  });

  it('learns so after a restart: its position belongs to another process', async () => {
    const service = await start();
    for (const after of ['1600000000000-7', '9000000000000-7']) {
      expect(await open(await connect(service), { topics: ['news'], after })).toMatchObject({ lost: true });
    }
  });
});

describe('who is known', () => {
  it('is pushed to by subject, on each of its connections, and gets what it missed', async () => {
    const service = await start({}, (_sockets, api) => guarded(api));
    const clients = [await connect(service, 'ada'), await connect(service, 'ada')];
    for (const client of clients) await open(client);
    const eve = await connect(service, 'eve');
    await open(eve);
    await service.sockets.push({ subject: 'ada' }, news, { number: 1 });
    for (const client of clients)
      expect((await client.next(({ type }) => type === 'news')).payload).toEqual({ number: 1 });
    const { offset: after } = clients[0]?.received.find(({ type }) => type === 'news') ?? {};
    await service.sockets.push({ subject: 'ada' }, news, { number: 2 });
    const back = await connect(service, 'ada');
    await open(back, { after });
    expect((await back.next(({ type }) => type === 'news')).payload).toEqual({ number: 2 });
    await open(await connect(service, 'eve'), { after });
    expect(eve.received.filter(({ type }) => type === 'news')).toEqual([]);
  });

  const subjects: readonly [what: string, subject: string][] = [
    ['long', 'a'.repeat(2000)],
    ['in another script', '用户'.repeat(25)],
    ['empty', ''],
    ['not well-formed', 'a\ud800'],
  ];

  it.each(subjects)('is pushed to by a subject or a tag that is %s, and gets what it missed', async (_what, name) => {
    const service = await start({}, (sockets, api) => {
      api.addHook('onRequest', async () => {
        const none = new Set<string>();
        current().set(principalKey, { subject: name, scopes: none, roles: none, claims: {}, expiresAt: Infinity });
      });
      sockets.onOpen((peer) => sockets.tag(peer, name));
    });
    const first: unknown[] = [];
    const connections = new Set<Socket>();
    service.http.server.on('connection', (connection: Socket) => connections.add(connection));
    const client = new Client({ url: `${service.ws}/ws`, backoff: { baseMs: 10, maxMs: 50 } });
    client.onPushed(({ payload }) => void first.push(numberOf(payload)));
    client.connect();
    await vi.waitFor(() => expect(client.state).toBe('open'), patient);
    await service.sockets.push({ subject: name }, news, { number: 1 });
    await service.sockets.push({ tag: name }, news, { number: 2 });
    await service.sockets.push({ subject: `${name}b` }, news, { number: 3 });
    await vi.waitFor(() => expect(first).toEqual([1, 2]), patient);
    for (const connection of connections) connection.destroy();
    await service.sockets.push({ subject: name }, news, { number: 4 });
    await vi.waitFor(() => expect(first).toEqual([1, 2, 4]), patient);
    client.close();
  });

  it('cannot be given a topic whose name is too long: whoever names it is told', async () => {
    const service = await start({}, (sockets) => sockets.topic({ name: 'long/*', messages: [news] }));
    const name = `long/${'用'.repeat(252)}`;
    expect(() => service.sockets.topic({ name, messages: [news] })).toThrow(RangeError);
    expect(() => service.sockets.publish(name, news, { number: 1 })).toThrow(RangeError);
    expect(() => new Client({ url: `${service.ws}/ws` }).subscribe(name, () => {})).toThrow(RangeError);
  });

  it('has tags, and is pushed to by them', async () => {
    const service = await start({}, (sockets, api) => {
      guarded(api);
      sockets.onOpen((peer) => sockets.tag(peer, `reader of ${peer.caller?.subject}`));
    });
    const client = await connect(service, 'ada');
    await open(client);
    await service.sockets.push({ tag: 'reader of ada' }, news, { number: 1 });
    expect((await client.next(({ type }) => type === 'news')).payload).toEqual({ number: 1 });
  });

  it('has the scopes that a topic and a message ask for, or is told', async () => {
    const service = await start({}, (sockets, api) => {
      guarded(api);
      sockets.topic({
        name: 'private/*',
        messages: [news],
        scopes: ['read'],
        permit: (peer, name) => name === `private/${peer.caller?.subject}`,
      });
      sockets.topic({ name: 'staff', messages: [news], scopes: ['staff'] });
      sockets.on({ ...note, scopes: ['write'] }, () => {});
    });
    const client = await connect(service, 'ada');
    const code = async (topic: string, of = client): Promise<unknown> =>
      Object((await of.ask({ type: 'topic.subscribe', payload: { topic } })).payload).code;
    expect(await code('private/ada')).toBeUndefined();
    expect(await code('private/eve')).toBe('permission_denied');
    expect(await code('staff')).toBe('insufficient_scope');
    expect(await code('private/ada', await connect(service))).toBe('unauthenticated');
    expect((await client.ask({ type: 'note', payload: { text: '' } })).payload).toMatchObject({
      code: 'insufficient_scope',
    });
  });

  it('is disconnected with 4401 when its token ends', async () => {
    const service = await start({ WEBSOCKET_HEARTBEAT_MS: '50' }, (_sockets, api) => guarded(api));
    const soon = Math.ceil(Date.now() / 1000) + 1;
    const client = await connect(service, `ada-${soon}`);
    await open(client);
    expect(await client.closed).toEqual({ code: 4401, reason: 'token_expired' });
    expect(Date.now() / 1000).toBeGreaterThanOrEqual(soon);
    expect(client.received.at(-1)?.payload).toMatchObject({ code: 'token_expired', retryable: true });
  });

  it('has no more connections than it may: 429', async () => {
    const service = await start({ WEBSOCKET_CONNECTIONS_PER_SUBJECT: '1' }, (_sockets, api) => guarded(api));
    const first = await connect(service, 'ada');
    await expect(connect(service, 'ada')).rejects.toThrow('429');
    await connect(service, 'eve');
    first.socket.terminate();
    await vi.waitFor(async () => (await connect(service, 'ada')).socket.terminate(), patient);
  });
});
