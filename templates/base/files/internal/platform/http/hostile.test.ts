import { type Socket, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listenLocally, testHttp } from '../../../test/support/http.ts';
import { connectTo, exchange, receive } from '../../../test/support/raw.ts';
import type { Http } from './server.ts';

const bodyLimit = 65_536;

let http: Http;
let port: number;
let accepted: Socket[];
beforeEach(async () => {
  accepted = [];
  http = await testHttp({ HTTP_BODY_LIMIT_BYTES: String(bodyLimit), HTTP_REQUEST_TIMEOUT_MS: '300' });
  http.server.on('connection', (socket: Socket) => accepted.push(socket));
  http.get('/', () => ({ ok: true }));
  http.post('/', ({ body }) => ({ body }));
  http.get('/query', ({ query }) => ({
    admin: String(Reflect.get({}, 'admin')),
    own: String(Reflect.get(Object(query), 'admin')),
  }));
  port = await listenLocally(http);
});
afterEach(async () => {
  for (const socket of accepted) socket.destroy();
  await http.close();
});

function head(request: string, ...headers: string[]): string {
  return [`${request} HTTP/1.1`, 'Host: test', ...headers, '', ''].join('\r\n');
}

async function isAnswering(): Promise<void> {
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
}

describe('lengths that contradict each other', () => {
  it.each([
    ['two lengths', ['Content-Length: 2', 'Content-Length: 3'], '{}'],
    ['a length and chunks', ['Content-Length: 5', 'Transfer-Encoding: chunked'], '0\r\n\r\n'],
    ['two encodings', ['Transfer-Encoding: chunked, identity'], '0\r\n\r\n'],
    ['a blank before the colon', ['Transfer-Encoding : chunked', 'Content-Length: 5'], '0\r\n\r\n'],
    ['a length that is none', ['Content-Length: -1'], '{}'],
    ['a length with a sign', ['Content-Length: +2'], '{}'],
    ['a chunk that is none', ['Transfer-Encoding: chunked'], 'zz\r\n{}\r\n0\r\n\r\n'],
  ])('(%s) are 400, and what follows is not read as a request', async (_what, headers, body) => {
    const smuggled = head('GET /smuggled');
    const reply = await exchange(port, head('POST /', 'Content-Type: application/json', ...headers) + body + smuggled);
    expect(reply).toMatch(/^HTTP\/1\.1 400 /);
    expect(reply.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(reply).not.toContain('route_not_found');
    await isAnswering();
  });
});

it('names by which a prototype is polluted are names like any other, in a query and in a header', async () => {
  const url = `http://127.0.0.1:${port}/query?__proto__[admin]=1&__proto__=1&constructor.prototype.admin=1&constructor=1`;
  const reply = await fetch(url, { headers: { ['__proto__']: 'x', constructor: 'x' } });
  expect(await reply.json()).toEqual({ admin: 'undefined', own: 'undefined' });
});

describe('a header bomb', () => {
  it.each([
    ['many headers', Array.from({ length: 4000 }, (_each, index) => `x-${index}: y`)],
    ['one large header', [`x: ${'y'.repeat(20_000)}`]],
    ['a large name', [`${'x'.repeat(20_000)}: y`]],
  ])('of %s is 431', async (_what, headers) => {
    expect(await exchange(port, head('GET /', ...headers))).toMatch(/^HTTP\/1\.1 431 /);
    await isAnswering();
  });
});

describe('a client that is slow', () => {
  it.each([
    ['head', 'GET / HTTP/1.1\r\nHost: test\r\n', 'x: y\r\n'],
    ['body', head('POST /', 'Content-Type: application/json', 'Content-Length: 1000'), ' '],
  ])('with its %s (slow-loris) gets 408, and the others are served', async (_what, first, drop) => {
    const socket = await connectTo(port);
    const reply = receive(socket);
    socket.write(first);
    const dripping = setInterval(() => socket.write(drop), 50);
    await isAnswering();
    expect(await reply).toMatch(/^HTTP\/1\.1 408 /);
    clearInterval(dripping);
  });

  it('and goes on when its connection has ended on our side is let go', async () => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const reply = receive(socket);
    const dripping = setInterval(() => socket.write('x: y\r\n'), 50);
    socket.write('GET / HTTP/1.1\r\nHost: test\r\n');
    expect(await reply).toMatch(/^HTTP\/1\.1 408 /);
    clearInterval(dripping);
    await expect.poll(() => accepted.every(({ destroyed }) => destroyed)).toBe(true);
  });
});

describe('a connection that is half closed', () => {
  it('gets the reply to what it sent', async () => {
    const socket = await connectTo(port);
    socket.end(head('GET /'));
    expect(await receive(socket)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it.each(['GET / HT', head('POST /', 'Content-Type: application/json', 'Content-Length: 10')])(
    'in the middle of a request is let go: %j',
    async (part) => {
      const socket = await connectTo(port);
      socket.end(part);
      expect(await receive(socket)).toMatch(/^(HTTP\/1\.1 400 |$)/);
      await expect.poll(() => accepted.every(({ destroyed }) => destroyed)).toBe(true);
      await isAnswering();
    },
  );
});

describe('a body of 100 MB', () => {
  const bytes = 100_000_000;

  it('is refused at its head when it says so', async () => {
    const reply = await exchange(port, head('POST /', 'Content-Type: application/json', `Content-Length: ${bytes}`));
    expect(reply).toMatch(/^HTTP\/1\.1 413 /);
    expect(reply).toContain('"code":"body_too_large"');
  });

  it.each([
    ['announced', 'POST /', [`Content-Length: ${bytes}`], 'x'.repeat(65_536)],
    ['in chunks', 'POST /', ['Transfer-Encoding: chunked'], `10000\r\n${'x'.repeat(65_536)}\r\n`],
    ['to nowhere', 'POST /nothing', [`Content-Length: ${bytes}`], 'x'.repeat(65_536)],
    ['in chunks to nowhere', 'PUT /', ['Transfer-Encoding: chunked'], `10000\r\n${'x'.repeat(65_536)}\r\n`],
  ])('(%s) is not read to its end, and the others are served', async (_what, request, headers, part) => {
    const socket = await connectTo(port);
    const closed = receive(socket);
    socket.write(head(request, 'Content-Type: application/json', ...headers));
    let sent = 0;
    while (sent < bytes && socket.writable) {
      // The callback comes with an error when the connection is gone.
      await new Promise((resolve) => {
        socket.write(part, resolve);
      });
      sent += part.length;
      await sleep(0);
    }
    await closed;
    await isAnswering();
    const [{ bytesRead } = { bytesRead: 0 }] = accepted;
    expect(bytesRead).toBeGreaterThan(0);
    expect(bytesRead).toBeLessThan(40 * bodyLimit);
  });
});
