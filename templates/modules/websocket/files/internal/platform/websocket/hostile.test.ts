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
  guarded,
  handshake,
  news,
  numberOf,
  rawClient,
  testService,
  upgraded,
} from './testing.ts';

const patient = { timeout: 60_000 };
const limits = {
  WEBSOCKET_MESSAGE_LIMIT_BYTES: '4096',
  WEBSOCKET_MESSAGES_PER_SECOND: '50',
  WEBSOCKET_BUFFER_LIMIT_BYTES: '65536',
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
  bystander.socket.terminate();
  await vi.waitUntil(async () => (await metric('websocket_connections')) === 0, patient);
});

/** The value of a metric, or of one series of it. */
async function metric(series: string, of = service): Promise<number> {
  const line = (await of.metrics.text()).split('\n').find((each) => each.startsWith(`${series} `));
  return Number(line?.split(' ').at(-1) ?? 0);
}

async function faults(code: string, of = service): Promise<number> {
  return metric(`websocket_faults_total{code="${code}"}`, of);
}

/** The number of all faults. */
async function allFaults(): Promise<number> {
  const lines = (await service.metrics.text()).split('\n').filter((each) => each.startsWith('websocket_faults_total{'));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
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
    ['an unknown version', JSON.stringify(envelope({ version: '9.0' })), 'unknown_version'],
    [
      'an answer to nothing',
      JSON.stringify(envelope({ direction: 'response', correlationId: 'x' })),
      'unexpected_response',
    ],
    [
      'a topic that does not exist',
      JSON.stringify(envelope({ type: 'topic.subscribe', payload: { topic: 'secret' } })),
      'topic_unknown',
    ],
    [
      'a topic that is called like a prototype',
      JSON.stringify(envelope({ type: 'topic.subscribe', payload: { topic: '__proto__' } })),
      'topic_unknown',
    ],
  ];

  it.each(cases)('%s', async (_what, text, code) => {
    const client = await rawClient(`${service.ws}/ws`);
    const before = await faults(code);
    client.sendText(text);
    const error = await client.next(({ type }) => type === 'error');
    expect(error.payload).toMatchObject({ code });
    expect(await faults(code)).toBe(before + 1);
    const answer = await client.ask({ payload: { text: 'go on' } });
    expect(answer.payload).toEqual({ text: 'go on' });
    client.socket.terminate();
  });

  it('says which versions there are', async () => {
    const client = await rawClient(`${service.ws}/ws`);
    const error = await client.ask({ version: '2.0', payload: { text: 'a' } });
    expect(error.payload).toMatchObject({ code: 'unknown_version', details: { supported: ['1.0'] } });
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
      client.sendText(text.replace('"HERE"', literal));
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
    client.sendText(JSON.stringify(envelope({ payload: { text: 'a'.repeat(5000) } })));
    expect(await client.closed).toMatchObject({ code: 1009 });
    expect(await faults('message_too_big')).toBe(1);
  });

  it('many small fragments of a message that is too large: 1009', async () => {
    const client = await rawClient(`${service.ws}/ws`);
    const before = await faults('message_too_big');
    for (let part = 0; part < 100; part += 1) client.socket.send('a'.repeat(100), { fin: false });
    expect(await client.closed).toMatchObject({ code: 1009 });
    expect(await faults('message_too_big')).toBe(before + 1);
  });

  it('a message in too many pieces: 1008', async () => {
    const client = await rawClient(`${service.ws}/ws`);
    const before = await faults('message_too_big');
    for (let part = 0; part < 40; part += 1) client.socket.send('a', { fin: false });
    await sleep(50);
    for (let part = 0; part < 40; part += 1) client.socket.send('a', { fin: false });
    expect(await client.closed).toMatchObject({ code: 1008 });
    expect(await faults('message_too_big')).toBe(before + 1);
  });

  it('a binary message: 1003, after an error that says so', async () => {
    const client = await rawClient(`${service.ws}/ws`);
    client.socket.send(Buffer.from([1, 2, 3]));
    expect(await client.closed).toEqual({ code: 1003, reason: 'binary_not_supported' });
    expect(client.received.at(-1)?.payload).toMatchObject({ code: 'binary_not_supported', retryable: false });
  });

  const frames: readonly [what: string, bytes: number[], code: number, fault: string][] = [
    ['a reserved opcode', [0x83, 0x80, 0, 0, 0, 0], 1002, 'malformed_frame'],
    ['a frame without mask', [0x81, 0x01, 0x61], 1002, 'malformed_frame'],
    ['a reserved bit', [0xc1, 0x80, 0, 0, 0, 0], 1002, 'malformed_frame'],
    ['a fragmented ping', [0x09, 0x80, 0, 0, 0, 0], 1002, 'malformed_frame'],
    ['a length of 2^63', [0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1009, 'message_too_big'],
    ['text that is no UTF-8', [0x81, 0x81, 0, 0, 0, 0, 0xff], 1007, 'invalid_utf8'],
  ];

  it.each(frames)('%s', async (_what, bytes, code, fault) => {
    const before = await faults(fault);
    const stream = await upgraded(`${service.api}/ws`);
    stream.write(Buffer.from(bytes));
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    await vi.waitFor(() => expect(Buffer.concat(chunks).length).toBeGreaterThan(3), patient);
    const answer = Buffer.concat(chunks);
    expect([answer[0], answer.readUInt16BE(2)]).toEqual([0x88, code]);
    expect(await faults(fault)).toBe(before + 1);
    stream.destroy();
  });

  it('a flood: 4429, and what it costs others is nothing', async () => {
    const client = await rawClient(`${service.ws}/ws`);
    for (let sent = 0; sent < 2000; sent += 1) client.send({ payload: { text: 'flood' } });
    expect(await client.closed).toEqual({ code: 4429, reason: 'rate_limited' });
    expect(client.received.filter(({ type }) => type === 'echo').length).toBeLessThan(200);
    expect(await faults('rate_limited')).toBe(1);
  });

  it.each(['ping', 'pong'] as const)('a flood of %ss', async (kind) => {
    const before = await allFaults();
    const client = await rawClient(`${service.ws}/ws`);
    for (let sent = 0; sent < 2000; sent += 1) client.socket[kind]();
    // The close frame may be lost in the flood, and so may the code of the fault. The end and its count may not.
    const { code } = await client.closed;
    expect(await allFaults(), `closed with ${code}: ${await service.metrics.text()}`).toBeGreaterThan(before);
  });

  it('garbage, sooner than as many good messages would', async () => {
    const client = await rawClient(`${service.ws}/ws`);
    for (let sent = 0; sent < 20; sent += 1) client.sendText('garbage');
    expect(await client.closed).toMatchObject({ code: 4429 });
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
    await client.ask({ type: 'topic.subscribe', payload: { topic: 'news' } });
    return client;
  }

  it('is disconnected at the limit, with what waited for it let go, while others get everything', async () => {
    const reader = await subscribed(service);
    const slow = await subscribed(service);
    slow.socket.pause();
    for (let number = 1; number <= many; number += 1) {
      await service.sockets.publish('news', news, { number, padding });
      if (number % 100 === 0) await sleep(1);
      expect(await bufferedBytes(number)).toBeLessThan(65_536 + 200_000);
    }
    const last = await reader.next(({ payload }) => isLast(payload));
    expect(last.topic).toBe('news');
    expect(reader.received.filter(({ type }) => type === 'news')).toHaveLength(many);
    await vi.waitFor(async () => expect(await faults('slow_reader')).toBe(1), patient);
    // Its socket is cut off soon, whether it reads or not.
    await vi.waitFor(async () => expect(await metric('websocket_connections')).toBe(2), patient);
    slow.socket.terminate();
    reader.socket.terminate();
  });

  it('of whom there are many is disconnected, the slowest first, when too much waits for all of them', async () => {
    const held = await testService({ WEBSOCKET_BUFFERS_BYTES_MAX: '1000000' });
    const slow = await Promise.all(Array.from({ length: 4 }, () => rawClient(`${held.ws}/ws`)));
    const text = 'a'.repeat(60_000);
    for (const { socket } of slow) socket.pause();
    let most = 0;
    await vi.waitUntil(async () => {
      for (const client of slow)
        if (client.socket.readyState === client.socket.OPEN) client.send({ payload: { text } });
      await sleep(20);
      most = Math.max(most, await metric('websocket_buffered_bytes', held));
      return (await faults('slow_reader', held)) >= 1;
    }, patient);
    // Beside what waits, each has in its stream what the system does not take at once.
    expect(most).toBeLessThan(1_000_000 + 4 * 200_000);
    const reader = await rawClient(`${held.ws}/ws`);
    expect((await reader.ask({ payload: { text: 'here' } })).payload).toEqual({ text: 'here' });
    for (const { socket } of [...slow, reader]) socket.terminate();
    await held.service.stop(0, 5000);
  });

  it('and not at all, but says that it is there, is disconnected in time', async () => {
    const held = await testService({ WEBSOCKET_HEARTBEAT_MS: '20', WEBSOCKET_HEARTBEAT_TIMEOUT_MS: '1000' });
    const slow = await subscribed(held);
    slow.socket.pause();
    const pongs = setInterval(() => slow.socket.pong(), 20);
    await vi.waitUntil(async () => {
      for (let number = 1; number <= 20; number += 1) await held.sockets.publish('news', news, { number, padding });
      return (await metric('websocket_connections', held)) === 0;
    }, patient);
    clearInterval(pongs);
    expect(await metric('websocket_dead_peers_total', held)).toBe(1);
    slow.socket.terminate();
    await held.service.stop(0, 5000);
  });

  /** Asked for now and then: a scrape costs more than a message. */
  async function bufferedBytes(number: number): Promise<number> {
    return number % 500 === 0 ? metric('websocket_buffered_bytes') : 0;
  }
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
    expect(await metric('websocket_upgrades_refused_total{reason="origin_not_allowed"}')).toBe(1);
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

  it('one too many of one address: 429, until one of them goes; others, and who is known, are let in', async () => {
    const small = await testService(
      { WEBSOCKET_CONNECTIONS_PER_ADDRESS: '2', HTTP_TRUSTED_PROXIES: '127.0.0.1' },
      (_sockets, api) => guarded(api),
    );
    const from = (address: string, more: Record<string, string> = {}): Promise<RawClient> =>
      rawClient(`${small.ws}/ws`, { headers: { 'x-forwarded-for': address, ...more } });
    const clients = [await from('203.0.113.7'), await from('203.0.113.7')];
    const refused = await refusal({ 'x-forwarded-for': '203.0.113.7' }, '/ws', small);
    expect(refused).toMatchObject({ status: 429, body: { code: 'too_many_connections' } });
    expect(await metric('websocket_upgrades_refused_total{reason="too_many_connections"}', small)).toBe(1);
    clients.push(await from('203.0.113.8'), await from('203.0.113.7', { authorization: 'Bearer ada' }));
    clients.shift()?.socket.terminate();
    await vi.waitFor(async () => clients.push(await from('203.0.113.7')), patient);
    for (const { socket } of clients) socket.terminate();
    await small.service.stop(0, 5000);
  });

  it('another path is what it is without an upgrade', async () => {
    expect(await refusal({}, '/version')).toMatchObject({ status: 200 });
    expect(await refusal({}, '/nowhere')).toMatchObject({ status: 404 });
  });

  const key = 'sec-websocket-key';
  const protocol = 'sec-websocket-protocol';
  const handshakes: readonly [what: string, headers: Record<string, string | string[] | undefined>, status: number][] =
    [
      ['no key', { [key]: undefined }, 400],
      ['a key that is too short', { [key]: 'abc' }, 400],
      ['two keys', { [key]: [handshake[key], handshake[key]] }, 400],
      ['a key that is not quite base64', { [key]: `${'?'.repeat(22)}==` }, 400],
      ['an empty subprotocol', { [protocol]: 'a,,b' }, 400],
      ['the same subprotocol twice', { [protocol]: 'a, a' }, 400],
      ['a subprotocol that is no token', { [protocol]: 'a b' }, 400],
      ['a token and no subprotocol to answer with', { [protocol]: 'bearer.ada' }, 400],
      ['two tokens', { [protocol]: 'envelope.v2, bearer.ada, bearer.eve' }, 400],
      ['a token in each of two places', { [protocol]: 'envelope.v2, bearer.ada', authorization: 'Bearer eve' }, 400],
      ['another version', { 'sec-websocket-version': '8' }, 426],
      ['no version', { 'sec-websocket-version': undefined }, 426],
    ];

  it.each(handshakes)('a handshake with %s, as a problem, in log and metrics', async (_what, headers, status) => {
    const counts = ['websocket_upgrades_refused_total{reason="invalid_handshake"}', requests(status), requests(101)];
    const before = await Promise.all(counts.map((series) => metric(series)));
    service.log.text = '';
    const refused = await refusal(headers);
    const version = status === 426 ? '13' : undefined;
    expect(refused).toMatchObject({ status, version, body: { code: 'invalid_handshake' } });
    const after = await Promise.all(counts.map((series) => metric(series)));
    expect(after.map((count, index) => count - (before[index] ?? 0))).toEqual([1, 1, 0]);
    expect(service.log.text).toContain(`"status":${status}`);
  });

  it('one that comes before the reply to an earlier request', async () => {
    const port = Number(new URL(service.api).port);
    const head = Object.entries(handshake).map(([name, value]) => `${name}: ${value}\r\n`);
    const received = await exchange(
      port,
      `GET /version HTTP/1.1\r\nHost: a\r\n\r\nGET /ws HTTP/1.1\r\nHost: a\r\n${head.join('')}\r\n`,
    );
    expect(received).not.toContain('101');
    expect(await metric('websocket_upgrades_refused_total{reason="pipelined"}')).toBe(1);
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

  it('a token alone, with what a page has to offer besides', async () => {
    const { body } = await refusal({ [protocol]: 'bearer.ada' });
    expect(Object(body).detail).toContain('"envelope.v2"');
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
