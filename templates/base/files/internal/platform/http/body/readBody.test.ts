import type { Socket } from 'node:net';
import { Registry } from '@prometheus-io/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listenLocally, testHttp } from '../../../../test/support/http.ts';
import { connectTo, exchange, receive } from '../../../../test/support/raw.ts';
import { ErrorCounts } from '../../metrics/module.ts';
import type { Http } from '../server.ts';

const kilobyte = 1024;

let http: Http;
let port: number;
let registry: Registry;
let go: () => void;
let asked: number;
beforeEach(async () => {
  registry = new Registry();
  const limit = String(64 * kilobyte);
  http = await testHttp(
    { HTTP_BODY_LIMIT_BYTES: limit, HTTP_BODY_MEMORY_BYTES: limit },
    { errors: new ErrorCounts(registry) },
  );
  const { promise: wait, resolve } = Promise.withResolvers<void>();
  go = resolve;
  asked = 0;
  http.get('/', () => ({ ok: true }));
  http.post('/', ({ body }) => ({ length: JSON.stringify(body).length }));
  http.post('/wait', async ({ body }) => {
    asked += 1;
    await wait;
    return { length: JSON.stringify(body).length };
  });
  port = await listenLocally(http);
});
afterEach(() => {
  http.server.closeAllConnections();
  return http.close();
});

const chunked = head('POST /', 'Transfer-Encoding: chunked');

function head(request: string, ...headers: string[]): string {
  return [`${request} HTTP/1.1`, 'Host: test', 'Content-Type: application/json', ...headers, '', ''].join('\r\n');
}

/** Sends a whole body; the connection stays open for others. */
async function post(path: string, body: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
}

/** JSON of so many bytes. */
const textOf = (bytes: number): string => JSON.stringify('x'.repeat(bytes - 2));

describe('a body', () => {
  it.each([1, 3, 1000])('in chunks of %i bytes is put together', async (size) => {
    const body = textOf(40_000);
    const chunks = body.match(new RegExp(`.{1,${size}}`, 'g')) ?? [];
    const sent = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
    const reply = await exchange(port, `${chunked.replace('\r\n', '\r\nConnection: close\r\n')}${sent}0\r\n\r\n`);
    expect(reply).toMatch(/^HTTP\/1\.1 200 /);
    expect(reply).toContain('{"length":40000}');
  });

  it('that its client breaks off is not counted as a fault of ours', async () => {
    const socket = await connectTo(port);
    socket.write(`${head('POST /', 'Content-Length: 10')}{"a"`);
    // Once this is answered, the other has arrived too.
    expect((await post('/', '{}')).status).toBe(200);
    socket.destroy();
    await expect.poll(() => registry.metrics()).toContain('errors_total{code="body_incomplete"} 1');
    expect(await registry.metrics()).not.toContain('unknown');
  });

  it('that is not wanted, and has no end, is not taken in: the connection closes', async () => {
    const socket = await connectTo(port);
    const received = receive(socket);
    socket.write(`${chunked.replace('POST', 'GET')}1\r\nx\r\n`);
    expect(await received).toMatch(/^HTTP\/1\.1 200 [^]*connection: close/i);
  });
});

describe('the bodies of all requests together', () => {
  it('take no more memory than they may: what goes beyond is 503, what is small gets in, and all of it comes back', async () => {
    const first = post('/wait', textOf(60 * kilobyte));
    await expect.poll(() => asked).toBe(1);
    const refused = await post('/wait', textOf(60 * kilobyte));
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({ code: 'overloaded' });
    expect((await post('/', textOf(16 * kilobyte))).status).toBe(200);
    go();
    expect((await first).status).toBe(200);
    expect((await post('/', textOf(60 * kilobyte))).status).toBe(200);
  });

  it('are given back by clients that leave in the middle', async () => {
    const half = `${head('POST /', `Content-Length: ${60 * kilobyte}`)}"${'x'.repeat(50 * kilobyte)}`;
    const sockets: Socket[] = [];
    for (let count = 0; count < 3; count += 1) {
      const socket = await connectTo(port);
      socket.write(half);
      sockets.push(socket);
    }
    await expect.poll(async () => (await post('/', textOf(60 * kilobyte))).status).toBe(503);
    for (const socket of sockets) socket.destroy();
    await expect.poll(async () => (await post('/', textOf(60 * kilobyte))).status).toBe(200);
  });

  it('are weighed by what they become: many small objects take many times their text', async () => {
    const objects = `[${'{},'.repeat(2000)}0]`;
    expect(objects.length).toBeLessThan(16 * kilobyte);
    expect((await post('/', objects)).status).toBe(503);
    expect((await post('/', textOf(objects.length))).status).toBe(200);
  });
});
