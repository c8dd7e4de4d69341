import { once } from 'node:events';
import { type ClientHttp2Session, constants } from 'node:http2';
import { type Server, type Socket, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Http } from '../http/server.ts';
import {
  emptySettings,
  frame,
  named,
  preface,
  request,
  TestFiles,
  type TestService,
  answerOf,
  ask,
  testCertificate,
  testService,
  until,
} from './testing.ts';

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

function routes(http: Http): void {
  ({ server } = http);
  http.get('/hello', () => ({ hello: 'there' }));
  http.get('/waits', () => {
    handled += 1;
    return new Promise(() => undefined);
  });
  http.get('/large', (_request, reply) => reply.type('image/png').send(Buffer.alloc(1_000_000)));
  http.post('/take', ({ body }) => ({ body }));
  // As a token is verified, by who asks for its key.
  http.post('/later', { onRequest: () => sleep(50) }, ({ body }) => ({ body }));
}

/** Whether a client that does nothing wrong is served. */
async function othersAreServed(): Promise<boolean> {
  return (await ask(session, { ':path': '/hello' })).status === 200;
}

function counted(pattern: RegExp): Promise<void> {
  return until(async () => pattern.test(await service.metrics.text()));
}

/** A connection that has begun as HTTP/2 does. */
async function raw(): Promise<TLSSocket> {
  const socket = await service.tls();
  socket.resume();
  socket.write(preface);
  socket.write(emptySettings);
  return socket;
}

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

  it('a connection that its client resets is not counted', async () => {
    const { tcp, tls } = await halfOpen();
    tls.write(Buffer.concat([preface, emptySettings, request(1, '/waits')]));
    await until(() => handled === 1);
    tcp.resetAndDestroy();
    await counted(/^http2_sessions 1$/m);
    expect(await service.metrics.text()).not.toMatch(/^http2_sessions_closed_total\{/m);
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

  it('that has ended without a byte before it is read is answered at once', async () => {
    const stream = session.request({ ':method': 'POST', ':path': '/later', 'content-type': 'application/json' });
    const answer = answerOf(stream);
    await sleep(10);
    stream.end();
    expect(await answer).toMatchObject({ status: 200 });
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
    // :method POST, :scheme https, :authority, :path, content-type.
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

  it.each(['HTTP2_REQUESTS_MAX', 'HTTP2_PEER_REQUESTS_MAX'])(
    'of requests on many connections is refused beyond %s, untouched: they may be sent again',
    async (limit) => {
      await service.stop();
      await start({ [limit]: '10' });
      const floods = await Promise.all(Array.from({ length: 4 }, () => service.open()));
      const streams = floods.flatMap((flood) => Array.from({ length: 5 }, () => flood.request({ ':path': '/waits' })));
      const refused = new Set<number>();
      for (const [index, stream] of streams.entries()) {
        stream.on('error', () => undefined);
        stream.once('close', () => {
          if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) refused.add(index);
        });
      }
      await until(() => refused.size === 10);
      expect(handled).toBe(10);
      await counted(/^http2_streams_reset_total\{reason="too_many"\} 10$/m);
      await counted(/^http2_streams 10$/m);
      for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
      await counted(/^http2_streams 0$/m);
      expect(await othersAreServed()).toBe(true);
    },
  );
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
    await start({ HTTP_STALL_TIMEOUT_MS: '100' });
    const slow = await service.open();
    const stream = slow.request({ ':path': '/large' });
    stream.on('error', () => undefined);
    stream.pause();
    await counted(/^http2_streams_reset_total\{reason="stalled"\} 1$/m);
    await counted(/^http2_streams 0$/m);
    await expect.poll(() => service.log.text).toMatch(/"status":499/);
    expect(await othersAreServed()).toBe(true);
  });

  it('that reads its reply slowly gets all of it', async () => {
    await service.stop();
    await start({ HTTP_STALL_TIMEOUT_MS: '1000' });
    const stream = session.request({ ':path': '/large' });
    stream.on('data', () => {
      stream.pause();
      setTimeout(() => stream.resume(), 25);
    });
    expect(await answerOf(stream)).toMatchObject({ status: 200, reset: constants.NGHTTP2_NO_ERROR });
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
    await service.stop(25_000);
    expect(performance.now() - begun).toBeLessThan(15_000);
  });
});

describe('a connection that is half open', () => {
  /** Starts it anew, without a connection. */
  async function restart(timeoutMs: string): Promise<void> {
    await service.stop();
    await start({
      HTTP_KEEP_ALIVE_TIMEOUT_MS: timeoutMs,
      HTTP_REQUEST_TIMEOUT_MS: timeoutMs,
      HTTP_STALL_TIMEOUT_MS: '1000',
      TLS_HANDSHAKE_TIMEOUT_MS: timeoutMs,
    });
    session.destroy();
    await until(async () => (await connections()) === 0);
  }
  beforeEach(() => restart('1000'));

  /** Whether others are served once none is left, not even of those that look closed from here. */
  async function allAreGone(): Promise<boolean> {
    await until(async () => (await connections()) === 0);
    await counted(/^http2_sessions 0$/m);
    // On a busy machine, the time for idle connections may pass before the request.
    await until(async () => {
      session = await service.open();
      return othersAreServed().catch(() => false);
    });
    return true;
  }

  it('because its client was gone after the handshake is closed, and counted', async () => {
    (await halfOpen()).tls.resume();
    expect(await allAreGone()).toBe(true);
    await counted(/^http2_sessions_closed_total\{reason="half_open"\} 1$/m);
  });

  it('because its client was gone before it had read its reply is closed, and counted', async () => {
    const { tcp, tls } = await halfOpen();
    tls.write(Buffer.concat([Buffer.from(preface), emptySettings, request(1, '/large')]));
    tcp.pause();
    tls.pause();
    await counted(/^http2_streams_reset_total\{reason="stalled"\} 1$/m);
    expect(await allAreGone()).toBe(true);
    await counted(/^http2_sessions_closed_total\{reason="half_open"\} 1$/m);
  });

  it('because its client floods, and reads nothing, is closed, and counted once', async () => {
    const { tcp, tls } = await halfOpen();
    tcp.pause();
    tls.pause();
    tls.write(Buffer.concat([Buffer.from(preface), ...Array.from({ length: 500 }, () => emptySettings)]));
    expect(await allAreGone()).toBe(true);
    expect(await service.metrics.text()).toMatch(/^http2_sessions_closed_total\{reason="flood"\} 1$/m);
    expect(await service.metrics.text()).not.toContain('reason="half_open"');
  });

  it('because its client speaks HTTP/1.1, and says nothing, is closed', async () => {
    (await halfOpen('http/1.1')).tls.resume();
    expect(await allAreGone()).toBe(true);
    await counted(/^tls_handshakes_total\{version="TLSv1.3",protocol="http\/1.1",resumed="false"\} 1$/m);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a part of a handshake', Buffer.of(22, 3, 1, 1, 0, 1)],
  ])('after which its client has ended its side, having sent %s, is closed, and counted', async (_what, bytes) => {
    const tcp = connect({ host: '127.0.0.1', port: service.port, allowHalfOpen: true });
    tcp.on('error', () => undefined).resume();
    await once(tcp, 'connect');
    tcp.end(bytes);
    await counted(/^tls_handshake_errors_total\{reason="connection_lost"\} 1$/m);
    expect(await allAreGone()).toBe(true);
  });

  it('because its client has ended its side in the middle of a request is closed, and the request counted', async () => {
    await restart('30000');
    const { tcp, tls } = await halfOpen();
    tls.resume();
    tls.write(Buffer.concat([Buffer.from(preface), emptySettings, request(1, '/waits')]));
    await until(() => handled === 1);
    tcp.end();
    await counted(/^http2_streams_reset_total\{reason="client"\} 1$/m);
    expect(await allAreGone()).toBe(true);
    expect(service.log.text).not.toContain('request broken off');
  });

  it('does not hold up a service that stops', async () => {
    await restart('30000');
    (await halfOpen()).tls.resume();
    await counted(/^http2_sessions 1$/m);
    expect(await service.service.stop(0, 30_000)).toBe(true);
  });
});
