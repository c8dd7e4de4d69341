import { afterEach, describe, expect, it, vi } from 'vitest';
import { Client, type ClientOptions } from '../../../pkg/client/websocket/index.ts';
import { mostChannels } from '../../../pkg/client/websocket/envelope.ts';
import { type TestService, news, note, testService } from './testing.ts';

const patient = { timeout: 15_000 };
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

describe('a client keeps to what the server says it may', () => {
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

  it('asks for more channels than fit into its first message no faster than it may, and is told which are too many', async () => {
    const service = await start({ WEBSOCKET_MESSAGES_PER_SECOND: '5' });
    const errors: unknown[] = [];
    const { made, states } = client(service, { onError: (error) => errors.push(error) });
    for (let count = 0; count < mostChannels + 12; count += 1) made.subscribe(`many/${count}`, () => {});
    made.connect();
    await vi.waitFor(() => expect(errors).toHaveLength(12), patient);
    for (const error of errors) expect(error).toMatchObject({ code: 'channel_limit' });
    expect(Object.keys(made.positions())).toHaveLength(mostChannels);
    expect(states).toEqual(['connecting', 'open']);
  });
});
