import type { Socket } from 'node:net';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Client } from '../../../pkg/client/websocket/index.ts';
import { current } from '../../../pkg/context/index.ts';
import type { Http } from '../http/server.ts';
import { principalKey } from '../http/requestContext.ts';
import type { Sockets } from './sockets.ts';
import { type RawClient, type TestService, guarded, news, note, numberOf, rawClient, testService } from './testing.ts';

const patient = { timeout: 60_000 };
const running: TestService[] = [];
afterEach(async () => {
  for (const { service } of running.splice(0)) await service.stop(0, 5000);
});

async function start(
  env: Record<string, string> = {},
  messages: (sockets: Sockets, api: Http) => void = (sockets) => sockets.on(note, () => {}),
): Promise<TestService> {
  const service = await testService(env, messages);
  running.push(service);
  return service;
}

function connect({ ws }: TestService, token?: string): Promise<RawClient> {
  return rawClient(`${ws}/ws`, { protocols: token === undefined ? [] : [`bearer.${token}`] });
}

async function subscribe(client: RawClient, topics: readonly string[], after?: unknown): Promise<unknown> {
  return (await client.ask({ type: 'topic.subscribe', payload: { topics, after } })).payload;
}

/** With it, 16 messages are more than an instance keeps. */
const padding = 'a'.repeat(1_048_576);

const numbersOf = ({ received }: RawClient): number[] =>
  received.flatMap(({ type, payload }) => (type === 'news' ? [numberOf(payload)] : []));

describe('messages', () => {
  it('are answered by correlationId, with direction', async () => {
    const { ws } = await start();
    const { ask, socket } = await rawClient(`${ws}/ws`);
    const answer = await ask({ type: 'echo', payload: { text: 'ahoy' }, direction: 'request' });
    expect(answer).toMatchObject({ type: 'echo', version: '1.0', direction: 'response', payload: { text: 'ahoy' } });
    socket.close();
  });

  it('without an answer are acknowledged', async () => {
    const { ws } = await start();
    const { ask, socket } = await rawClient(`${ws}/ws`);
    const acknowledged = await ask({ type: 'note', payload: { text: 'one' } });
    expect(acknowledged).toMatchObject({ type: 'ack', direction: 'response', payload: {} });
    socket.close();
  });

  it('reach subscribers in order, with ascending offsets', async () => {
    const { ws, sockets } = await start();
    const { ask, next, received, socket } = await rawClient(`${ws}/ws`);
    const { payload } = await ask({ type: 'topic.subscribe', payload: { topics: ['news'] } });
    for (const number of [1, 2]) await sockets.publish('news', news, { number });
    await next(({ payload: got }) => JSON.stringify(got) === '{"number":2}');
    const epoch = String(Object(payload).offset).split('-')[0];
    expect(received.filter(({ type }) => type === 'news')).toMatchObject([
      { topic: 'news', offset: `${epoch}-1`, payload: { number: 1 } },
      { topic: 'news', offset: `${epoch}-2`, payload: { number: 2 } },
    ]);
    socket.close();
  });
});

describe('a subscriber that was away', () => {
  it('gets what it missed on its topics, after the last message that it has, in order', async () => {
    const service = await start({}, (sockets) => sockets.topic({ name: 'other' }));
    const first = await connect(service);
    expect(await subscribe(first, ['news'])).toMatchObject({ lost: false, refused: {} });
    await service.sockets.publish('news', news, { number: 1 });
    const { offset: after } = await first.next(({ type }) => type === 'news');
    first.socket.terminate();
    for (const number of [2, 3, 4]) await service.sockets.publish('news', news, { number });
    await service.sockets.publish('other', news, { number: 99 });
    const second = await connect(service);
    expect(await subscribe(second, ['news'], after)).toMatchObject({ lost: false });
    await service.sockets.publish('news', news, { number: 5 });
    await second.next(({ payload }) => JSON.stringify(payload) === '{"number":5}');
    expect(numbersOf(second)).toEqual([2, 3, 4, 5]);
  });

  it('misses nothing when it has read nothing for a while: a ping tells how far it is', async () => {
    const service = await start({}, (sockets) => sockets.topic({ name: 'other' }));
    const first = await connect(service);
    await subscribe(first, ['news']);
    for (let number = 0; number < 20; number += 1) await service.sockets.publish('other', news, { number, padding });
    const { payload } = await first.ask({ type: 'ping', payload: {} });
    first.socket.terminate();
    await service.sockets.publish('news', news, { number: 1 });
    const second = await connect(service);
    const after: unknown = Object(payload).offset;
    expect(await subscribe(second, ['news'], after)).toMatchObject({ lost: false });
    expect(numbersOf(second)).toEqual([1]);
  });

  it('does not make the server look at each message that is kept', async () => {
    const service = await start();
    const client = await connect(service);
    const { offset } = Value.Parse(Type.Object({ offset: Type.String() }), await subscribe(client, ['news']));
    for (let number = 0; number < 1000; number += 1) await service.sockets.publish('news', news, { number });
    const again = await connect(service);
    const split = vi.spyOn(String.prototype, 'split');
    onTestFinished(() => split.mockRestore());
    await subscribe(again, ['news'], offset.replace(/0$/, '400'));
    // Positions are compared by their parts.
    expect(split.mock.calls.length).toBeLessThan(100);
    expect(numbersOf(again)).toEqual(Array.from({ length: 600 }, (_, index) => 400 + index));
  });

  it('learns that some of it is no longer kept', async () => {
    const service = await start();
    const first = await connect(service);
    const { offset: after } = Object(await subscribe(first, ['news']));
    first.socket.terminate();
    for (let number = 0; number < 20; number += 1) await service.sockets.publish('news', news, { number, padding });
    const second = await connect(service);
    expect(await subscribe(second, ['news'], after)).toMatchObject({ lost: true });
    expect(numbersOf(second)).toEqual([]);
    await service.sockets.publish('news', news, { number: 50 });
    await second.next(({ type }) => type === 'news');
    expect(numbersOf(second)).toEqual([50]);
  });

  it('learns so, too, when it is more than may wait for it', async () => {
    const service = await start();
    const { offset: after } = Object(await subscribe(await connect(service), ['news']));
    const part = { padding: padding.slice(0, 100_000) };
    for (let number = 0; number < 5; number += 1) await service.sockets.publish('news', news, { number, ...part });
    const second = await connect(service);
    expect(await subscribe(second, ['news'], after)).toMatchObject({ lost: false });
    expect(numbersOf(second)).toEqual([0, 1, 2, 3, 4]);
    for (let number = 5; number < 7; number += 1) await service.sockets.publish('news', news, { number, ...part });
    const third = await connect(service);
    expect(await subscribe(third, ['news'], after)).toMatchObject({ lost: true });
    expect(numbersOf(third)).toEqual([]);
  });

  it('learns so after a restart: its position belongs to another process', async () => {
    const service = await start();
    for (const after of ['1600000000000-7', '9000000000000-7']) {
      expect(await subscribe(await connect(service), ['news'], after)).toMatchObject({ lost: true });
    }
  });
});

describe('who is known', () => {
  it('is pushed to by subject, on each of its connections, and gets what it missed', async () => {
    const service = await start({}, (_sockets, api) => guarded(api));
    const clients = [await connect(service, 'ada'), await connect(service, 'ada')];
    for (const client of clients) await subscribe(client, []);
    const eve = await connect(service, 'eve');
    await subscribe(eve, []);
    await service.sockets.push('ada', news, { number: 1 });
    for (const client of clients)
      expect((await client.next(({ type }) => type === 'news')).payload).toEqual({ number: 1 });
    const { offset: after } = clients[0]?.received.find(({ type }) => type === 'news') ?? {};
    await service.sockets.push('ada', news, { number: 2 });
    const back = await connect(service, 'ada');
    await subscribe(back, [], after);
    expect((await back.next(({ type }) => type === 'news')).payload).toEqual({ number: 2 });
    await subscribe(await connect(service, 'eve'), [], after);
    expect(eve.received.filter(({ type }) => type === 'news')).toEqual([]);
  });

  const subjects: readonly [what: string, subject: string][] = [
    ['long', 'a'.repeat(2000)],
    ['in another script', '用户'.repeat(25)],
    ['empty', ''],
    ['not well-formed', 'a\ud800'],
  ];

  it.each(subjects)('is pushed to by a subject that is %s, and gets what it missed', async (_what, name) => {
    const service = await start({}, (_sockets, api) => {
      api.addHook('onRequest', async () => {
        const none = new Set<string>();
        current().set(principalKey, { subject: name, scopes: none, roles: none, claims: {}, expiresAt: Infinity });
      });
    });
    const first: unknown[] = [];
    const connections = new Set<Socket>();
    service.http.server.on('connection', (connection: Socket) => connections.add(connection));
    const client = new Client({ url: `${service.ws}/ws`, backoff: { baseMs: 10, maxMs: 50 } });
    client.onPushed(({ payload }) => void first.push(numberOf(payload)));
    client.connect();
    await vi.waitFor(() => expect(client.state).toBe('open'), patient);
    await service.sockets.push(name, news, { number: 1 });
    await service.sockets.push(`${name}b`, news, { number: 3 });
    await vi.waitFor(() => expect(first).toEqual([1]), patient);
    for (const connection of connections) connection.destroy();
    await service.sockets.push(name, news, { number: 4 });
    await vi.waitFor(() => expect(first).toEqual([1, 4]), patient);
    client.close();
  });

  it('has the topics and messages that it may, or is told', async () => {
    const service = await start({}, (sockets, api) => {
      guarded(api);
      sockets.topic({
        name: 'private/*',
        permit: (peer, name) => name === `private/${peer.caller?.subject}`,
      });
      sockets.topic({ name: 'many/*' });
      sockets.on({ ...note, scopes: ['write'] }, () => {});
    });
    const client = await connect(service, 'ada');
    expect(await subscribe(client, ['private/ada', 'private/eve', 'secret'])).toMatchObject({
      refused: { 'private/eve': { code: 'permission_denied' }, secret: { code: 'topic_unknown' } },
    });
    const many = Array.from({ length: 128 }, (_, index) => `many/${index}`);
    expect(await subscribe(client, many)).toMatchObject({ refused: { 'many/127': { code: 'topic_limit' } } });
    expect((await client.ask({ type: 'note', payload: { text: '' } })).payload).toMatchObject({
      code: 'insufficient_scope',
    });
  });

  it('is disconnected with 4401 when its token ends', async () => {
    const service = await start({}, (_sockets, api) => guarded(api));
    const soon = Math.ceil(Date.now() / 1000) + 1;
    const client = await connect(service, `ada-${soon}`);
    await subscribe(client, []);
    expect(await client.closed).toEqual({ code: 4401, reason: 'token_expired' });
    expect(Date.now() / 1000).toBeGreaterThanOrEqual(soon);
  });
});
