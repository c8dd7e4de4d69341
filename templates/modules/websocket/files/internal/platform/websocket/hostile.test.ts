import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Value } from 'typebox/value';
import { exchange } from '../../../test/support/raw.ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type RawClient,
  type TestService,
  handshake,
  news,
  numberOf,
  openSockets,
  rawClient,
  testService,
  upgraded,
} from './testing.ts';

const patient = { timeout: 60_000 };
const limits = {
  WEBSOCKET_MESSAGE_LIMIT_BYTES: '4096',
  WEBSOCKET_MESSAGES_PER_SECOND: '50',
  WEBSOCKET_CONNECTIONS_MAX: '8',
};
let service: TestService;
let bystander: RawClient;

beforeAll(async () => {
  service = await testService(limits);
});
afterAll(() => service.service.stop(0, 5000));
beforeEach(async () => {
  bystander = await rawClient(`${service.ws}/ws`);
});
afterEach(async () => {
  // Whatever was done to another connection, this one works.
  const { type } = await bystander.ask({ payload: { text: 'still here' } });
  if (type !== 'echo') throw new Error('another connection was harmed');
  for (const socket of openSockets) socket.terminate();
  await vi.waitUntil(async () => (await metric('websocket_connections')) === 0, patient);
});

/** The value of a metric, or of one series of it. */
async function metric(series: string, of = service): Promise<number> {
  const line = (await of.metrics.text()).split('\n').find((each) => each.startsWith(`${series} `));
  return Number(line?.split(' ').at(-1) ?? 0);
}

async function closed(reason: string, of = service): Promise<number> {
  return metric(`websocket_closed_total{reason="${reason}"}`, of);
}

describe('a message that breaks the rules is answered with an error, and its sender stays connected', () => {
  const cases: readonly [what: string, text: string, code: string][] = [
    ['no JSON', '{"msgId":', 'malformed_json'],
    ['JSON that is no object', '[]', 'invalid_envelope'],
    ['no msgId', JSON.stringify({ ...envelope(), msgId: undefined }), 'invalid_envelope'],
    ['a msgId that would break a log', JSON.stringify({ ...envelope(), msgId: 'a"\n' }), 'invalid_envelope'],
    ['an unknown key in the envelope', JSON.stringify({ ...envelope(), isAdmin: true }), 'invalid_envelope'],
    ['an unknown key in the payload', JSON.stringify(envelope({ payload: { text: 'a', more: 1 } })), 'invalid_payload'],
    [
      'a key that reaches for a prototype',
      `${JSON.stringify(envelope()).slice(0, -1)},"__proto__":{}}`,
      'invalid_envelope',
    ],
    ['a payload of the wrong type', JSON.stringify(envelope({ payload: { text: 1 } })), 'invalid_payload'],
    ['an unknown type', JSON.stringify(envelope({ type: 'constructor' })), 'unknown_type'],
    ['an unknown version', JSON.stringify(envelope({ version: '9.0' })), 'unknown_type'],
  ];

  it.each(cases)('%s', async (_what, text, code) => {
    const client = await rawClient(`${service.ws}/ws`);
    const before = await metric(`errors_total{code="${code}"}`);
    client.socket.send(text);
    const error = await client.next(({ type }) => type === 'error');
    expect(error.payload).toMatchObject({ code });
    expect(await metric(`errors_total{code="${code}"}`)).toBe(before + 1);
    const answer = await client.ask({ payload: { text: 'go on' } });
    expect(answer.payload).toEqual({ text: 'go on' });
    client.socket.terminate();
  });

  it('says where a payload is wrong', async () => {
    const client = await rawClient(`${service.ws}/ws`);
    const error = await client.ask({ payload: { text: 1 } });
    expect(error.payload).toMatchObject({ details: { errors: [{ pointer: '/text' }] } });
    client.socket.terminate();
  });
});

describe('an odd value in a message is an answer or an error of the sender, never a fault of the service', () => {
  const literals = [
    'null', '[]', '{}', 'true', '""', '-1', '1.5', '1e400', '-1e400', '9007199254740993', '1e99', String.raw`"\u0000"`,
    String.raw`"\ud800"`, String.raw`"\udc00\ud800"`, '"\u202e"', '"__proto__"', '{"__proto__":{}}', `"${'x'.repeat(2000)}"`,
    `${'['.repeat(500)}${']'.repeat(500)}`,
  ]; // prettier-ignore

  it.each([
    ...Object.keys(envelope()),
    'correlationId',
    'direction',
    'traceparent',
    'timeoutMs',
    'topic',
    'offset',
    'text',
  ])('%s', async (name) => {
    for (const literal of literals) {
      const client = await rawClient(`${service.ws}/ws`);
      const message: Record<string, unknown> = envelope({ timeoutMs: 1000 });
      const isText = name === 'text';
      const text = JSON.stringify({ ...message, [isText ? 'payload' : name]: isText ? { text: 'HERE' } : 'HERE' });
      client.socket.send(text.replace('"HERE"', literal));
      const answer = await client.next(() => true);
      expect([literal, Object(answer.payload).code]).not.toEqual([literal, 'internal']);
      expect((await client.ask({ payload: { text: 'go on' } })).payload).toEqual({ text: 'go on' });
      client.socket.terminate();
    }
  });

  it.each([
    ['host', '::'],
    ['sec-websocket-protocol', '\u00e9'],
    ['sec-websocket-extensions', 'permessage-deflate; client_max_window_bits=99'],
    ['x-forwarded-for', ',:1,[::1'],
    ['traceparent', 'x'],
    ['authorization', 'Bearer \u00e9'],
    ['x-request-timeout', '1e99'],
  ])('header %s', async (name, value) => {
    const socket = connect(Number(new URL(service.api).port), '127.0.0.1');
    const headers = Object.entries({ host: 'a', ...handshake, [name]: value }).map((each) => each.join(': '));
    socket.write(Buffer.from(`GET /ws HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`, 'latin1'));
    const [head] = await once(socket, 'data');
    expect(String(head)).toMatch(/^HTTP\/1\.1 (?:101|4\d\d) /);
    socket.destroy();
  });
});

describe('what ends a connection', () => {
  it('a message that is too large: 1009', async () => {
    const client = await rawClient(`${service.ws}/ws`);
    client.socket.send(JSON.stringify(envelope({ payload: { text: 'a'.repeat(5000) } })));
    expect(await client.closed).toMatchObject({ code: 1009 });
    await vi.waitFor(async () => expect(await closed('unsupported_message_length')).toBe(1), patient);
  });

  it('a message in too many pieces: 1008', async () => {
    const client = await rawClient(`${service.ws}/ws`);
    for (let part = 0; part < 80; part += 1) client.socket.send('a', { fin: false });
    expect(await client.closed).toMatchObject({ code: 1008 });
    await vi.waitFor(async () => expect(await closed('too_many_buffered_parts')).toBe(1), patient);
  });

  it('a binary message: 1003', async () => {
    const client = await rawClient(`${service.ws}/ws`);
    client.socket.send(Buffer.from([1, 2, 3]));
    expect(await client.closed).toEqual({ code: 1003, reason: 'binary_not_supported' });
  });

  it('a close frame of the client, whose code is not counted: a client chooses it', async () => {
    const before = await closed('client');
    for (const code of [1000, 3000, 4999]) {
      const client = await rawClient(`${service.ws}/ws`);
      client.socket.close(code, 'reason of the client');
      await client.closed;
    }
    await vi.waitFor(async () => expect(await closed('client')).toBe(before + 3), patient);
    expect(await service.metrics.text()).not.toMatch(/websocket_closed_total\{.*(?:1000|3000|4999|of the client)/);
  });

  it('nothing but the connection itself: connection_lost', async () => {
    const before = await closed('connection_lost');
    const client = await rawClient(`${service.ws}/ws`);
    client.socket.terminate();
    await vi.waitFor(async () => expect(await closed('connection_lost')).toBeGreaterThan(before), patient);
  });

  const frames: readonly [what: string, bytes: number[], code: number, fault: string][] = [
    ['a reserved opcode', [0x83, 0x80, 0, 0, 0, 0], 1002, 'invalid_opcode'],
    ['a frame without mask', [0x81, 0x01, 0x61], 1002, 'expected_mask'],
    ['a reserved bit', [0xc1, 0x80, 0, 0, 0, 0], 1002, 'unexpected_rsv_1'],
    ['a length of 2^63', [0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1009, 'unsupported_data_payload_length'],
    ['text that is no UTF-8', [0x81, 0x81, 0, 0, 0, 0, 0xff], 1007, 'invalid_utf8'],
  ];

  it.each(frames)('%s', async (_what, bytes, code, fault) => {
    const before = await closed(fault);
    const stream = await upgraded(`${service.api}/ws`);
    stream.write(Buffer.from(bytes));
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    await vi.waitFor(() => expect(Buffer.concat(chunks).length).toBeGreaterThan(3), patient);
    const answer = Buffer.concat(chunks);
    expect([answer[0], answer.readUInt16BE(2)]).toEqual([0x88, code]);
    stream.destroy();
    await vi.waitFor(async () => expect(await closed(fault)).toBe(before + 1), patient);
  });
});

describe('a flood', () => {
  it('of messages is read no faster than the rate allows, and the others wait', async () => {
    const client = await rawClient(`${service.ws}/ws`);
    const padding = 'a'.repeat(2000);
    for (let sent = 0; sent < 2000; sent += 1) client.send({ payload: { text: padding } });
    await vi.waitUntil(() => client.received.length > 50, patient);
    await sleep(500);
    // A burst of 100, 25 for half a second, and what came in one piece. A busy machine may need some seconds for that.
    expect(client.received.length).toBeLessThan(1000);
    client.socket.terminate();
  });

  it.each(['ping', 'pong'] as const)('of %ss is read no faster, either', async (kind) => {
    const client = await rawClient(`${service.ws}/ws`);
    // Several times what the service takes in one piece.
    for (let sent = 0; sent < 40_000; sent += 1) client.socket[kind]();
    client.send({ payload: { text: 'after the flood' } });
    await sleep(500);
    expect(client.received).toEqual([]);
    client.socket.terminate();
  });
});

describe('a client that reads slowly', () => {
  const padding = 'a'.repeat(2000);
  /** More than the system buffers for one connection. */
  const many = 6000;

  function isLast(payload: unknown): boolean {
    return Value.Check(news.payload, payload) && numberOf(payload) === many;
  }

  async function subscribed(of: TestService): Promise<RawClient> {
    const client = await rawClient(`${of.ws}/ws`);
    await client.ask({ type: 'topic.subscribe', payload: { topics: ['news'] } });
    return client;
  }

  it('is disconnected at the limit, with what waited for it let go, while others get everything', async () => {
    const reader = await subscribed(service);
    const slow = await subscribed(service);
    slow.socket.pause();
    for (let number = 1; number <= many; number += 1) {
      await service.sockets.publish('news', news, { number, padding });
      if (number % 100 === 0) await sleep(1);
    }
    const last = await reader.next(({ payload }) => isLast(payload));
    expect(last.topic).toBe('news');
    expect(reader.received.filter(({ type }) => type === 'news')).toHaveLength(many);
    await vi.waitFor(async () => expect(await closed('slow_reader')).toBe(1), patient);
    // Its socket is cut off soon, whether it reads or not.
    await vi.waitFor(async () => expect(await metric('websocket_connections')).toBe(2), patient);
    slow.socket.terminate();
    reader.socket.terminate();
  });

  it('is not read while it does not read its answers', async () => {
    const held = await testService({ WEBSOCKET_MESSAGES_PER_SECOND: '1000000' });
    const slow = await rawClient(`${held.ws}/ws`);
    slow.socket.pause();
    const text = 'a'.repeat(60_000);
    for (let sent = 0; sent < 1000; sent += 1) slow.send({ payload: { text } });
    await sleep(1000);
    // 60 MB were sent, and most of them wait at the client.
    expect(slow.socket.bufferedAmount).toBeGreaterThan(30_000_000);
    slow.socket.terminate();
    await held.service.stop(0, 5000);
  });

  it('and not at all, but says that it is there, is disconnected in time', async () => {
    const held = await testService({ WEBSOCKET_HEARTBEAT_MS: '500' });
    const slow = await subscribed(held);
    slow.socket.pause();
    const pongs = setInterval(() => slow.socket.pong(), 50);
    await vi.waitUntil(async () => (await metric('websocket_connections', held)) === 0, patient);
    clearInterval(pongs);
    expect(await closed('silent', held)).toBe(1);
    slow.socket.terminate();
    await held.service.stop(0, 5000);
  });
});

describe('upgrades that are refused', () => {
  async function refusal(
    headers: Record<string, string | string[] | undefined>,
    path = '/ws',
    of = service,
  ): Promise<{ status: number; version: string | undefined; body: unknown }> {
    const all = Object.entries({ ...handshake, ...headers }).filter(([, value]) => value !== undefined);
    const asked = request(`${of.api}${path}`, { headers: Object.fromEntries(all) });
    asked.end();
    const [response] = await once(asked, 'response');
    let text = '';
    for await (const chunk of response) text += String(chunk);
    const version = response.headers['sec-websocket-version'];
    return { status: response.statusCode, version, body: text === '' ? undefined : JSON.parse(text) };
  }

  function requests(status: number): string {
    return `http_request_duration_seconds_count{method="GET",route="/ws",status="${status}"}`;
  }

  it('a page of another origin: 403', async () => {
    expect(await refusal({ origin: 'https://evil.example.com' })).toMatchObject({
      status: 403,
      body: { code: 'origin_not_allowed' },
    });
  });

  it('none because of HTTP_CONNECTIONS_MAX: those that are upgraded take no room from requests', async () => {
    const small = await testService({ HTTP_CONNECTIONS_MAX: '2' });
    const { maxConnections } = small.http.server;
    const clients: RawClient[] = [];
    for (let count = 0; count < 4; count += 1) clients.push(await rawClient(`${small.ws}/ws`));
    expect((await fetch(`${small.api}/version`)).status).toBe(200);
    for (const { socket } of clients) socket.terminate();
    await vi.waitUntil(async () => (await metric('websocket_connections', small)) === 0, patient);
    expect(small.http.server.maxConnections).toBe(maxConnections);
    await small.service.stop(0, 5000);
  });

  it('one too many: 503, with when to come again', async () => {
    const crowd = await Promise.all(Array.from({ length: 7 }, () => rawClient(`${service.ws}/ws`)));
    expect(await refusal({})).toMatchObject({ status: 503, body: { code: 'too_many_connections' } });
    for (const client of crowd) client.socket.terminate();
  });

  it('another path is what it is without an upgrade', async () => {
    expect(await refusal({}, '/version')).toMatchObject({ status: 200 });
    expect(await refusal({}, '/nowhere')).toMatchObject({ status: 404 });
  });

  const key = 'sec-websocket-key';
  const protocol = 'sec-websocket-protocol';
  const handshakes: readonly [what: string, headers: Record<string, string | string[] | undefined>][] = [
    ['no key', { [key]: undefined }],
    ['a key that is too short', { [key]: 'abc' }],
    ['two keys', { [key]: [handshake[key], handshake[key]] }],
    ['a key that is not quite base64', { [key]: `${'?'.repeat(22)}==` }],
    ['other subprotocols only', { [protocol]: 'a, b' }],
    ['a token and no subprotocol to answer with', { [protocol]: 'bearer.ada' }],
    ['a subprotocol that is repeated', { [protocol]: 'envelope.v2, envelope.v2' }],
    ['another version', { 'sec-websocket-version': '7' }],
    ['no version', { 'sec-websocket-version': undefined }],
  ];

  it('a handshake by HEAD, as a problem', async () => {
    const head = Object.entries({ host: 'a', ...handshake }).map(([name, value]) => `${name}: ${value}\r\n`);
    const reply = await exchange(Number(new URL(service.api).port), `HEAD /ws HTTP/1.1\r\n${head.join('')}\r\n`);
    expect(reply).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('but not one that offers other subprotocols besides', async () => {
    for (const offered of ['envelope.v2, a', 'a,envelope.v2']) {
      const { promise, resolve } = Promise.withResolvers<string | undefined>();
      request(`${service.api}/ws`, { headers: { ...handshake, [protocol]: offered } })
        .on('upgrade', ({ headers }, stream) => {
          stream.destroy();
          resolve(headers[protocol]?.toString());
        })
        .on('response', ({ statusCode }) => resolve(String(statusCode)))
        .end();
      expect(await promise).toBe('envelope.v2');
    }
  });

  it.each(handshakes)('a handshake with %s, as a problem, in log and metrics', async (_what, headers) => {
    const counts = [requests(400), requests(101)];
    const before = await Promise.all(counts.map((series) => metric(series)));
    service.log.text = '';
    const refused = await refusal(headers);
    expect(refused).toMatchObject({ status: 400, version: '13', body: { code: 'invalid_handshake' } });
    const after = await Promise.all(counts.map((series) => metric(series)));
    expect(after.map((count, index) => count - (before[index] ?? 0))).toEqual([1, 0]);
    expect(service.log.text).toContain('"status":400');
  });

  it('one that comes before the reply to an earlier request', async () => {
    const port = Number(new URL(service.api).port);
    const head = Object.entries(handshake).map(([name, value]) => `${name}: ${value}\r\n`);
    const received = await exchange(
      port,
      `GET /version HTTP/1.1\r\nHost: a\r\n\r\nGET /ws HTTP/1.1\r\nHost: a\r\n${head.join('')}\r\n`,
    );
    expect(received).not.toContain('101');
  });

  it('and the connection ends, though its client does not end it', async () => {
    const small = await testService();
    const client = connect({ port: Number(new URL(small.api).port), host: '127.0.0.1', allowHalfOpen: true });
    const head = Object.entries({ ...handshake, origin: 'https://evil.example.com' });
    client
      .resume()
      .write(`GET /ws HTTP/1.1\r\nHost: a\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
    await once(client, 'end');
    await expect.poll(() => promisify(small.http.server.getConnections.bind(small.http.server))(), patient).toBe(0);
    client.destroy();
    expect(await small.service.stop(0, 1000)).toBe(true);
  });

  const bombs: readonly [what: string, headers: Record<string, string>][] = [
    ['many headers', Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`x-${index}`, 'y']))],
    ['one large header', { x: 'y'.repeat(20_000) }],
    ['subprotocols without end', { 'sec-websocket-protocol': 'a, '.repeat(10_000) }],
  ];

  it.each(bombs)('a header bomb of %s: 431', async (_what, headers) => {
    expect(await refusal(headers)).toMatchObject({ status: 431 });
  });

  it.each([
    ['API.example.com:443', 'https://api.example.com', 'let in'],
    ['api.example.com:8443', 'https://api.example.com', '403'],
    ['api.example.com', 'null', '403'],
  ])('not a page of the same origin: host %s, origin %s', async (host, origin, outcome) => {
    const connecting = rawClient(`${service.ws}/ws`, { headers: { host, origin } }).then(
      ({ socket }) => {
        socket.terminate();
        return 'let in';
      },
      (error: unknown) => String(error),
    );
    expect(await connecting).toContain(outcome);
  });

  it('no upgrade at all: 426', async () => {
    const answer = await fetch(`${service.api}/ws`);
    expect(answer.status).toBe(426);
    expect(answer.headers.get('upgrade')).toBe('websocket');
    expect(await answer.json()).toMatchObject({ code: 'upgrade_required' });
  });

  it('an upgrade to something else is ignored, its body read', async () => {
    const asked = request(`${service.api}/version`, { headers: { connection: 'Upgrade', upgrade: 'h2c' } });
    asked.end();
    const [response] = await once(asked, 'response');
    expect(response.statusCode).toBe(200);
    asked.destroy();
  });
});

function envelope(more: Record<string, unknown> = {}): Record<string, unknown> {
  return { msgId: 'h-1', timestamp: 1, source: 'test', type: 'echo', version: '1.0', payload: { text: 'a' }, ...more };
}
