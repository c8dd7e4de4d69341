import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  constants,
  createServer,
} from 'node:http2';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Answer,
  Echo,
  type TestService,
  beginRaw,
  callRaw,
  checkHealth,
  echoes,
  frame,
  testService,
  text,
  until,
} from './testing.ts';

const limit = 10_000;
let service: TestService;
let session: ClientHttp2Session;

async function start(env: Readonly<Record<string, string>> = {}): Promise<void> {
  service = await testService(
    (grpc) => {
      grpc.add(Echo, {
        ...echoes,
        async *talk(requests, call) {
          yield* requests;
          // Node's client ends a stream before it resets it.
          await once(call.signal, 'abort');
          call.throwIfEnded();
        },
        async *spread({ value }) {
          for (let count = 0; count < 10_000; count += 1) {
            sent = count;
            yield { value };
          }
        },
      });
    },
    { GRPC_MESSAGE_LIMIT_BYTES: String(limit), ...env },
  );
  session = await service.raw();
}
/** How many messages of the long stream its handler has made. */
let sent = 0;

beforeEach(() => start());
afterEach(() => service.stop());

/** Whether others are served as if nothing had happened. */
async function othersAreServed(): Promise<boolean> {
  const { value } = await service.open().client(Echo).one({ value: 'hello' });
  return value === 'hello';
}

async function counted(line: RegExp): Promise<boolean> {
  return line.test(await service.metrics.text());
}

/** Waits until one call has its log line and its metrics. */
async function expectRecorded(method: string, status: string, code: string): Promise<void> {
  const line = `"method":"${method}",`;
  await until(() => service.log.text.includes(line));
  const [before = '', after = ''] = service.log.text.split(line);
  expect(before).not.toContain('"msg":"call"');
  expect(after).toMatch(new RegExp(`^.*"status":"${status}".*"msg":"call"`));
  const labels = `method="${method.replace('/', '\\/')}",status="${status}"`;
  expect(await counted(new RegExp(`^grpc_server_call_duration_seconds_count\\{${labels}\\} 1$`, 'm'))).toBe(true);
  expect(await counted(new RegExp(`^errors_total\\{code="${code}"\\} 1$`, 'm'))).toBe(true);
}

/** Opens a connection that is closed again. */
async function refused(): Promise<void> {
  const socket = connect(service.port, '127.0.0.1').on('error', () => undefined);
  await once(socket.resume(), 'close');
}

/** GOAWAY (RFC 9113, 6.8): no stream, no error. */
const goaway = Buffer.concat([Buffer.of(0, 0, 8, 7, 0, 0, 0, 0, 0), Buffer.alloc(8)]);

/**
 * Connects as a client does that is gone afterwards: its side never ends, not even when ours has.
 * @param bytes after those with which HTTP/2 begins
 */
async function halfOpen(bytes = Buffer.alloc(0)): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port: service.port, allowHalfOpen: true });
  socket.on('error', () => undefined).resume();
  await once(socket, 'connect');
  const settings = Buffer.of(0, 0, 0, 4, 0, 0, 0, 0, 0);
  socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settings, bytes]));
}

function prefixed(length: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

function compressed(bytes: Buffer): Buffer {
  const message = frame(bytes);
  message[0] = 1;
  return message;
}

/** Begins a call that its client does not end. */
function opened(connection: ClientHttp2Session, path: string, bytes = frame(Buffer.alloc(0))): ClientHttp2Stream {
  const stream = beginRaw(connection, path);
  stream.write(bytes);
  if (path === watch) stream.end();
  return stream;
}

const good = { message: text('hello') };
const noMessage = { message: Buffer.alloc(0) };
const check = '/grpc.health.v1.Health/Check';
const watch = '/grpc.health.v1.Health/Watch';

describe('what no client should send', () => {
  it.each<[string, () => Promise<Answer>, string, string]>([
    [
      'a message that is too large',
      () => callRaw(session, '/test.Echo/One', { message: text('x'.repeat(limit)) }),
      '8',
      'resource_exhausted',
    ],
    [
      'a length that is a lie',
      () => callRaw(session, '/test.Echo/One', prefixed(2 ** 32 - 1)),
      '8',
      'resource_exhausted',
    ],
    [
      'one in a stream',
      () => callRaw(session, '/test.Echo/Gather', Buffer.concat([frame(text('x')), prefixed(limit + 1)])),
      '8',
      'resource_exhausted',
    ],
    [
      'a message that is too large once it is decompressed',
      () =>
        callRaw(session, '/test.Echo/One', compressed(gzipSync(text('x'.repeat(100 * limit)))), {
          'grpc-encoding': 'gzip',
        }),
      '8',
      'resource_exhausted',
    ],
    [
      'what cannot be decompressed',
      () => callRaw(session, '/test.Echo/One', compressed(Buffer.from('x')), { 'grpc-encoding': 'gzip' }),
      '3',
      'invalid_argument',
    ],
    [
      'an encoding that is unknown',
      () => callRaw(session, '/test.Echo/One', compressed(Buffer.from('x')), { 'grpc-encoding': 'br' }),
      '12',
      'unimplemented',
    ],
    [
      'garbage in place of a message',
      () => callRaw(session, '/test.Echo/One', { message: Buffer.from('ffffffffff', 'hex') }),
      '3',
      'message_malformed',
    ],
    [
      'garbage in a stream',
      () => callRaw(session, '/test.Echo/Talk', { message: Buffer.from('ffffffffff', 'hex') }),
      '3',
      'message_malformed',
    ],
    ['half a message', () => callRaw(session, '/test.Echo/One', prefixed(10)), '12', 'unimplemented'],
    ['no message', () => callRaw(session, '/test.Echo/One', Buffer.alloc(0)), '12', 'unimplemented'],
    [
      'two messages',
      () => callRaw(session, '/test.Echo/One', Buffer.concat([frame(text('a')), frame(text('b'))])),
      '12',
      'unimplemented',
    ],
    [
      'a deadline that is none',
      () => callRaw(session, '/test.Echo/One', good, { 'grpc-timeout': 'soon' }),
      '3',
      'invalid_argument',
    ],
  ])('%s is answered, counted, and does not touch others', async (_what, call, grpcStatus, code) => {
    const answer = await call();
    expect(answer).toMatchObject({ status: 200, grpcStatus });
    expect(answer.message).not.toBe('');
    expect(await counted(new RegExp(`^errors_total\\{code="${code}"\\} 1$`, 'm'))).toBe(true);
    expect(await othersAreServed()).toBe(true);
    await until(() => service.grpc.calls === 0);
  });

  it.each<[string, Uint8Array, Record<string, string>]>([
    ['text that is not UTF-8', Buffer.from('0a02c328', 'hex'), {}],
    ['half a surrogate', Buffer.from('0a03eda080', 'hex'), {}],
    ['a field of another type', Buffer.from('08ffffffffffffffffff01', 'hex'), {}],
    ['a field that is not closed', Buffer.from('0b', 'hex'), {}],
    ['a length without end', Buffer.from('0affffffff0f', 'hex'), {}],
    ['NUL', text('\0'), {}],
    ['an id of bytes', text('a'), { 'x-request-id': '\u00ff' }],
    ['a trace that is none', text('a'), { traceparent: 'x', tracestate: '=' }],
    ['binary metadata that is none', text('a'), { 'x-bin': '%%%' }],
    ['a token that is none', text('a'), { authorization: 'Bearer \u00e9' }],
    ['a name of a prototype', text('a'), { ['__proto__']: 'x', constructor: 'x' }],
    ['a time without end', text('a'), { 'grpc-timeout': '99999999H' }],
    ['a time that is too long to say', text('a'), { 'grpc-timeout': '99999999999999999999H' }],
    ['no time at all', text('a'), { 'grpc-timeout': '0n' }],
    ['a time before now', text('a'), { 'grpc-timeout': '-1S' }],
    ['an accepted encoding that is none', text('a'), { 'grpc-accept-encoding': ',x,,' }],
  ])('%s is no fault of the service, and has its line', async (_what, message, headers) => {
    for (const path of ['/test.Echo/One', '/test.Echo/Gather']) {
      const answer = await callRaw(session, path, { message }, headers);
      // Neither UNKNOWN, INTERNAL, UNAVAILABLE nor DATA_LOSS.
      expect([path, answer.status, ['0', '3', '4', '8', '16'].includes(String(answer.grpcStatus))]).toEqual([
        path,
        200,
        true,
      ]);
    }
    expect(service.log.text.match(/"msg":"call"/g)).toHaveLength(2);
    expect(await othersAreServed()).toBe(true);
  });

  it.each(['/test.Echo/Nothing', '/nothing.Here/One', '/', '/\u00ff', `/${'x'.repeat(5000)}`])(
    '%s is no method: it has its line, and is counted under one name',
    async (path) => {
      expect(await callRaw(session, path, good)).toMatchObject({ status: 200, grpcStatus: '12' });
      await expectRecorded('unknown', 'UNIMPLEMENTED', 'unimplemented');
      expect(service.log.text).toContain('"path":"/');
      expect(await othersAreServed()).toBe(true);
    },
  );

  it.each([
    ['application/json', '/test.Echo/One', 'test.Echo/One'],
    ['', '/test.Echo/One', 'test.Echo/One'],
    ['text/plain', '/test.Echo/Nothing', 'unknown'],
  ])('content type "%s" for %s is answered by 415, has its line, and is counted', async (type, path, method) => {
    const answer = await callRaw(session, path, good, { 'content-type': type, 'x-request-id': 'odd-one' });
    expect(answer.status).toBe(415);
    await expectRecorded(method, 'INVALID_ARGUMENT', 'content_type_unsupported');
    expect(service.log.text).toContain('odd-one');
    expect(await othersAreServed()).toBe(true);
  });

  it('a call whose client has ended nothing is recorded when it is answered', async () => {
    const stream = opened(session, '/test.Echo/Nothing');
    const [headers] = await once(stream, 'response');
    expect(headers).toMatchObject({ 'grpc-status': '12' });
    await expectRecorded('unknown', 'UNIMPLEMENTED', 'unimplemented');
    stream.close(constants.NGHTTP2_CANCEL);
  });

  it('a stream of another HTTP/2 server of the process is not recorded', async () => {
    const other = createServer((_request, response) => void response.end()).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const client = connectHttp2(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`);
    expect(await callRaw(client, '/test.Echo/Nothing', good)).toMatchObject({ status: 200 });
    client.close();
    other.close();
    await othersAreServed();
    await until(() => service.log.text.includes('"msg":"call"'));
    expect(service.log.text).not.toContain('unknown');
  });

  it('a bomb of headers is reset by HTTP/2 itself', async () => {
    const bomb = Object.fromEntries(Array.from({ length: 80 }, (_, index) => [`x-${index}`, 'y'.repeat(1000)]));
    const answer = await callRaw(session, '/test.Echo/One', good, bomb);
    expect(answer.grpcStatus).toBeUndefined();
    expect(answer.reset).not.toBe(0);
    expect(await othersAreServed()).toBe(true);
  });

  it('bytes that are not HTTP/2 close their connection', async () => {
    const socket = connect(service.port, '127.0.0.1');
    socket.on('error', () => undefined).resume();
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await once(socket, 'close');
    expect(await othersAreServed()).toBe(true);
  });
});

describe('a flood from one peer', () => {
  it('of calls that are opened and cancelled ends with its connection', async () => {
    const flood = await service.raw();
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    flood.once('close', resolve);
    for (let count = 0; count < 5000 && !flood.destroyed; count += 1) {
      const stream = beginRaw(flood, '/test.Echo/Gather');
      stream.close(constants.NGHTTP2_CANCEL);
      if (count % 50 === 0) await sleep(0);
    }
    await closed;
    expect(await othersAreServed()).toBe(true);
    await until(() => service.grpc.calls === 0);
  });

  it('of connections is turned away beyond the limit', async () => {
    await service.stop();
    await start({ GRPC_CONNECTIONS_LIMIT: '1' });
    await refused();
    expect(await counted(/^errors_total\{code="too_many_connections"\} 1$/m)).toBe(true);
  });

  it('of calls is answered by RESOURCE_EXHAUSTED beyond the limit, and by OK again after it', async () => {
    await service.stop();
    await start({ GRPC_CALLS_LIMIT: '2' });
    const open = [opened(session, '/test.Echo/Gather'), opened(session, '/test.Echo/Gather')];
    await until(() => service.grpc.calls === 2);
    expect(await callRaw(session, '/test.Echo/One', good)).toMatchObject({ grpcStatus: '8' });
    expect(await counted(/^errors_total\{code="calls_too_many"\} 1$/m)).toBe(true);
    for (const stream of open) stream.close(constants.NGHTTP2_CANCEL);
    await until(() => service.grpc.calls === 0);
    expect(await callRaw(session, '/test.Echo/One', good)).toMatchObject({ grpcStatus: '0' });
  });

  it('of calls up to the limit keeps no probe out', async () => {
    await service.stop();
    await start({ GRPC_CALLS_LIMIT: '2' });
    const open = [opened(session, '/test.Echo/Gather'), opened(session, watch)];
    await until(() => service.grpc.calls === open.length);
    expect(await callRaw(session, '/test.Echo/One', good)).toMatchObject({ grpcStatus: '8' });
    expect(await callRaw(session, watch, noMessage)).toMatchObject({ grpcStatus: '8' });
    await until(async () => (await checkHealth(session)) === 'SERVING');
  });
});

it('a name that fits into no trailers does not end the connection of whoever sent it', async () => {
  await service.stop();
  await start({ GRPC_MESSAGE_LIMIT_BYTES: '100000' });
  expect(await callRaw(session, check, { message: text('x'.repeat(50_000)) })).toMatchObject({ grpcStatus: '5' });
  expect(await callRaw(session, '/test.Echo/One', good)).toMatchObject({ grpcStatus: '0' });
});

describe('a client that is slow or gone', () => {
  it('that does not read is waited for: its stream does not pile up here', async () => {
    const stream = beginRaw(session, '/test.Echo/Spread');
    stream.end(frame(text('x'.repeat(5000))));
    await once(stream, 'response');
    await until(async () => {
      const before = sent;
      await sleep(200);
      return sent === before;
    });
    // What flow control lets through, and what waits in one buffer: far from the 10,000 that there are.
    expect(sent).toBeLessThan(100);
    expect(await othersAreServed()).toBe(true);
    stream.close(constants.NGHTTP2_CANCEL);
    await until(() =>
      counted(/^grpc_server_call_duration_seconds_count\{method="test.Echo\/Spread",status="CANCELLED"\} 1$/m),
    );
    await until(() => service.grpc.calls === 0);
  });

  it('that asks for the contract and reads no answer is not read on', async () => {
    const mute = await service.raw({ settings: { initialWindowSize: 0 } });
    const stream = beginRaw(mute, '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo');
    // list_services, so often that they do not fit into what flow control lets through.
    const asked = Buffer.concat(Array.from({ length: 50_000 }, () => frame(Buffer.of(0x3a, 0))));
    let isRead = false;
    stream.write(asked, () => (isRead = true));
    await until(() => service.grpc.calls === 1);
    await sleep(1000);
    expect(isRead).toBe(false);
    expect(await othersAreServed()).toBe(true);
  });

  it.each([
    ['its one reply', '/test.Echo/One', 'DEADLINE_EXCEEDED'],
    ['the middle of a stream', '/test.Echo/Spread', 'DEADLINE_EXCEEDED'],
    ['the last of a stream', '/test.Echo/Talk', 'DEADLINE_EXCEEDED'],
  ])('that never reads %s is given up at its deadline', async (_what, path, status) => {
    const mute = await service.raw({ settings: { initialWindowSize: 0 } });
    const stream = beginRaw(mute, path, { 'grpc-timeout': '100m' });
    stream.end(frame(text('x'.repeat(50))));
    await until(() => counted(new RegExp(`^grpc_server_call_duration_seconds_count.*status="${status}"\\} 1$`, 'm')));
    await until(() => service.grpc.calls === 0);
    // Otherwise what it does not read would stay in memory.
    await until(() => stream.closed, 5000);
    expect(await othersAreServed()).toBe(true);
  });

  it('that cancels in the middle of a stream ends what is done for it', async () => {
    const stream = beginRaw(session, '/test.Echo/Talk');
    stream.write(frame(text('a')));
    await once(stream, 'data');
    expect(service.grpc.calls).toBe(1);
    stream.close(constants.NGHTTP2_CANCEL);
    await until(() => service.grpc.calls === 0);
    expect(await counted(/^errors_total\{code="cancelled"\} 1$/m)).toBe(true);
    expect(await othersAreServed()).toBe(true);
  });

  it('whose connection breaks in the middle of a stream does as well', async () => {
    const lost = await service.raw();
    const stream = beginRaw(lost, '/test.Echo/Talk');
    stream.write(frame(text('a')));
    await once(stream, 'data');
    lost.socket.destroy();
    lost.destroy();
    await until(() => service.grpc.calls === 0 && service.grpc.connections === 1);
    expect(await othersAreServed()).toBe(true);
  });

  it('that leaves, and never ends its side of the connection, is cut off', async () => {
    await halfOpen(goaway);
    await until(() => service.grpc.connections === 2);
    await until(() => service.grpc.connections === 1);
    expect(await othersAreServed()).toBe(true);
  });

  it('that never ends its side of the connection does not hold up a service that stops', async () => {
    session.destroy();
    await halfOpen();
    await until(() => service.grpc.connections === 1);
    expect(await service.service.stop(0, 5000)).toBe(true);
  });

  it('that has left just before, and does not end its side, does not hold it up either', async () => {
    session.destroy();
    await halfOpen(goaway);
    await until(() => service.grpc.connections === 1);
    // By now it has ended on our side.
    await sleep(100);
    expect(await service.service.stop(0, 5000)).toBe(true);
  });
});
