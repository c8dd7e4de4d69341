import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { testHttp } from '../../../../test/support/http.ts';
import { exchange } from '../../../../test/support/raw.ts';
import { type Context, current } from '../../../../pkg/context/index.ts';
import { createLogger } from '../../log/logger.ts';
import { listen } from '../connections.ts';
import type { Http } from '../server.ts';

let http: Http;
afterEach(() => {
  http.server.closeAllConnections();
  return http.close();
});

/** Listens; Node's own `inject` would not go by way of the server. */
async function start(...args: Parameters<typeof testHttp>): Promise<{ url: string; port: number; seen: Context[] }> {
  http = await testHttp(...args);
  const seen: Context[] = [];
  const remember = async (): Promise<object> => {
    await sleep(1);
    seen.push(current());
    return { id: current().id };
  };
  http.get('/', remember);
  http.post('/', remember);
  http.get('/slow', async () => {
    seen.push(current());
    await sleep(10_000, undefined, { signal: current().signal });
  });
  // Heeds no signal.
  http.get('/deaf', async () => {
    seen.push(current());
    await sleep(2000);
    return { late: true };
  });
  http.get('/half', (_request, reply) => {
    reply.raw.write('half');
  });
  http.get('/brief', { config: { deadlineMs: 60 } }, async () =>
    sleep(10_000, undefined, { signal: current().signal }),
  );
  http.get('/patient', { config: { deadlineMs: Infinity } }, async () => {
    await sleep(2000);
    return { done: true };
  });
  http.get('/log', async () => {
    await sleep(1);
    http.log.info('within');
    return {};
  });
  const work = async (_request: unknown, _reply: unknown, payload: unknown): Promise<unknown> => {
    await sleep(2000);
    return payload;
  };
  const silent = (): Readable => new Readable({ read: () => undefined });
  http.get('/silent', (_request, reply) => reply.send(silent()));
  http.get('/stalls', (_request, reply) => {
    const stream = silent();
    stream.push('begun');
    return reply.send(stream);
  });
  http.get('/onSend', { onSend: work }, () => ({ ok: true }));
  await http.ready();
  const port = await listen(http.server, '127.0.0.1', 0);
  return { url: `http://127.0.0.1:${port}`, port, seen };
}

describe('the context of a request', () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';

  it('holds what its headers say', async () => {
    const { url, seen } = await start();
    const headers = {
      'x-request-id': 'abc-1',
      'x-request-timeout': '50000',
      traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
      tracestate: 'rojo=1',
    };
    expect(await (await fetch(url, { headers })).json()).toEqual({ id: 'abc-1' });
    expect(seen[0]).toMatchObject({ id: 'abc-1', trace: { traceId, sampled: true, state: 'rojo=1' } });
    expect(seen[0]?.trace.spanId).not.toBe('00f067aa0ba902b7');
  });

  it('is there after a body has come in parts, on a connection that others use too', async () => {
    const { port, seen } = await start();
    const socket = connect(port, '127.0.0.1');
    const head = 'POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 7';
    socket.write(`${head}\r\nx-request-id: one\r\n\r\n{"a"`);
    await sleep(20);
    socket.write(`:1}${head}\r\nx-request-id: two\r\nconnection: close\r\n\r\n{"a":2}`);
    expect(await text(socket)).toContain('{"id":"two"}');
    expect(seen.map(({ id }) => id)).toEqual(['one', 'two']);
  });

  it('is there when a request is injected', async () => {
    const { seen } = await start();
    const injected = await http.inject({ url: '/', headers: { 'x-request-id': 'abc-1' } });
    expect(injected.json()).toEqual({ id: 'abc-1' });
    expect(seen[0]?.trace.traceId).toMatch(/^[\da-f]{32}$/);
  });

  it('has a trace of its own when the caller sends none that makes sense', async () => {
    const { url, seen } = await start();
    await fetch(url, { headers: { traceparent: `00-${traceId}-zz-01`, tracestate: 'rojo=1' } });
    expect(seen[0]?.trace).toEqual({
      traceId: expect.stringMatching(/^[\da-f]{32}$/),
      spanId: expect.stringMatching(/^[\da-f]{16}$/),
      sampled: false,
    });
  });

  it('names the request in every log line, and not in those of others', async () => {
    const lines: string[] = [];
    const log = await createLogger('info', { write: (line) => void lines.push(line) });
    const { url } = await start({}, { log });
    await fetch(`${url}/log`, {
      headers: { 'x-request-id': 'abc-1', traceparent: `00-${traceId}-00f067aa0ba902b7-00` },
    });
    log.info('outside');
    const parsed = lines.map((line): unknown => JSON.parse(line));
    expect(parsed).toEqual([
      expect.objectContaining({ msg: 'within', requestId: 'abc-1', traceId }),
      expect.objectContaining({ msg: 'request', requestId: 'abc-1', traceId }),
      expect.not.objectContaining({ requestId: expect.anything() }),
    ]);
  });
});

describe('a deadline', () => {
  it.each(['/slow', '/deaf'])('that passes is answered by 504, and aborts the signal: %s', async (path) => {
    const { url, seen } = await start();
    const response = await fetch(url + path, { headers: { 'x-request-timeout': '500' } });
    expect(response.status).toBe(504);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    const [context] = seen;
    expect(await response.json()).toMatchObject({
      code: 'deadline_exceeded',
      requestId: context?.id,
      traceId: context?.trace.traceId,
    });
    expect(context?.signal.reason).toMatchObject({ code: 'deadline_exceeded' });
  });

  it('that a handler heeds is one error in the log', async () => {
    const lines: string[] = [];
    const log = await createLogger('warn', { write: (line) => void lines.push(line) });
    const { url } = await start({}, { log });
    await fetch(`${url}/slow`, { headers: { 'x-request-timeout': '500' } });
    await expect.poll(() => lines.length).toBe(1);
  });

  it('cuts off a reply that has begun', async () => {
    const { url } = await start();
    const response = await fetch(`${url}/half`, { headers: { 'x-request-timeout': '500' } });
    await expect(response.text()).rejects.toThrow('terminated');
  });

  it('ends a reply whose stream stands still: by 504, or cut off when it has begun', async () => {
    const { url } = await start();
    const init = { headers: { 'x-request-timeout': '500' } };
    expect((await fetch(`${url}/silent`, init)).status).toBe(504);
    await expect(fetch(`${url}/stalls`, init).then((response) => response.text())).rejects.toThrow('terminated');
  });

  it('that passes while hooks work on the reply leaves it to go out: there is no second one beside it', async () => {
    const { url } = await start();
    const response = await fetch(`${url}/onSend`, { headers: { 'x-request-timeout': '500' } });
    expect([response.status, await response.json()]).toEqual([200, { ok: true }]);
  });

  it('is the default, or what the route says, unless the caller waits for less', async () => {
    const { url } = await start({ HTTP_DEADLINE_MS: '100' });
    const status = async (path: string, ms?: string): Promise<number> =>
      (await fetch(url + path, { headers: ms === undefined ? {} : { 'x-request-timeout': ms } })).status;
    expect(await status('/slow')).toBe(504);
    expect(await status('/brief', '5000')).toBe(504);
    expect(await status('/patient')).toBe(200);
    expect(await status('/patient', '500')).toBe(504);
  });

  it.each([
    ['0', 15_000],
    ['-1', 15_000],
    ['soon', 15_000],
    ['', 15_000],
    ['NaN', 15_000],
    ['Infinity', 15_000],
    ['1e99', 15_000],
    ['1.5', 15_000],
    ['0x10', 15_000],
    ['9'.repeat(400), 60_000],
    [`${'0'.repeat(400)}1000`, 1000],
    ['1000', 1000],
  ])('of %s is one of %i ms at most', async (value, ms) => {
    const { url, seen } = await start();
    const before = performance.now();
    await fetch(url, { headers: { 'x-request-timeout': value } });
    const deadline = seen[0]?.deadline ?? 0;
    expect(deadline - before).toBeGreaterThan(ms - 1);
    expect(deadline - performance.now()).toBeLessThan(ms);
  });

  it('that is there twice is ignored', async () => {
    const { port, seen } = await start();
    const sent =
      'GET / HTTP/1.1\r\nHost: a\r\nX-Request-Timeout: 500\r\nX-Request-Timeout: 1\r\nConnection: close\r\n\r\n';
    expect(await exchange(port, sent)).toMatch(/^HTTP\/1\.1 200 /);
    expect(seen[0]?.remainingMs()).toBeGreaterThan(500);
  });

  it('that passes while the body is on its way is 408: its client was too slow', async () => {
    const { port } = await start({ HTTP_DEADLINE_MS: '100' });
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n';
    const reply = await exchange(port, `${head}{`);
    expect(reply).toMatch(/^HTTP\/1\.1 408 /);
    expect(reply).toContain('"code":"request_timeout"');
  });
});

describe('the end of a request', () => {
  it('comes when the client goes away: the signal aborts', async () => {
    const { url, seen } = await start();
    const leave = new AbortController();
    const call = fetch(`${url}/slow`, { signal: leave.signal }).catch(() => undefined);
    await expect.poll(() => seen.length).toBe(1);
    const { signal } = seen[0] ?? current();
    expect(signal.aborted).toBe(false);
    leave.abort();
    await call;
    await expect.poll(() => signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject({ code: 'cancelled', cause: { message: 'the client closed the connection' } });
  });

  it('comes with the answer: what was not detached is over', async () => {
    const { url, seen } = await start();
    await (await fetch(url)).text();
    await expect.poll(() => seen[0]?.signal.aborted).toBe(true);
  });
});
