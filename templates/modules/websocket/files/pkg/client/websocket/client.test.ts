import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocketServer, type WebSocket as ServerSocket } from 'ws';
import {
  Client,
  type ClientOptions,
  type Envelope,
  MessageError,
  backoffMs,
  control,
  maxChannels,
  subprotocol,
} from './index.ts';

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
      const payload = {
        sessionId: 's-1',
        resumed: false,
        ...limits,
        offset: '5-0',
        lost: false,
        refused: {},
        ...opened,
      };
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
    await vi.waitFor(() => expect(server.offered).toEqual(['envelope.v2,bearer.t1', 'envelope.v2,bearer.t2']), patient);
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
    expect(reopened?.payload).toEqual({ sessionId: 's-1', after: '5-0', topics: [] });
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

  it('subscribes again from the last message it has, and gets each once', async () => {
    const server = await script();
    server.answer = (asked, socket) => reply(socket, asked, { offset: '5-1' });
    const got: unknown[] = [];
    const made = client({ url: server.url });
    await vi.waitFor(() => expect(made.state).toBe('open'), patient);
    made.subscribe('news', ({ payload }) => void got.push(payload));
    await vi.waitFor(() => expect(server.received.at(-1)?.payload).toEqual({ topic: 'news' }), patient);
    for (const [offset, payload] of [
      ['5-2', 2],
      ['5-2', 2],
      ['5-10', 10],
    ] as const)
      server.sockets.at(-1)?.send(message({ topic: 'news', offset, payload }));
    await vi.waitFor(() => expect(got).toEqual([2, 10]), patient);
    server.sockets[0]?.terminate();
    await vi.waitFor(() => expect(server.received.at(-1)?.type).toBe(control.open), patient);
    expect(server.received.at(-1)?.payload).toEqual({ sessionId: 's-1', after: '5-10', topics: ['news'] });
  });

  it('reports that messages are lost, when it reconnects and while it is connected', async () => {
    const opened = { lost: true, offset: '3-0' };
    const server = await script(opened);
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

  it('forgets a channel that it is not let on, and says so', async () => {
    const refusal = { code: 'permission_denied', message: 'No.', retryable: false };
    const server = await script();
    server.answer = (asked, socket) => reply(socket, { ...asked, type: control.error }, refusal);
    const errors: unknown[] = [];
    const made = client({ url: server.url, onError: (error) => errors.push(error) });
    await vi.waitFor(() => expect(made.state).toBe('open'), patient);
    made.subscribe('secret', () => {});
    await vi.waitFor(() => expect(errors).toMatchObject([{ code: 'permission_denied' }]), patient);
    server.sockets[0]?.terminate();
    await vi.waitFor(() => expect(server.received.at(-1)?.payload).toMatchObject({ topics: [] }), patient);
  });

  it('asks for no more of a topic when nobody listens', async () => {
    const server = await script();
    server.answer = (asked, socket) => reply(socket, asked, { offset: '6-1' });
    const made = client({ url: server.url });
    await vi.waitFor(() => expect(made.state).toBe('open'), patient);
    const first = made.subscribe('news', () => {});
    const second = made.subscribe('news', () => {});
    first();
    second();
    await vi.waitFor(() => expect(server.received.at(-1)?.type).toBe(control.unsubscribe), patient);
    expect(server.received.map(({ type }) => type)).toEqual([control.open, control.subscribe, control.unsubscribe]);
  });

  it('gets no more of a topic that it has left, and all of it when it listens again', async () => {
    const server = await script();
    const got: unknown[] = [];
    const made = client({ url: server.url });
    made.onPushed(({ payload }) => void got.push(payload));
    await vi.waitFor(() => expect(made.state).toBe('open'), patient);
    made.subscribe('news', ({ payload }) => void got.push(payload))();
    await vi.waitFor(() => expect(server.received.at(-1)?.type).toBe(control.unsubscribe), patient);
    const [socket] = server.sockets;
    // Both were sent before the server got the last message.
    socket?.send(message({ topic: 'news', offset: '6-2', payload: 'late' }));
    socket?.send(message({ offset: '6-3', payload: 'pushed' }));
    await vi.waitFor(() => expect(got).toEqual(['pushed']), patient);
    made.subscribe('news', ({ payload }) => void got.push(payload));
    socket?.send(message({ topic: 'news', offset: '6-4', payload: 'new' }));
    await vi.waitFor(() => expect(got).toEqual(['pushed', 'new']), patient);
  });

  it('leaves a topic that nobody listens to any more by the time it is connected', async () => {
    let leave = (): void => {};
    const server = await script({
      // After the server was asked, and before it answers.
      get resumed() {
        leave();
        return false;
      },
    });
    const made = client({ url: server.url });
    leave = made.subscribe('news', () => {});
    await vi.waitFor(() => expect(server.received.at(-1)?.type).toBe(control.unsubscribe), patient);
    expect(server.received.map(({ payload }) => payload)).toEqual([{ topics: ['news'] }, { topic: 'news' }]);
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

  it('that is closed and connects anew before it was let in keeps the new connection', async () => {
    let reconnect = (): void => {};
    const server = await script({
      // Once the server has been asked, and before it answers.
      get resumed() {
        reconnect();
        return false;
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

  it('asks at first for no more topics than a server takes', async () => {
    const server = await script();
    const made = new Client({ url: server.url });
    clients.push(made);
    for (let count = 0; count <= maxChannels; count += 1) made.subscribe(`${count}`, () => {});
    made.connect();
    await vi.waitFor(() => expect(server.received).toHaveLength(2), patient);
    const [{ payload: opening } = {}, rest] = server.received;
    expect(Object(opening).topics).toHaveLength(maxChannels);
    expect(rest).toMatchObject({ type: control.subscribe, payload: { topic: `${maxChannels}` } });
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
