import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Registry } from '@prometheus-io/client';
import { afterEach, describe, expect, it } from 'vitest';
import { listenLocally, testHttp } from '../../../../test/support/http.ts';
import { connectTo, receive } from '../../../../test/support/raw.ts';
import { ErrorCounts } from '../../metrics/module.ts';
import type { Http } from '../server.ts';

let http: Http;
afterEach(() => {
  http.server.closeAllConnections();
  return http.close();
});

/** A server whose replies come when `go` is called. */
async function start(env: Readonly<Record<string, string>> = {}) {
  const registry = new Registry();
  http = await testHttp(env, { errors: new ErrorCounts(registry) });
  const { promise: wait, resolve: go } = Promise.withResolvers<void>();
  let asked = 0;
  http.get('/', () => ({ ok: true }));
  http.get('/wait', async () => {
    asked += 1;
    await wait;
    return { done: true };
  });
  http.get('/parts', (_request, reply) => {
    asked += 1;
    const parts = async function* (): AsyncIterable<string> {
      yield 'part';
      await wait;
    };
    return reply.type('text/plain').send(Readable.from(parts()));
  });
  const port = await listenLocally(http);
  return { port, go, asked: () => asked, counted: () => registry.metrics() };
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`;

describe('what is no request', () => {
  it.each([
    ['is due', '/wait', 0],
    ['has begun', '/parts', 1],
  ])('is not answered into the reply to an earlier one, which %s', async (_what, path, bytes) => {
    const { port, asked } = await start();
    const socket = await connectTo(port);
    const received = receive(socket);
    socket.write(get(path));
    await expect.poll(asked).toBe(1);
    await expect.poll(() => socket.bytesRead).toBeGreaterThanOrEqual(bytes);
    socket.write('GARBAGE\r\n\r\n');
    expect(await received).not.toContain('400');
  });

  it('is answered by 400 when nothing else is due, also on a connection that was used before', async () => {
    const { port } = await start();
    const socket = await connectTo(port);
    const received = receive(socket);
    socket.write(get('/'));
    await expect.poll(() => socket.bytesRead).toBeGreaterThan(0);
    socket.write('GARBAGE\r\n\r\n');
    expect(await received).toMatch(/^HTTP\/1\.1 200 [^]*HTTP\/1\.1 400 /);
  });
});

describe('requests that come before earlier ones are answered', () => {
  it('are answered in their order, as many as sixteen', async () => {
    const { port, go, asked } = await start();
    const socket = await connectTo(port);
    socket.write(get('/wait').repeat(16) + get('/wait').replace('Host', 'Connection: close\r\nHost'));
    await expect.poll(asked).toBe(17);
    go();
    expect((await text(socket)).match(/"done":true/g)).toHaveLength(17);
  });

  it('are counted anew when those before them are answered', async () => {
    const { port } = await start();
    const socket = await connectTo(port);
    let received = '';
    socket.setEncoding('latin1').on('data', (part: string) => {
      received += part;
    });
    for (let sent = 16; sent <= 80; sent += 16) {
      socket.write(get('/').repeat(16));
      await expect.poll(() => received.match(/"ok":true/g)?.length).toBe(sent);
    }
    socket.destroy();
  });

  it('by the thousand cut off their connection, and harm no other', async () => {
    const { port, asked, counted } = await start();
    const socket = await connectTo(port);
    const received = receive(socket);
    socket.write(get('/wait').repeat(10_000));
    expect(await received).toBe('');
    expect(asked()).toBeLessThan(20);
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
    expect(await counted()).toContain('errors_total{code="too_many_unanswered"}');
  });
});

describe('connections beyond the limit', () => {
  it('are closed at once, those that are there served, and others let in again when they leave', async () => {
    const { port, counted } = await start({ HTTP_CONNECTIONS_MAX: '3' });
    const sockets: Socket[] = [];
    for (let count = 0; count < 3; count += 1) sockets.push(await connectTo(port));
    // The kernel says that it is connected before the server has seen it.
    await expect.poll(async () => receive(await connectTo(port))).toBe('');
    expect(await counted()).toContain('errors_total{code="too_many_connections"}');
    const [first, ...others] = sockets;
    if (first === undefined) throw new Error('no connection');
    const served = receive(first);
    first.end(get('/'));
    expect(await served).toMatch(/^HTTP\/1\.1 200 /);
    for (const socket of others) socket.destroy();
    await expect.poll(async () => (await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined))?.status).toBe(200);
  });
});
