import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Http } from '../http/server.ts';
import {
  largestWindow,
  preface,
  request,
  windowOf,
  TestFiles,
  type TestService,
  ask,
  testCertificate,
  testService,
  until,
} from './testing.ts';

const files = new TestFiles();
beforeAll(async () => {
  files.write(await testCertificate());
  idle = buffers();
});
afterAll(() => files[Symbol.dispose]());

let service: TestService;
/** Bytes of buffers before there was a service. */
let idle: number;
/** Requests that a handler was given. */
let handled: number;
async function start(env: Readonly<Record<string, string>>): Promise<void> {
  handled = 0;
  service = await testService(files, routes, env);
}
afterEach(async () => {
  await service.stop();
  // Their memory is free before the next one measures its own.
  await until(() => buffers() < idle + replyBytes);
});

const replyBytes = 1_000_000;

function routes(http: Http): void {
  http.get('/large', (_request, reply) => {
    handled += 1;
    return reply.type('image/png').send(Buffer.alloc(replyBytes));
  });
  http.get('/hello', () => ({ hello: 'there' }));
}

/** Bytes of the buffers that are in use. */
function buffers(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') Reflect.apply(collect, undefined, []);
  return process.memoryUsage().arrayBuffers;
}

/**
 * Asks for large replies on one connection, and reads none.
 * @param count of requests
 * @param window bytes of each reply that may be sent
 */
async function flood(count: number, window: number): Promise<void> {
  const socket = await service.tls();
  socket.pause();
  socket.write(
    Buffer.concat([
      preface,
      windowOf(window),
      ...Array.from({ length: count }, (_, index) => request(2 * index + 1, '/large')),
    ]),
  );
}

async function othersAreServed(): Promise<boolean> {
  const session = await service.open();
  const small = await ask(session, { ':path': '/hello' });
  const large = await ask(session, { ':path': '/large' });
  return small.status === 200 && large.status === 200 && large.bytes.length === replyBytes;
}

describe('the memory of replies that are not read', () => {
  const limit = 8_000_000;
  /** What each connection has in its own buffers, and what tests allocate. */
  const besides = 5_000_000;

  it.each([
    ['one connection, of which nothing is let out', 1, 0],
    ['one connection, that takes nothing', 1, largestWindow],
    ['several connections, of which nothing is let out', 3, 0],
    ['several connections, that take nothing', 3, largestWindow],
  ])('is bounded, on %s, and others are served', async (_what, connections, window) => {
    await start({ HTTP2_REPLY_MEMORY_BYTES: String(limit) });
    const before = buffers();
    for (let each = 0; each < connections; each += 1) await flood(50, window);
    await until(() => handled === connections * 50);
    // It is free when all have heard of it.
    await expect.poll(() => buffers() - before).toBeLessThan(limit + besides);
    expect(await othersAreServed()).toBe(true);
    expect(await service.metrics.text()).toMatch(/^http2_streams_reset_total\{reason="memory"\} \d/m);
    expect(service.log.text).not.toContain('request broken off');
  });

  it.each([
    ['of which nothing is let out', 0],
    ['that takes nothing', largestWindow],
  ])('is given back when a connection stalls %s', async (_what, window) => {
    await start({ HTTP_STALL_TIMEOUT_MS: '100' });
    const before = buffers();
    await flood(50, window);
    await until(() => handled === 50);
    await until(async () => /^http2_streams 0$/m.test(await service.metrics.text()));
    await until(() => buffers() - before < besides);
    expect(await othersAreServed()).toBe(true);
  });

  it('is that of one reply where one is larger than all may be', async () => {
    await start({ HTTP2_REPLY_MEMORY_BYTES: '1000' });
    expect(await othersAreServed()).toBe(true);
  });
});
