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

const patient = { timeout: 15_000 };
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
    first.send({ type: 'note', msgId: 'statement', payload: { text: 'b' } });
    await first.next(({ type }) => type === 'ack');
    first.socket.terminate();

    const second = await connect(service);
    expect(await open(second, { sessionId })).toMatchObject({ sessionId, resumed: true });
    expect(await second.ask({ msgId: 'question', payload: { text: 'a' } })).toEqual(answer);
    second.send({ type: 'note', msgId: 'statement', payload: { text: 'b' } });
    expect((await second.next(({ type }) => type === 'ack')).payload).toEqual({ msgIds: ['statement'] });
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
    expect((await second.next(({ type }) => type === 'ack')).payload).toEqual({ msgIds: ['slow'] });
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

  it('is one of so many whose clients have gone: the oldest are forgotten', async () => {
    const service = await start({ WEBSOCKET_SESSIONS_MAX: '2' });
    const resumed: unknown[] = [];
    const ids: unknown[] = [];
    for (let count = 0; count < 3; count += 1) {
      const client = await connect(service);
      ids.push((await open(client))['sessionId']);
      client.socket.terminate();
      await vi.waitFor(async () => expect(await service.metrics.text()).toContain('websocket_connections 0'), patient);
    }
    expect(await service.metrics.text()).toContain('websocket_sessions_waiting 2');
    for (const sessionId of ids) resumed.push((await open(await connect(service), { sessionId }))['resumed']);
    expect(resumed).toEqual([false, true, true]);
  });

  it('is forgotten when sessions of clients that are gone keep too much, the oldest first', async () => {
    const service = await start({ WEBSOCKET_SESSIONS_BYTES_MAX: '8000' });
    const waiting = async (name: string): Promise<number> =>
      Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(await service.metrics.text())?.[1]);
    const ids: unknown[] = [];
    for (let count = 1; count <= 3; count += 1) {
      const client = await connect(service);
      ids.push((await open(client))['sessionId']);
      await client.ask({ payload: { text: 'a'.repeat(3000) } });
      client.socket.terminate();
      const left = Math.min(count, 2);
      await vi.waitFor(async () => expect(await waiting('websocket_connections')).toBe(0), patient);
      expect(await waiting('websocket_sessions_waiting')).toBe(left);
      expect(await waiting('websocket_sessions_waiting_bytes')).toBeGreaterThan(left * 3000);
    }
    const resumed: unknown[] = [];
    for (const sessionId of ids) resumed.push((await open(await connect(service), { sessionId }))['resumed']);
    expect(resumed).toEqual([false, true, true]);
    expect(await waiting('websocket_sessions_waiting_bytes')).toBe(0);
  });

  it('forgets its older answers when those of connected clients keep too much, what it is at not', async () => {
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
      Number(/^websocket_sessions_connected_bytes (\d+)$/m.exec(await service.metrics.text())?.[1]);
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
    // Only the first of these was forgotten.
    await ask(second, 'three');
    await ask(first, 'two');
    first.send({ type: 'note', msgId: 'at-it', payload: { text: '' } });
    await ask(first, 'one');
    expect(calls).toEqual(['note', 'one', 'two', 'three', 'one']);
    finish();
    for (const { socket } of [first, second]) socket.terminate();
    await vi.waitFor(
      async () => expect(await service.metrics.text()).toContain('websocket_sessions_waiting 2'),
      patient,
    );
    expect(await kept()).toBe(0);
  });

  it('counts what is answered after its client has gone', async () => {
    const { promise: done, resolve: finish } = Promise.withResolvers<void>();
    const service = await start({ WEBSOCKET_SESSIONS_BYTES_MAX: '3000' }, (sockets) => {
      sockets.on({ ...echo, type: 'slow' }, async ({ text }) => {
        await done;
        return { text };
      });
    });
    const client = await connect(service);
    await open(client);
    client.send({ type: 'slow', payload: { text: 'a'.repeat(3000) } });
    await client.ask({ payload: { text: 'it has begun' } });
    client.socket.terminate();
    const scrape = (): Promise<string> => service.metrics.text();
    await vi.waitFor(async () => expect(await scrape()).toContain('websocket_sessions_waiting 1'), patient);
    finish();
    await vi.waitFor(async () => expect(await scrape()).toContain('websocket_sessions_waiting 0'), patient);
    expect(await scrape()).toContain('websocket_sessions_waiting_bytes 0');
  });

  it('remembers no more than its window', async () => {
    let calls = 0;
    const service = await start({ WEBSOCKET_SESSION_WINDOW: '2' }, (sockets) => {
      sockets.on(note, () => {
        calls += 1;
      });
    });
    const client = await connect(service);
    for (const msgId of ['one', 'two', 'three', 'one']) client.send({ type: 'note', msgId, payload: { text: '' } });
    await vi.waitFor(() => expect(calls).toBe(4), patient);
  });
});

describe('a subscriber that was away', () => {
  it('gets what it missed, from the last message it had, in order', async () => {
    const service = await start();
    const first = await connect(service);
    await open(first, { channels: { 'topic:news': null } });
    await service.sockets.publish('news', news, { number: 1 });
    const { offset } = await first.next(({ type }) => type === 'news');
    first.socket.terminate();
    for (const number of [2, 3, 4]) await service.sockets.publish('news', news, { number });
    const second = await connect(service);
    const { channels } = await open(second, { channels: { 'topic:news': offset } });
    await service.sockets.publish('news', news, { number: 5 });
    await second.next(({ payload }) => JSON.stringify(payload) === '{"number":5}');
    const numbers = second.received.flatMap(({ type, payload }) => (type === 'news' ? [numberOf(payload)] : []));
    expect(numbers).toEqual([2, 3, 4, 5]);
    expect(channels).toMatchObject({ 'topic:news': { lost: false, more: false } });
  });

  it('is told when some of it is no longer kept', async () => {
    const service = await start({ WEBSOCKET_RETAINED_BYTES: '1000' });
    const first = await connect(service);
    const { channels } = await open(first, { channels: { 'topic:news': null } });
    for (let number = 0; number < 10; number += 1) await service.sockets.publish('news', news, { number });
    const { offset } = Object(channels)['topic:news'];
    const second = await connect(service);
    const again = await open(second, { channels: { 'topic:news': offset } });
    expect(again['channels']).toMatchObject({ 'topic:news': { lost: true } });
    const got = second.received.filter(({ type }) => type === 'news');
    expect(got.length).toBeGreaterThan(0);
    expect(got.length).toBeLessThan(10);
  });

  it('is told so after a restart: its place is one of another process', async () => {
    const service = await start();
    const client = await connect(service);
    const again = await open(client, { channels: { 'topic:news': '1600000000000-7' } });
    expect(again['channels']).toMatchObject({ 'topic:news': { lost: true, more: false } });
  });

  it('gets it in parts that fit what may wait for it', async () => {
    const service = await start({ WEBSOCKET_BUFFER_LIMIT_BYTES: '20000' });
    const first = await connect(service);
    const { channels } = await open(first, { channels: { 'topic:news': null } });
    const padding = 'a'.repeat(1000);
    for (let number = 0; number < 50; number += 1) await service.sockets.publish('news', news, { number, padding });
    first.socket.terminate();
    const client = await connect(service);
    let position = Object(channels)['topic:news'];
    let parts = 0;
    do {
      const { payload } = await client.ask({
        type: 'channel.subscribe',
        payload: { channel: 'topic:news', after: position.offset },
      });
      position = payload;
      parts += 1;
    } while (position.more);
    const numbers = client.received.flatMap(({ type, payload }) => (type === 'news' ? [numberOf(payload)] : []));
    expect(numbers).toEqual(Array.from({ length: 50 }, (_, number) => number));
    expect(parts).toBeGreaterThan(3);
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
      expect((await client.next(({ type }) => type === 'news')).channel).toBe('subject:ada');
    const { offset } = clients[0]?.received.find(({ type }) => type === 'news') ?? {};
    await service.sockets.push({ subject: 'ada' }, news, { number: 2 });
    const back = await connect(service, 'ada');
    await open(back, { channels: { 'subject:ada': offset } });
    expect((await back.next(({ type }) => type === 'news')).payload).toEqual({ number: 2 });
    const refused = await open(await connect(service, 'eve'), { channels: { 'subject:ada': offset } });
    expect(refused['channels']).toMatchObject({ 'subject:ada': { code: 'channel_unknown' } });
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
    const client = new Client({ url: `${service.ws}/ws` });
    const first: unknown[] = [];
    client.onPushed(({ payload }) => void first.push(numberOf(payload)));
    client.connect();
    await vi.waitFor(() => expect(Object.keys(client.positions())).toHaveLength(2), patient);
    await service.sockets.push({ subject: name }, news, { number: 1 });
    await service.sockets.push({ tag: name }, news, { number: 2 });
    await service.sockets.push({ subject: `${name}b` }, news, { number: 3 });
    await vi.waitFor(() => expect(first).toEqual([1, 2]), patient);
    client.close();
    await service.sockets.push({ subject: name }, news, { number: 4 });
    const errors: unknown[] = [];
    const again = new Client({
      url: `${service.ws}/ws`,
      positions: client.positions(),
      onError: (error) => errors.push(error),
    });
    const missed: unknown[] = [];
    again.onPushed(({ payload }) => void missed.push(numberOf(payload)));
    again.connect();
    await vi.waitFor(() => expect(missed).toEqual([4]), patient);
    expect(errors).toEqual([]);
    again.close();
  });

  it('cannot be given a topic whose name is too long: whoever names it is told', async () => {
    const service = await start({}, (sockets) => sockets.topic({ name: 'long/*', messages: [news] }));
    const name = `long/${'用'.repeat(50)}`;
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
    const joined = await client.next(({ payload }) => Object(payload).channel === 'tag:reader%20of%20ada');
    expect(joined.type).toBe('channel.joined');
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
    const code = async (channel: string, of = client): Promise<unknown> =>
      Object((await of.ask({ type: 'channel.subscribe', payload: { channel } })).payload).code;
    expect(await code('topic:private/ada')).toBeUndefined();
    expect(await code('topic:private/eve')).toBe('permission_denied');
    expect(await code('topic:staff')).toBe('insufficient_scope');
    expect(await code('topic:private/ada', await connect(service))).toBe('unauthenticated');
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
