import { once } from 'node:events';
import { type ClientHttp2Session, constants } from 'node:http2';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Http } from '../http/server.ts';
import { TestFiles, type TestService, answerOf, ask, testCertificate, testService, until } from './testing.ts';

const files = new TestFiles();
beforeAll(async () => files.write(await testCertificate()));
afterAll(() => files[Symbol.dispose]());

let service: TestService;
let session: ClientHttp2Session;
/** Requests that a handler was given. */
let handled: number;
async function start(env: Readonly<Record<string, string>> = {}): Promise<void> {
  handled = 0;
  service = await testService(files, routes, env);
  session = await service.open();
}
beforeEach(() => start());
afterEach(() => service.stop());

function routes(http: Http): void {
  http.get('/hello', () => ({ hello: 'there' }));
  http.get('/waits', () => {
    handled += 1;
    return new Promise(() => undefined);
  });
  http.get('/large', (_request, reply) => reply.type('image/png').send(Buffer.alloc(1_000_000)));
  http.post('/take', ({ body }) => ({ body }));
}

/** Whether a client that does nothing wrong is served. */
async function othersAreServed(): Promise<boolean> {
  return (await ask(session, { ':path': '/hello' })).status === 200;
}

function counted(pattern: RegExp): Promise<void> {
  return until(async () => pattern.test(await service.metrics.text()));
}

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const emptySettings = frame(4, 0, 0);

/** One frame (RFC 9113, 4.1). */
function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A connection that has begun as HTTP/2 does. */
async function raw(): Promise<TLSSocket> {
  const socket = await service.tls();
  socket.resume();
  socket.write(preface);
  socket.write(emptySettings);
  return socket;
}

describe('what is not HTTP/2', () => {
  it.each([
    ['bytes in place of its preface', 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'],
    [
      'a frame that is longer than agreed',
      Buffer.concat([Buffer.from(preface), emptySettings, frame(0, 0, 1, Buffer.alloc(20_000))]),
    ],
    [
      'headers that cannot be decoded',
      Buffer.concat([Buffer.from(preface), emptySettings, frame(1, 5, 1, Buffer.alloc(30, 0xff))]),
    ],
    [
      'data on a stream that is none',
      Buffer.concat([Buffer.from(preface), emptySettings, frame(0, 0, 7, Buffer.alloc(5))]),
    ],
  ])('%s closes its connection, which is counted', async (_what, bytes) => {
    const socket = await service.tls();
    socket.resume();
    socket.write(bytes);
    await once(socket, 'close');
    await counted(/^http2_sessions_closed_total\{reason="protocol_error"\} 1$/m);
    expect(await othersAreServed()).toBe(true);
  });

  it('a handshake that is none is counted', async () => {
    const socket = connect(service.port, '127.0.0.1');
    socket.on('error', () => undefined).resume();
    socket.write(Buffer.alloc(100, 7));
    await once(socket, 'close');
    await counted(/^tls_handshake_errors_total\{reason="malformed"\} 1$/m);
    expect(await othersAreServed()).toBe(true);
  });
});

describe('headers', () => {
  const bomb = (count: number, bytes: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${index}`, 'y'.repeat(bytes)]));

  it('beyond the limit of bytes are told so', async () => {
    expect(await ask(session, { ':path': '/hello', ...bomb(20, 1000) })).toMatchObject({ status: 431 });
    await counted(/^errors_total\{code="headers_too_large"\} 1$/m);
  });

  it('beyond the limit of number are told so', async () => {
    expect(await ask(session, { ':path': '/hello', ...bomb(97, 1) })).toMatchObject({ status: 431 });
    await counted(/^errors_total\{code="too_many_headers"\} 1$/m);
  });

  it.each([
    ['large', bomb(50, 1500)],
    ['many', bomb(1000, 1)],
  ])('that are a bomb, of %s ones, are reset by HTTP/2 itself', async (_what, headers) => {
    const answer = await ask(session, { ':path': '/hello', ...headers }).catch(() => undefined);
    expect(answer?.status ?? 0).toBe(0);
    session.close();
    session = await service.open();
    expect(await othersAreServed()).toBe(true);
  });

  it('that name two hosts are refused', async () => {
    expect(
      await ask(session, { ':path': '/hello', ':authority': 'one.example.com', host: 'two.example.com' }),
    ).toMatchObject({ status: 400 });
    await counted(/^errors_total\{code="invalid_host"\} 1$/m);
  });

  it('of a tunnel are refused', async () => {
    const stream = session.request({ ':method': 'CONNECT', ':authority': 'example.com:443' });
    expect(await answerOf(stream)).toMatchObject({ status: 405 });
  });
});

describe('a body', () => {
  it('that is too large is refused while it comes, and its connection goes on', async () => {
    await service.stop();
    await start({ HTTP_BODY_LIMIT_BYTES: '10000' });
    const stream = session.request({ ':method': 'POST', ':path': '/take', 'content-type': 'application/json' });
    const answer = answerOf(stream);
    let sent = 0;
    while (!stream.closed && sent < 5_000_000) {
      if (!stream.write(Buffer.alloc(10_000, 32))) await Promise.race([once(stream, 'drain'), answer]);
      sent += 10_000;
    }
    expect(await answer).toMatchObject({ status: 413, reset: constants.NGHTTP2_NO_ERROR });
    expect(sent).toBeLessThan(1_000_000);
    expect(await othersAreServed()).toBe(true);
  });

  it('that does not come is given up at the deadline, as the fault of its client', async () => {
    await service.stop();
    await start({ HTTP_DEADLINE_MS: '50' });
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
    await counted(/^http2_sessions_closed_total\{reason="protocol_error"\} 1$/m);
    expect(await othersAreServed()).toBe(true);
    await counted(/^http2_streams 0$/m);
  });

  it.each([
    ['pings', frame(6, 0, 0, Buffer.alloc(8))],
    ['settings', emptySettings],
  ])('of %s ends with its connection', async (_what, one) => {
    const socket = await raw();
    socket.write(Buffer.concat(Array.from({ length: 500 }, () => one)));
    await once(socket, 'close');
    await counted(/^http2_sessions_closed_total\{reason="flood"\} 1$/m);
    expect(await othersAreServed()).toBe(true);
  });

  it('of data frames that are empty ends with its connection', async () => {
    const socket = await raw();
    // HPACK (RFC 7541, appendix A): :method POST, :scheme https, :authority, :path, content-type.
    const named = (index: number, value: string) => Buffer.concat([Buffer.of(index, value.length), Buffer.from(value)]);
    const head = Buffer.concat([
      Buffer.of(0x83, 0x87),
      named(0x41, 'a'),
      named(0x44, '/take'),
      named(0x5f, 'application/json'),
    ]);
    socket.write(frame(1, 4, 1, head));
    for (let count = 0; count < 30 && !socket.destroyed; count += 1) {
      socket.write(Buffer.concat(Array.from({ length: 100 }, () => frame(0, 0, 1))));
      await sleep(0);
    }
    await until(() => socket.destroyed);
    await counted(/^http2_sessions_closed_total\{reason="protocol_error"\} 1$/m);
    expect(await othersAreServed()).toBe(true);
  });

  it('of requests at once waits: no more than the limit reach a handler', async () => {
    await service.stop();
    await start({ HTTP2_STREAMS_MAX: '5' });
    const streams = Array.from({ length: 20 }, () =>
      session.request({ ':path': '/waits' }).on('error', () => undefined),
    );
    await until(() => handled === 5);
    await sleep(20);
    expect(handled).toBe(5);
    for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
    await counted(/^http2_streams 0$/m);
    expect(await othersAreServed()).toBe(true);
  });

  it('of connections is turned away beyond the limit of one address', async () => {
    await service.stop();
    await start({ TLS_PEER_CONNECTIONS_MAX: '2' });
    await service.tls();
    await expect(service.tls()).rejects.toThrow(/disconnected|ECONNRESET|socket hang up/);
    await counted(/^tls_connections_refused_total\{limit="peer"\} 1$/m);
    expect(await othersAreServed()).toBe(true);
  });
});

describe('a client that is slow or gone', () => {
  it('that says nothing in the handshake is closed, and counted', async () => {
    await service.stop();
    await start({ TLS_HANDSHAKE_TIMEOUT_MS: '50' });
    const mute = connect(service.port, '127.0.0.1');
    mute.on('error', () => undefined).resume();
    await once(mute, 'close');
    await counted(/^tls_handshake_errors_total\{reason="timeout"\} 1$/m);
    expect(await othersAreServed()).toBe(true);
  });

  it('that does not read its reply is given up', async () => {
    await service.stop();
    await start({ HTTP2_STALL_TIMEOUT_MS: '100' });
    const slow = await service.open();
    const stream = slow.request({ ':path': '/large' });
    stream.on('error', () => undefined);
    stream.pause();
    await counted(/^http2_streams_reset_total\{reason="stalled"\} 1$/m);
    await counted(/^http2_streams 0$/m);
    await expect.poll(() => service.log.text).toMatch(/"status":499/);
    expect(await othersAreServed()).toBe(true);
  });

  it('that has nothing to ask is asked to leave', async () => {
    await service.stop();
    await start({ HTTP_KEEP_ALIVE_TIMEOUT_MS: '50' });
    await once(session, 'close');
    expect(await service.metrics.text()).not.toMatch(/^http2_sessions_closed_total\{/m);
  });

  it('whose connection breaks in the middle of a request ends what is done for it', async () => {
    const lost = await service.open();
    lost.request({ ':path': '/waits' }).on('error', () => undefined);
    await until(() => handled === 1);
    lost.socket.destroy();
    lost.destroy();
    await counted(/^http2_streams 0$/m);
    await expect.poll(() => service.log.text).toMatch(/"status":499/);
    expect(service.log.text).not.toContain('request broken off');
    expect(await othersAreServed()).toBe(true);
  });

  it('that has ended its side before the service could hear of it leaves nothing behind', async () => {
    for (let count = 0; count < 20; count += 1) (await service.tls()).destroy();
    expect(await othersAreServed()).toBe(true);
    session.destroy();
    // Nothing is left to be cut off at the deadline.
    const begun = performance.now();
    await service.stop(5000);
    expect(performance.now() - begun).toBeLessThan(3000);
  });
});
