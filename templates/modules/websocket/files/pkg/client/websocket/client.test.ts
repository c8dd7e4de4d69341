import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocketServer, type WebSocket as ServerSocket } from 'ws';
import {
  Client,
  type ClientOptions,
  type Envelope,
  type Gap,
  MessageError,
  backoffMs,
  control,
  subprotocol,
} from './index.ts';
import { mostChannels } from './envelope.ts';

/** A server of the protocol, whose every answer a test decides. */
interface Script {
  readonly url: string;
  readonly sockets: ServerSocket[];
  /** What it was sent, of all connections. */
  readonly received: Envelope[];
  /** The protocols that were offered, of each connection. */
  readonly offered: string[];
  /** What it answers to; unless told, it opens sessions. */
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

async function script(opened: Record<string, unknown> = {}): Promise<Script> {
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
      const limits = { heartbeatMs: 60_000, window: 4, messageLimit: 1000, messagesPerSecond: 1000 };
      const payload = { sessionId: 's-1', resumed: false, ...limits, channels: {}, ...opened };
      if (asked.type === control.open) reply(socket, asked, payload);
      else made.answer(asked, socket);
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
  socket.send(message({ type: control.ack, payload: { msgIds } }));
}

function client(options: ClientOptions): Client {
  const made = new Client({ backoff: { baseMs: 10, maxMs: 50 }, ...options });
  clients.push(made);
  made.connect();
  return made;
}

const patient = { timeout: 10_000 };
const hello = { type: 'hello', version: '1.0', payload: { text: 'ahoy' } };

describe('backoff', () => {
  it('doubles up to the most, and any part of it may be the wait', () => {
    const options = { baseMs: 100, maxMs: 1000 };
    expect([0, 1, 2, 3, 4, 50].map((attempt) => backoffMs(attempt, options, 1))).toEqual([
      100, 200, 400, 800, 1000, 1000,
    ]);
    expect(backoffMs(5, options, 0)).toBe(0);
    expect(backoffMs(1, options, 0.5)).toBe(100);
  });
});

describe('a client', () => {
  it('offers its token as a subprotocol, anew for each connection', async () => {
    const server = await script();
    let count = 0;
    client({ url: server.url, token: () => `t${(count += 1)}` });
    await vi.waitFor(() => expect(server.received).toHaveLength(1), patient);
    server.sockets[0]?.terminate();
    await vi.waitFor(() => expect(server.offered).toEqual(['envelope.v1,bearer.t1', 'envelope.v1,bearer.t2']), patient);
  });

  it('keeps what it sends while offline, in order, and no more than it is told to', async () => {
    const server = await script({ window: 2 });
    const made = new Client({ url: server.url, queueLimit: 3 });
    clients.push(made);
    const sent = [1, 2, 3].map((payload) => made.send({ ...hello, payload }));
    await expect(made.send(hello)).rejects.toMatchObject({ code: 'queue_full', retryable: true });
    server.answer = ({ msgId }, socket) => ack(socket, msgId);
    made.connect();
    await Promise.all(sent);
    expect(server.received.slice(1).map(({ payload }) => payload)).toEqual([1, 2, 3]);
    expect(made.unacknowledged).toBe(0);
  });

  it('sends to a server that does not tell its limits, too', async () => {
    const server = await script({ messageLimit: undefined, messagesPerSecond: undefined });
    server.answer = ({ msgId }, socket) => ack(socket, msgId);
    const made = client({ url: server.url });
    await made.send({ ...hello, payload: 'a'.repeat(5000) });
    expect(server.received).toHaveLength(2);
  });

  it('leaves no more unacknowledged at a time than the server says', async () => {
    const server = await script({ window: 2 });
    const made = client({ url: server.url });
    const sent = [1, 2, 3].map((payload) => made.send({ ...hello, payload }));
    await vi.waitFor(() => expect(server.received).toHaveLength(3), patient);
    const [, first, second] = server.received;
    expect(server.received).toHaveLength(3);
    server.answer = ({ msgId }, socket) => ack(socket, msgId);
    const [socket] = server.sockets;
    if (first && second && socket) ack(socket, first.msgId, second.msgId);
    await Promise.all(sent);
    expect(server.received).toHaveLength(4);
  });

  it('sends again after a reconnect what was not acknowledged, with the same id, and says who it was', async () => {
    const server = await script();
    const made = client({ url: server.url });
    const lost = made.send(hello);
    await vi.waitFor(() => expect(server.received).toHaveLength(2), patient);
    server.answer = ({ msgId }, socket) => ack(socket, msgId);
    server.sockets[0]?.terminate();
    await lost;
    const [, first, reopened, second] = server.received;
    expect(second?.msgId).toBe(first?.msgId);
    expect(reopened?.payload).toEqual({ sessionId: 's-1', channels: {} });
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
    expect(made.unacknowledged).toBe(0);
  });

  it('answers what the server asks, and says when it cannot', async () => {
    const server = await script();
    const made = client({ url: server.url });
    made.respond('age', (payload) => ({ asked: payload }));
    made.respond('broken', () => {
      throw new Error('no');
    });
    await vi.waitFor(() => expect(made.state).toBe('open'), patient);
    for (const type of ['age', 'broken', 'unheard']) {
      server.sockets[0]?.send(message({ msgId: type, type, direction: 'request', payload: 7 }));
    }
    await vi.waitFor(() => expect(server.received).toHaveLength(4), patient);
    expect(server.received.find(({ correlationId }) => correlationId === 'age')).toMatchObject({
      payload: { asked: 7 },
    });
    const codes = server.received.flatMap(({ type, payload }) => (type === control.error ? [payload] : []));
    expect(codes).toMatchObject(
      [{ code: 'internal' }, { code: 'unknown_type' }].toSorted((a, b) => (a.code < b.code ? -1 : 1)),
    );
  });

  it('subscribes again from the last message it saw, hears each once, and tells of gaps', async () => {
    const position = { offset: '5-1', lost: false, more: false };
    const server = await script();
    server.answer = (asked, socket) => reply(socket, asked, position);
    const gaps: Gap[] = [];
    const got: unknown[] = [];
    const made = client({ url: server.url, onGap: (gap) => gaps.push(gap) });
    await vi.waitFor(() => expect(made.state).toBe('open'), patient);
    made.subscribe('news', ({ payload }) => void got.push(payload));
    await vi.waitFor(() => expect(made.positions()).toEqual({ 'topic:news': '5-1' }), patient);
    const publish = (offset: string, previous: string, payload: number): void =>
      server.sockets.at(-1)?.send(message({ channel: 'topic:news', offset, previous, payload }));
    publish('5-2', '5-1', 2);
    publish('5-2', '5-1', 2);
    publish('5-10', '5-9', 10);
    await vi.waitFor(() => expect(got).toEqual([2, 10]), patient);
    expect(gaps).toEqual([{ channel: 'topic:news', after: '5-2' }]);
    server.sockets[0]?.terminate();
    await vi.waitFor(() => expect(server.received.at(-1)?.type).toBe(control.open), patient);
    expect(server.received.at(-1)?.payload).toEqual({ sessionId: 's-1', channels: { 'topic:news': '5-10' } });
  });

  it('asks on while the server has more for it', async () => {
    const server = await script();
    const answers = [
      { offset: '1-1', lost: true, more: true },
      { offset: '1-2', lost: false, more: false },
    ];
    server.answer = (asked, socket) => reply(socket, asked, answers.shift());
    const gaps: Gap[] = [];
    const made = client({ url: server.url, positions: { 'tag:eu': '0-9' }, onGap: (gap) => gaps.push(gap) });
    await vi.waitFor(() => expect(made.state).toBe('open'), patient);
    expect(server.received[0]?.payload).toEqual({ channels: { 'tag:eu': '0-9' } });
    server.sockets[0]?.send(
      message({
        type: control.joined,
        payload: { channel: 'tag:eu', position: { offset: '1-0', lost: false, more: true } },
      }),
    );
    await vi.waitFor(() => expect(answers).toEqual([]), patient);
    expect(server.received.slice(1).map(({ payload }) => payload)).toEqual([
      { channel: 'tag:eu', after: '1-0' },
      { channel: 'tag:eu', after: '1-1' },
    ]);
    expect(gaps).toHaveLength(1);
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
      const told = { channel: 'subject:ada', offset: `1-${number}`, previous: `1-${number - 1}`, payload: number };
      server.sockets[0]?.send(message(told));
    }
    await vi.waitFor(() => expect(got).toEqual([2]), patient);
    expect(errors).toMatchObject([{ message: 'listener' }]);
  });

  it('forgets a channel that it is not let on, and says so', async () => {
    const refusal = { code: 'permission_denied', message: 'No.', retryable: false };
    const server = await script();
    server.answer = (asked, socket) => reply(socket, { ...asked, type: control.error }, refusal);
    const errors: unknown[] = [];
    const made = client({ url: server.url, onError: (error) => errors.push(error) });
    await vi.waitFor(() => expect(made.state).toBe('open'), patient);
    made.subscribe('secret', () => {});
    await vi.waitFor(() => expect(errors).toMatchObject([{ code: 'permission_denied' }]), patient);
    expect(made.positions()).toEqual({});
  });

  it('asks for no more of a topic when nobody listens', async () => {
    const server = await script();
    server.answer = (asked, socket) => reply(socket, asked, { offset: '1-1', lost: false, more: false });
    const made = client({ url: server.url });
    await vi.waitFor(() => expect(made.state).toBe('open'), patient);
    const first = made.subscribe('news', () => {});
    const second = made.subscribe('news', () => {});
    first();
    second();
    await vi.waitFor(() => expect(server.received.at(-1)?.type).toBe(control.unsubscribe), patient);
    expect(server.received.map(({ type }) => type)).toEqual([control.open, control.subscribe, control.unsubscribe]);
  });

  it('hears nothing more of a topic that it has left, and all of it when it listens again', async () => {
    const position = { offset: '1-1', lost: false, more: false };
    const server = await script();
    const got: unknown[] = [];
    const made = client({ url: server.url });
    made.onPushed(({ payload }) => void got.push(payload));
    await vi.waitFor(() => expect(made.state).toBe('open'), patient);
    made.subscribe('news', ({ payload }) => void got.push(payload))();
    await vi.waitFor(() => expect(server.received.at(-1)?.type).toBe(control.unsubscribe), patient);
    const [socket] = server.sockets;
    const [, subscribed] = server.received;
    // Both have crossed the farewell.
    if (socket && subscribed) reply(socket, subscribed, position);
    socket?.send(message({ channel: 'topic:news', offset: '1-2', previous: '1-1', payload: 'late' }));
    socket?.send(message({ channel: 'tag:eu', offset: '1-1', previous: '0-0', payload: 'pushed' }));
    await vi.waitFor(() => expect(got).toEqual(['pushed']), patient);
    expect(made.positions()).not.toHaveProperty('topic:news');
    server.answer = (asked) => {
      if (socket) reply(socket, asked, { ...position, offset: '1-2' });
    };
    made.subscribe('news', ({ payload }) => void got.push(payload));
    await vi.waitFor(() => expect(made.positions()).toHaveProperty('topic:news', '1-2'), patient);
    socket?.send(message({ channel: 'topic:news', offset: '1-3', previous: '1-2', payload: 'new' }));
    await vi.waitFor(() => expect(got).toEqual(['pushed', 'new']), patient);
  });

  it('leaves a topic that nobody listens to any more by the time it is connected', async () => {
    let leave = (): void => {};
    const server = await script({
      // Once the server has been asked, and before it answers.
      get channels() {
        leave();
        return { 'topic:news': { offset: '1-1', lost: false, more: false } };
      },
    });
    const made = client({ url: server.url });
    leave = made.subscribe('news', () => {});
    await vi.waitFor(() => expect(server.received.at(-1)?.type).toBe(control.unsubscribe), patient);
    expect(server.received.map(({ payload }) => payload)).toEqual([
      { channels: { 'topic:news': null } },
      { channel: 'topic:news' },
    ]);
    expect(made.positions()).toEqual({});
  });

  it('goes on from where an earlier client was, once somebody listens', async () => {
    const server = await script();
    const made = client({ url: server.url, positions: { 'topic:news': '1-5' } });
    await vi.waitFor(() => expect(made.state).toBe('open'), patient);
    expect(server.received[0]?.payload).toEqual({ channels: {} });
    made.subscribe('news', () => {});
    await vi.waitFor(
      () => expect(server.received.at(-1)?.payload).toEqual({ channel: 'topic:news', after: '1-5' }),
      patient,
    );
  });

  it('finds out that a server is silent, and connects anew', async () => {
    const server = await script({ heartbeatMs: 30 });
    client({ url: server.url });
    await vi.waitFor(() => expect(server.sockets.length).toBeGreaterThan(1), patient);
    expect(server.received.some(({ type }) => type === control.ping)).toBe(true);
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
    await vi.waitFor(() => expect(server.offered).toEqual(['envelope.v1,bearer.good']), patient);
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

  it('that is closed and connects anew before it was let in keeps the new connection', async () => {
    let reconnect = (): void => {};
    const server = await script({
      // Once the server has been asked, and before it answers.
      get channels() {
        reconnect();
        return {};
      },
    });
    const states: string[] = [];
    const made = client({ url: server.url, onState: (state) => states.push(state) });
    reconnect = () => {
      reconnect = () => {};
      made.close();
      made.connect();
    };
    await vi.waitFor(() => expect(made.state).toBe('open'), patient);
    expect(states).toEqual(['connecting', 'closed', 'connecting', 'open']);
    expect(server.sockets).toHaveLength(2);
  });

  it('asks at first for no more channels than a server takes, first for those on which it is put anyway', async () => {
    const server = await script();
    const topics = Array.from({ length: mostChannels }, (_, index) => `topic:${index}`);
    const positions = Object.fromEntries([...topics, 'tag:eu'].map((channel) => [channel, '1-1']));
    const made = new Client({ url: server.url, positions });
    clients.push(made);
    for (let count = 0; count < mostChannels; count += 1) made.subscribe(`${count}`, () => {});
    made.connect();
    await vi.waitFor(() => expect(server.received).toHaveLength(2), patient);
    const [{ payload: opening } = {}, rest] = server.received;
    const { channels } = Object(opening);
    expect(Object.keys(channels)).toHaveLength(mostChannels);
    expect(channels).toMatchObject({ 'tag:eu': '1-1', 'topic:0': '1-1' });
    expect(rest).toMatchObject({ type: control.subscribe, payload: { channel: `topic:${mostChannels - 1}` } });
  });

  it('does not fight for its session when another connection has taken it over', async () => {
    const server = await script();
    const made = client({ url: server.url });
    await vi.waitFor(() => expect(made.state).toBe('open'), patient);
    const waiting = made.send(hello);
    server.sockets[0]?.close(4409, 'session_replaced');
    await expect(waiting).rejects.toBeInstanceOf(MessageError);
    expect(made.state).toBe('closed');
    expect(server.sockets).toHaveLength(1);
  });

  it('hears why the server closes', async () => {
    const server = await script();
    const errors: unknown[] = [];
    const made = client({ url: server.url, onError: (error) => errors.push(error) });
    await vi.waitFor(() => expect(made.state).toBe('open'), patient);
    server.sockets[0]?.send('no JSON');
    server.sockets[0]?.send(
      message({ type: control.error, payload: { code: 'token_expired', message: 'Over.', retryable: true } }),
    );
    await vi.waitFor(() => expect(errors).toMatchObject([{ code: 'token_expired' }]), patient);
  });

  it('does not wait for a server that does not answer the handshake', async () => {
    const silent = createServer().on('upgrade', () => {});
    servers.push(silent);
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const states: string[] = [];
    client({ url: `ws://127.0.0.1:${port}`, connectTimeoutMs: 50, onState: (state) => states.push(state) });
    await vi.waitFor(() => expect(states).toContain('waiting'), patient);
  });
});
