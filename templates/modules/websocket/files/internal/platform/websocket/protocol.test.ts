import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Value } from 'typebox/value';
import { subscribe } from './messages/control.ts';
import { type RawClient, type TestService, news, note, rawClient, testService } from './testing.ts';

let service: TestService;
const taken: string[] = [];

beforeAll(async () => {
  service = await testService({}, (sockets) => {
    sockets.on(note, ({ text }) => {
      taken.push(text);
    });
  });
});
afterAll(() => service.service.stop(0, 5000));

function connect(): Promise<RawClient> {
  return rawClient(`${service.ws}/ws`);
}

describe('messages', () => {
  it('are answered by correlationId, with direction', async () => {
    const client = await connect();
    const answer = await client.ask({ type: 'echo', payload: { text: 'ahoy' }, direction: 'request' });
    expect(answer).toMatchObject({ type: 'echo', version: '1.0', direction: 'response', payload: { text: 'ahoy' } });
    client.socket.close();
  });

  it('that need no answer are acknowledged', async () => {
    const client = await connect();
    const first = client.send({ type: 'note', payload: { text: 'one' } });
    const second = client.send({ type: 'note', payload: { text: 'two' } });
    const acked = await client.next(({ type }) => type === 'ack');
    expect(acked.payload).toEqual({ msgIds: [first, second] });
    expect(taken).toEqual(['one', 'two']);
    client.socket.close();
  });

  it('reach those who subscribe, in order, and say what came before', async () => {
    const client = await connect();
    const { payload } = await client.ask({ type: 'channel.subscribe', payload: { channel: 'topic:news' } });
    await service.sockets.publish('news', news, { number: 1 });
    await service.sockets.publish('news', news, { number: 2 });
    const second = await client.next(
      ({ type, payload: got }) => type === 'news' && JSON.stringify(got) === '{"number":2}',
    );
    const first = client.received.find(({ type }) => type === 'news');
    expect(first).toMatchObject({
      channel: 'topic:news',
      payload: { number: 1 },
      previous: Value.Parse(subscribe.response, payload).offset,
    });
    expect(second.previous).toBe(first?.offset);
    client.socket.close();
  });
});
