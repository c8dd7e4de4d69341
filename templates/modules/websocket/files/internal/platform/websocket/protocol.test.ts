import { afterEach, describe, expect, it, vi } from 'vitest';
import { Client, type ClientOptions, maxChannels } from '../../../pkg/client/websocket/index.ts';
import { type TestService, news, note, rawClient, testService } from './testing.ts';

const patient = { timeout: 60_000 };
const running: TestService[] = [];
const clients: Client[] = [];
afterEach(async () => {
  for (const each of clients.splice(0)) each.close();
  for (const { service } of running.splice(0)) await service.stop(0, 5000);
});

async function start(env: Record<string, string> = {}): Promise<TestService> {
  const service = await testService(env, (sockets) => {
    sockets.on(note, () => {});
    sockets.topic({ name: 'many/*', messages: [news] });
  });
  running.push(service);
  return service;
}

function client({ ws }: TestService, options: Partial<ClientOptions> = {}): { made: Client; states: string[] } {
  const states: string[] = [];
  const onState = (state: string): void => void states.push(state);
  const made = new Client({ url: `${ws}/ws`, backoff: { baseMs: 10, maxMs: 50 }, onState, ...options });
  clients.push(made);
  return { made, states };
}

function saying(text: string): { type: string; version: string; payload: unknown } {
  return { type: note.type, version: note.version, payload: { text } };
}

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
    const { payload } = await ask({ type: 'topic.subscribe', payload: { topic: 'news' } });
    for (const number of [1, 2]) await sockets.publish('news', news, { number });
    await next(({ payload: got }) => JSON.stringify(got) === '{"number":2}');
    const epoch = String(Object(payload).offset).split('-')[0];
    expect(received.filter(({ type }) => type === 'news')).toMatchObject([
      { topic: 'news', offset: `${epoch}-1`, payload: { number: 1 } },
      { topic: 'news', offset: `${epoch}-2`, payload: { number: 2 } },
    ]);
    socket.close();
  });

  it('are described by JSON Schemas', async () => {
    const { api, sockets } = await start();
    sockets.pushes({ ...news, type: 'pushed' });
    const description: unknown = await (await fetch(`${api}/websocket.json`)).json();
    expect(description).toMatchObject({
      messages: {
        'note@1.0': { summary: note.summary, payload: { type: 'object', required: ['text'] } },
        'session.open@1.0': {},
        'pushed@1.0': {},
      },
      topics: { news: ['news@1.0'] },
    });
  });
});

describe('a client keeps to the limits of the server', () => {
  it('does not send a message that is too large, whether it waits for the server or comes later', async () => {
    const { made, states } = client(await start());
    const large = saying('ü'.repeat(35_000));
    const waiting = [made.send(large).catch((error: unknown) => error), made.send(saying('small'))];
    made.connect();
    expect(await Promise.all(waiting)).toMatchObject([{ code: 'message_too_large', retryable: false }, undefined]);
    await expect(made.send(large)).rejects.toMatchObject({ code: 'message_too_large' });
    expect(made.unacknowledged).toBe(0);
    expect(states).toEqual(['connecting', 'open']);
  });

  it('sends what has piled up no faster than it may', async () => {
    const service = await start({ WEBSOCKET_MESSAGES_PER_SECOND: '5' });
    const { made, states } = client(service);
    const sent = Array.from({ length: 12 }, (_, index) => made.send(saying(`${index}`)));
    made.connect();
    await Promise.all(sent);
    expect(states).toEqual(['connecting', 'open']);
    expect(await service.metrics.text()).not.toContain('code="rate_limited"');
  });

  it('subscribes to more topics than fit into its first message no faster than it may, and reports those that are too many', async () => {
    const service = await start({ WEBSOCKET_MESSAGES_PER_SECOND: '5' });
    const errors: unknown[] = [];
    const { made, states } = client(service, { onError: (error) => errors.push(error) });
    for (let count = 0; count < maxChannels + 12; count += 1) made.subscribe(`many/${count}`, () => {});
    made.connect();
    await vi.waitFor(() => expect(errors).toHaveLength(12), patient);
    for (const error of errors) expect(error).toMatchObject({ code: 'channel_limit' });
    expect(states).toEqual(['connecting', 'open']);
  });
});
