import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocketServer, type WebSocket as ServerSocket } from 'ws';
import { Client, type ClientOptions, type Envelope, control, maxTopics, subprotocol } from './index.ts';

/** A server of the protocol, whose every answer a test decides. */
interface Script {
  readonly url: string;
  readonly sockets: ServerSocket[];
  /** What it was sent, of all connections. */
  readonly received: Envelope[];
  /** The protocols that were offered, of each connection. */
  readonly offered: string[];
  /** What it answers to messages that are not the protocol's own. */
  answer: (message: Envelope, socket: ServerSocket) => void;
}

const clients: Client[] = [];
const servers: Server[] = [];
afterEach(() => {
  for (const each of clients.splice(0)) each.close();
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function script(subscribed: Record<string, unknown> = {}): Promise<Script> {
  const server = createServer();
  const sockets = new WebSocketServer({ server, handleProtocols: () => subprotocol });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const made: Script = { url: `ws://127.0.0.1:${port}`, sockets: [], received: [], offered: [], answer: () => {} };
  sockets.on('connection', (socket, request) => {
    made.sockets.push(socket);
    made.offered.push((request.headers['sec-websocket-protocol'] ?? '').replaceAll(' ', ''));
    socket.on('message', (data: Buffer) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const asked = JSON.parse(data.toString()) as Envelope;
      made.received.push(asked);
      if (asked.type === control.subscribe) {
        reply(socket, asked, { offset: '5-0', lost: false, refused: {}, ...subscribed });
      } else made.answer(asked, socket);
    });
  });
  return made;
}

function message(more: Partial<Envelope>): string {
  return JSON.stringify({
    msgId: 'm',
    timestamp: 0,
    source: 'script',
    type: 'x',
    version: '1.0',
    payload: {},
    ...more,
  });
}

function reply(socket: ServerSocket, { msgId, type }: Envelope, payload: unknown): void {
  socket.send(message({ type, payload, correlationId: msgId, direction: 'response' }));
}

function ack(socket: ServerSocket, ...msgIds: string[]): void {
  for (const correlationId of msgIds) {
    socket.send(message({ type: control.ack, payload: {}, correlationId, direction: 'response' }));
  }
}

function client(options: ClientOptions): Client {
  const made = new Client({ backoff: { baseMs: 10, maxMs: 50 }, ...options });
  clients.push(made);
  made.connect();
  return made;
}

const patient = { timeout: 60_000 };
const hello = { type: 'hello', version: '1.0', payload: { text: 'ahoy' } };

describe('a client', () => {
  it('offers its token as a subprotocol, anew for each connection', async () => {
    const server = await script();
    let count = 0;
    client({ url: server.url, token: () => `t${(count += 1)}` });
    await vi.waitFor(() => expect(server.received).toHaveLength(1), patient);
    server.sockets[0]?.terminate();
    await vi.waitFor(() => expect(server.offered).toEqual(['envelope.v2,bearer.t1', 'envelope.v2,bearer.t2']), patient);
  });

  it('keeps what it sends while offline, in order, and no more than 1000', async () => {
    const server = await script();
    const made = new Client({ url: server.url });
    clients.push(made);
    const payloads = Array.from({ length: 1000 }, (_, index) => index);
    const sent = payloads.map((payload) => made.request({ ...hello, payload }));
    await expect(made.request(hello)).rejects.toMatchObject({ code: 'queue_full', retryable: true });
    server.answer = ({ msgId }, socket) => ack(socket, msgId);
    made.connect();
    await Promise.all(sent);
    expect(server.received.slice(1).map(({ payload }) => payload)).toEqual(payloads);
  });

  it('sends again after a reconnect what was not answered, with the same id', async () => {
    const server = await script();
    const made = client({ url: server.url });
    await vi.waitFor(() => expect(made.state).toBe('open'), patient);
    const lost = made.request(hello);
    await vi.waitFor(() => expect(server.received).toHaveLength(2), patient);
    server.answer = ({ msgId }, socket) => ack(socket, msgId);
    server.sockets[0]?.terminate();
    await lost;
    const [, first, again, second] = server.received;
    expect(second?.msgId).toBe(first?.msgId);
    expect(again?.payload).toEqual({ topics: [], after: '5-0' });
  });

  it('is answered, told of errors, and gives up in time', async () => {
    const server = await script();
    const made = client({ url: server.url });
    server.answer = (asked, socket) => {
      if (asked.payload === 'good') reply(socket, asked, 'answer');
      if (asked.payload !== 'bad') return;
      const payload = { code: 'item_not_found', message: 'There is no item.', retryable: false, details: { id: 1 } };
      reply(socket, { ...asked, type: control.error }, payload);
    };
    expect(await made.request({ ...hello, payload: 'good' })).toBe('answer');
    const failed = made.request({ ...hello, payload: 'bad' });
    await expect(failed).rejects.toMatchObject({ code: 'item_not_found', details: { id: 1 } });
    await expect(made.request({ ...hello, payload: 'silence' }, { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'timeout',
    });
    const waiting = made.request(hello);
    made.close();
    await expect(waiting).rejects.toMatchObject({ code: 'closed' });
  });

  it('gives up a message that is too large for the server, and sends the others again', async () => {
    const server = await script();
    server.answer = ({ msgId, payload }, socket) => {
      if (payload === 'small') ack(socket, msgId);
      else socket.close(1009);
    };
    const made = client({ url: server.url });
    const large = made.request({ ...hello, payload: 'large'.repeat(100) });
    const small = made.request({ ...hello, payload: 'small' });
    await expect(large).rejects.toMatchObject({ code: 'message_too_large', retryable: false });
    expect(await small).toEqual({});
  });

  it('subscribes again from the last message it has, and gets each once', async () => {
    const server = await script();
    const got: unknown[] = [];
    const made = client({ url: server.url });
    await vi.waitFor(() => expect(made.state).toBe('open'), patient);
    made.subscribe('news', ({ payload }) => void got.push(payload));
    await vi.waitFor(() => expect(server.received.at(-1)?.payload).toEqual({ topics: ['news'] }), patient);
    for (const [offset, payload] of [
      ['5-2', 2],
      ['5-2', 2],
      ['5-10', 10],
    ] as const)
      server.sockets.at(-1)?.send(message({ topic: 'news', offset, payload }));
    await vi.waitFor(() => expect(got).toEqual([2, 10]), patient);
    server.sockets[0]?.terminate();
    await vi.waitFor(() => expect(server.received).toHaveLength(3), patient);
    expect(server.received.at(-1)?.payload).toEqual({ topics: ['news'], after: '5-10' });
  });

  it('reports that messages are lost, when it reconnects and while it is connected', async () => {
    const server = await script({ lost: true, offset: '3-0' });
    let times = 0;
    const made = client({ url: server.url, onLost: () => (times += 1) });
    await vi.waitFor(() => expect(times).toBe(1), patient);
    server.sockets[0]?.send(message({ type: control.lost, payload: { offset: '9-0' } }));
    await vi.waitFor(() => expect(times).toBe(2), patient);
    server.sockets[0]?.terminate();
    await vi.waitFor(() => expect(times).toBe(3), patient);
    expect(server.received.at(-1)?.payload).toMatchObject({ after: '9-0' });
    expect(made.state).toBe('open');
  });

  it('hands what is pushed to those who asked for it, and goes on when a listener fails', async () => {
    const server = await script();
    const errors: unknown[] = [];
    const got: unknown[] = [];
    const made = client({ url: server.url, onError: (error) => errors.push(error) });
    made.onPushed(({ payload }) => {
      if (payload === 1) throw new Error('listener');
      got.push(payload);
    });
    await vi.waitFor(() => expect(made.state).toBe('open'), patient);
    for (const number of [1, 2]) {
      server.sockets[0]?.send(message({ offset: `6-${number}`, payload: number }));
    }
    await vi.waitFor(() => expect(got).toEqual([2]), patient);
    expect(errors).toMatchObject([{ message: 'listener' }]);
  });

  it('ignores what is no message', async () => {
    const server = await script();
    const got: unknown[] = [];
    const made = client({ url: server.url });
    made.onPushed(({ payload }) => void got.push(payload));
    await vi.waitFor(() => expect(made.state).toBe('open'), patient);
    for (const each of ['{', 'null', Buffer.from('binary'), message({ offset: '6-1', payload: 1 })])
      server.sockets[0]?.send(each);
    await vi.waitFor(() => expect(got).toEqual([1]), patient);
  });

  it('forgets a topic that it may not have, and says so', async () => {
    const server = await script({ refused: { secret: { code: 'permission_denied', message: '', retryable: false } } });
    const errors: unknown[] = [];
    const made = client({ url: server.url, onError: (error) => errors.push(error) });
    made.subscribe('secret', () => {});
    await vi.waitFor(() => expect(errors).toMatchObject([{ code: 'permission_denied' }]), patient);
    server.sockets[0]?.terminate();
    await vi.waitFor(() => expect(server.received).toHaveLength(2), patient);
    expect(server.received.at(-1)?.payload).toMatchObject({ topics: [] });
  });

  it('asks for no more of a topic when nobody listens, and has no more topics than a server accepts', async () => {
    const server = await script();
    const made = client({ url: server.url });
    await vi.waitFor(() => expect(made.state).toBe('open'), patient);
    const first = made.subscribe('news', () => {});
    const second = made.subscribe('news', () => {});
    first();
    second();
    await vi.waitFor(() => expect(server.received.at(-1)?.type).toBe(control.unsubscribe), patient);
    expect(server.received.map(({ type }) => type)).toEqual([
      control.subscribe,
      control.subscribe,
      control.unsubscribe,
    ]);
    for (let count = 0; count < maxTopics; count += 1) made.subscribe(`${count}`, () => {});
    expect(() => made.subscribe('one too many', () => {})).toThrow(RangeError);
    expect(() => made.subscribe('a'.repeat(257), () => {})).toThrow(RangeError);
  });

  it('finds out that a server is silent, and connects anew', async () => {
    const server = await script();
    client({ url: server.url, heartbeatMs: 300 });
    const pinged = (): boolean => server.received.some(({ type }) => type === control.ping);
    await vi.waitFor(() => expect(pinged() && server.sockets.length > 1).toBe(true), patient);
  });

  it('waits between attempts while there is no server, and connects when there is', async () => {
    const states: string[] = [];
    const made = client({ url: 'ws://127.0.0.1:1', onState: (state) => states.push(state) });
    await vi.waitFor(() => expect(states.filter((state) => state === 'waiting').length).toBeGreaterThan(2), patient);
    made.close();
    expect(states.at(-1)).toBe('closed');
  });

  it('tries again when its token cannot be had, or cannot travel', async () => {
    const server = await script();
    const errors: unknown[] = [];
    const tokens = [Promise.reject(new Error('no token')), 'two words', 'good'];
    client({ url: server.url, token: () => tokens.shift() ?? '', onError: (error) => errors.push(error) });
    await vi.waitFor(() => expect(server.offered).toEqual(['envelope.v2,bearer.good']), patient);
    expect(errors).toMatchObject([{ message: 'no token' }, { name: 'SyntaxError' }]);
  });

  it('that is closed while it waits for its token stays closed, or connects once when it is told to again', async () => {
    const server = await script();
    const tokens: PromiseWithResolvers<string>[] = [];
    const token = (): Promise<string> => {
      const next = Promise.withResolvers<string>();
      tokens.push(next);
      return next.promise;
    };
    const made = client({ url: server.url, token });
    made.close();
    tokens[0]?.reject(new Error('no token'));
    await tokens[0]?.promise.catch(() => {});
    expect(made.state).toBe('closed');
    made.connect();
    made.close();
    made.connect();
    for (const each of tokens.splice(1)) each.resolve('good');
    await vi.waitFor(() => expect(made.state).toBe('open'), patient);
    expect(server.sockets).toHaveLength(1);
  });

  it('hears why the server closes', async () => {
    const server = await script();
    const errors: unknown[] = [];
    const made = client({ url: server.url, onError: (error) => errors.push(error) });
    await vi.waitFor(() => expect(made.state).toBe('open'), patient);
    server.sockets[0]?.close(4401, 'token_expired');
    await vi.waitFor(() => expect(errors).toMatchObject([{ message: 'token_expired', retryable: true }]), patient);
  });

  it('does not wait for a server that does not answer the handshake', async () => {
    const silent = createServer().on('upgrade', () => {});
    servers.push(silent);
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const states: string[] = [];
    client({ url: `ws://127.0.0.1:${port}`, heartbeatMs: 50, onState: (state) => states.push(state) });
    await vi.waitFor(() => expect(states).toContain('waiting'), patient);
  });
});
