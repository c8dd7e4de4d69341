import { once } from 'node:events';
import { type ClientHttp2Session, constants } from 'node:http2';
import { type Server, type Socket, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Http } from '../http/server.ts';
import { TestFiles, type TestService, answerOf, ask, testCertificate, testService } from './testing.ts';

const files = new TestFiles();
beforeAll(async () => files.write(await testCertificate()));
afterAll(() => files[Symbol.dispose]());

let service: TestService;
let session: ClientHttp2Session;
/** Requests that a handler was given. */
let handled: number;
let server: Server;
async function start(env: Readonly<Record<string, string>> = {}): Promise<void> {
  handled = 0;
  service = await testService(files, routes, env);
  session = await service.open();
}
beforeEach(() => start());
afterEach(() => service.stop());

async function restart(env: Readonly<Record<string, string>>): Promise<void> {
  await service.stop();
  await start(env);
}

function routes(http: Http): void {
  ({ server } = http);
  http.get('/hello', () => ({ hello: 'there' }));
  http.get('/waits', () => {
    handled += 1;
    return new Promise(() => undefined);
  });
  http.get('/large', (_request, reply) => reply.type('image/png').send(Buffer.alloc(1_000_000)));
  http.post('/take', ({ body }) => ({ body }));
  http.post('/upload', { config: { deadlineMs: Infinity } }, ({ body }) => ({ body }));
  // As a token is verified, by who asks for its key.
  http.post('/later', { onRequest: () => sleep(50) }, ({ body }) => ({ body }));
}

/** Whether a client that does nothing wrong is served. */
async function othersAreServed(): Promise<boolean> {
  const other = await service.open();
  return (await ask(other, { ':path': '/hello' })).status === 200;
}

async function counted(pattern: RegExp): Promise<void> {
  await expect.poll(service.metrics.text, { timeout: 10_000 }).toMatch(pattern);
}

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
/** SETTINGS without a value (RFC 9113, 6.5). */
const emptySettings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

/**
 * A connection of a client that never ends its side by itself, as one that is gone does not: not even when ours has ended.
 * @param protocol that it asks for
 */
async function halfOpen(protocol = 'h2'): Promise<{ tcp: Socket; tls: TLSSocket }> {
  const tcp = connect({ host: '127.0.0.1', port: service.port, allowHalfOpen: true });
  tcp.on('error', () => undefined);
  const tls = await service.tls({ socket: tcp, ALPNProtocols: [protocol] });
  return { tcp, tls };
}

/** How many connections the service has, of whatever protocol. */
async function connections(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  server.getConnections((_error, count) => resolve(count));
  return promise;
}

describe('what is not HTTP/2', () => {
  it('closes its connection, which is counted', async () => {
    const socket = await service.tls();
    socket.resume();
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await once(socket, 'close');
    await counted(/^errors_total\{code="malformed_request"\} 1$/m);
    expect(await othersAreServed()).toBe(true);
  });

  it('a handshake that is none is counted', async () => {
    const socket = connect(service.port, '127.0.0.1');
    socket.on('error', () => undefined).resume();
    socket.write(Buffer.alloc(100, 7));
    await once(socket, 'close');
    await counted(/^tls_connections_total\{protocol="failed"\} 1$/m);
    expect(await othersAreServed()).toBe(true);
  });
});

describe('headers', () => {
  const bomb = (count: number, bytes: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${index}`, 'y'.repeat(bytes)]));

  it.each([
    ['large', bomb(50, 1500)],
    ['many', bomb(1000, 1)],
  ])('that are a bomb, of %s ones, are reset', async (_what, headers) => {
    const answer = await ask(session, { ':path': '/hello', ...headers }).catch(() => undefined);
    expect(answer?.status ?? 0).toBe(0);
    expect(await othersAreServed()).toBe(true);
  });

  it('of a tunnel, or of an unknown method, are refused', async () => {
    const stream = session.request({ ':method': 'CONNECT', ':authority': 'example.com:443' });
    stream.end();
    expect(await answerOf(stream)).toMatchObject({ status: 400 });
    expect(await ask(session, { ':method': 'NONE', ':path': '/hello' })).toMatchObject({ status: 400 });
  });
});

describe('a body', () => {
  it('that is too large is refused while it comes, and its connection goes on', async () => {
    await restart({ HTTP_BODY_LIMIT_BYTES: '10000' });
    const stream = session.request({ ':method': 'POST', ':path': '/take', 'content-type': 'application/json' });
    const answer = answerOf(stream);
    let sent = 0;
    while (!stream.closed && sent < 5_000_000) {
      if (!stream.write(Buffer.alloc(10_000, 32))) await Promise.race([once(stream, 'drain'), answer]);
      sent += 10_000;
    }
    expect(await answer).toMatchObject({ status: 413, reset: constants.NGHTTP2_NO_ERROR });
    expect(sent).toBeLessThan(1_000_000);
    expect((await ask(session, { ':path': '/hello' })).status).toBe(200);
  });

  it('that has ended without a byte before it is read is answered at once', async () => {
    const stream = session.request({ ':method': 'POST', ':path': '/later', 'content-type': 'application/json' });
    const answer = answerOf(stream);
    await sleep(10);
    stream.end();
    expect(await answer).toMatchObject({ status: 200 });
  });

  it('that does not come is given up at the deadline, as the fault of its client', async () => {
    await restart({ HTTP_DEADLINE_MS: '50' });
    const stream = session.request({ ':method': 'POST', ':path': '/take', 'content-type': 'application/json' });
    stream.write('{');
    expect(await answerOf(stream)).toMatchObject({ status: 408 });
  });
});

describe('a flood from one peer', () => {
  it('of requests that are opened and reset at once ends with its connection (CVE-2023-44487)', async () => {
    const flood = await service.open();
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    flood.once('close', resolve);
    for (let count = 0; count < 5000 && !flood.destroyed; count += 1) {
      const stream = flood.request({ ':path': '/waits' });
      stream.on('error', () => undefined);
      stream.close(constants.NGHTTP2_CANCEL);
      if (count % 50 === 0) await sleep(0);
    }
    await closed;
    await counted(/^errors_total\{code="malformed_request"\} 1$/m);
    expect(await othersAreServed()).toBe(true);
  });

  it('of SETTINGS whose answers it does not read ends with its connection', async () => {
    const socket = await service.tls();
    socket.pause();
    socket.write(preface);
    const flood = Buffer.concat(Array.from({ length: 10_000 }, () => emptySettings));
    for (let count = 0; count < 1000 && !socket.destroyed; count += 1) {
      socket.write(flood);
      await sleep(0);
    }
    await counted(/^errors_total\{code="malformed_request"\} 1$/m);
    expect(await othersAreServed()).toBe(true);
  });

  it('of requests at once waits: no more than the limit reach a handler', async () => {
    await restart({ HTTP2_STREAMS_MAX: '5' });
    for (let count = 0; count < 20; count += 1) session.request({ ':path': '/waits' }).on('error', () => undefined);
    await expect.poll(() => handled).toBe(5);
    await sleep(20);
    expect(handled).toBe(5);
    expect(await othersAreServed()).toBe(true);
  });

  it('of requests on many connections is refused, untouched: they may be sent again', async () => {
    await restart({ HTTP_CONNECTIONS_MAX: '10' });
    const floods = await Promise.all(Array.from({ length: 4 }, () => service.open()));
    const streams = floods.flatMap((flood) => Array.from({ length: 5 }, () => flood.request({ ':path': '/waits' })));
    let refused = 0;
    for (const stream of streams) {
      stream.on('error', () => undefined);
      stream.once('close', () => {
        if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) refused += 1;
      });
    }
    await expect.poll(() => refused).toBe(10);
    expect(handled).toBe(10);
    await counted(/^errors_total\{code="too_many_requests"\} 10$/m);
    for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
    await expect.poll(() => othersAreServed()).toBe(true);
  });
});

describe('a client that is slow or gone', () => {
  it('that does not read its reply is given up', async () => {
    await restart({ HTTP_STALL_TIMEOUT_MS: '100' });
    const reader = await service.open();
    const stream = reader.request({ ':path': '/large' });
    stream.on('error', () => undefined);
    stream.pause();
    // What it does beside that keeps the connection alive, not the reply.
    const pings = setInterval(() => void ask(reader, { ':path': '/hello' }), 50);
    await counted(/^errors_total\{code="reader_stalled"\} 1$/m);
    clearInterval(pings);
    await expect.poll(() => service.log.text).toMatch(/"status":499/);
    expect(await othersAreServed()).toBe(true);
  });

  it('that does not send the whole of its body in time is given up, also where there is no deadline', async () => {
    await restart({ HTTP_REQUEST_TIMEOUT_MS: '500', HTTP_STALL_TIMEOUT_MS: '500' });
    const stream = session.request({ ':method': 'POST', ':path': '/upload', 'content-type': 'application/json' });
    const spaces = setInterval(() => stream.write(' '), 50);
    expect((await answerOf(stream)).status).toBe(0);
    clearInterval(spaces);
    await counted(/^errors_total\{code="request_timeout"\} 1$/m);
    expect(await othersAreServed()).toBe(true);
  });

  it('that reads its reply slowly gets all of it', async () => {
    await restart({ HTTP_STALL_TIMEOUT_MS: '1000' });
    const stream = session.request({ ':path': '/large' });
    stream.on('data', () => {
      stream.pause();
      setTimeout(() => stream.resume(), 25);
    });
    expect(await answerOf(stream)).toMatchObject({ status: 200, reset: constants.NGHTTP2_NO_ERROR });
  });

  it('that has nothing to ask is asked to leave', async () => {
    await restart({ HTTP_KEEP_ALIVE_TIMEOUT_MS: '50' });
    await once(session, 'close');
    await expect.poll(connections).toBe(0);
  });

  it('whose connection breaks in the middle of a request ends what is done for it', async () => {
    const lost = await service.open();
    lost.request({ ':path': '/waits' }).on('error', () => undefined);
    await expect.poll(() => handled).toBe(1);
    lost.socket.destroy();
    lost.destroy();
    await expect.poll(() => service.log.text).toMatch(/"status":499/);
    expect(service.log.text).not.toContain('request broken off');
    expect(await othersAreServed()).toBe(true);
  });
});

describe('a connection that is half open', () => {
  beforeEach(async () => {
    await restart({ HTTP_KEEP_ALIVE_TIMEOUT_MS: '500', HTTP_REQUEST_TIMEOUT_MS: '500', HTTP_STALL_TIMEOUT_MS: '500' });
    session.destroy();
  });

  it.each(['h2', 'http/1.1'])('because its client says nothing after the handshake is closed: %s', async (protocol) => {
    (await halfOpen(protocol)).tls.resume();
    await expect.poll(connections, { timeout: 10_000 }).toBe(0);
  });

  it('because its client reads nothing is closed', async () => {
    const { tcp, tls } = await halfOpen();
    tcp.pause();
    tls.write(Buffer.concat([preface, ...Array.from({ length: 500 }, () => emptySettings)]));
    await expect.poll(connections, { timeout: 10_000 }).toBe(0);
  });

  it('does not hold up a service that stops', async () => {
    (await halfOpen()).tls.resume();
    expect(await service.service.stop(0, 30_000)).toBe(true);
  });
});
