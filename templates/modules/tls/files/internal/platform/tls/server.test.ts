import { Agent as PlainAgent, get as getPlain } from 'node:http';
import { type ClientHttp2Session, constants } from 'node:http2';
import { Agent, get } from 'node:https';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Type } from 'typebox';
import type { Http } from '../http/server.ts';
import { TestFiles, type TestService, ask, testCertificate, testService } from './testing.ts';

const files = new TestFiles();
beforeAll(async () => files.write(await testCertificate()));
afterAll(() => files[Symbol.dispose]());

let service: TestService;
let session: ClientHttp2Session;
/** Requests that wait without end. */
let waiting = 0;
beforeEach(async () => {
  service = await testService(files, routes, { HTTP_BODY_LIMIT_BYTES: '100000', HTTP_DEADLINE_MS: '5000' });
  session = await service.open();
});
afterEach(() => service.stop());

/** Of two bytes each. */
const large = 'ö'.repeat(300_000);

function routes(http: Http): void {
  http.get('/large', (_request, reply) => reply.type('image/png').send(large));
  http.get('/hello', ({ protocol, host, ip, raw }) => ({ protocol, host, ip, version: raw.httpVersion }));
  http.post('/echo', { schema: { body: Type.Object({ name: Type.String() }) } }, ({ body }) => body);
  http.get('/long', () => ({ text: 'slip'.repeat(500) }));
  http.get('/stream', (_request, reply) => reply.type('text/plain').send(Readable.from(['slip', 'way'])));
  http.get('/slow', { config: { deadlineMs: 50 } }, () => new Promise(() => undefined));
  http.get('/passed-on', (_request, reply) =>
    reply.headers({ 'keep-alive': 'timeout=5', upgrade: 'h2c' }).send('slip'),
  );
  http.get('/waits', () => {
    waiting += 1;
    return new Promise(() => undefined);
  });
  http.get('/broken', (_request, reply) => reply.type('text/plain').send(Readable.from(breaking())));
}

/** Gives something, and then fails. */
async function* breaking(): AsyncGenerator<string> {
  yield 'begun';
  throw new Error('the source broke');
}

/** Asks by HTTP/1.1. */
async function askHttp1(path: string, agent?: Agent) {
  const { promise, resolve, reject } = Promise.withResolvers<{ status?: number; version: string; body: string }>();
  get(`${service.url}${path}`, { rejectUnauthorized: false, agent }, (response) => {
    void text(response).then((body) =>
      resolve({ status: response.statusCode ?? 0, version: response.httpVersion, body }),
    );
  }).on('error', reject);
  return promise;
}

describe('one port', () => {
  it('speaks HTTP/2 with who can', async () => {
    const { status, headers, body } = await ask(session, { ':path': '/hello' });
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({
      protocol: 'https',
      host: `127.0.0.1:${service.port}`,
      ip: '127.0.0.1',
      version: '2.0',
    });
    expect(headers).toMatchObject({ 'x-frame-options': 'DENY', etag: expect.stringContaining('W/') });
    expect(headers['connection']).toBeUndefined();
  });

  it('speaks HTTP/1.1 with who can not, and keeps its connection', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    expect(await askHttp1('/hello', agent)).toMatchObject({ status: 200, version: '1.1' });
    expect(await askHttp1('/hello', agent)).toMatchObject({ status: 200 });
    agent.destroy();
    expect(await service.metrics.text()).toMatch(/^tls_connections_total\{protocol="http\/1.1"\} 1$/m);
  });

  it('has nothing to say to who speaks no TLS, and counts it', async () => {
    const { promise, resolve } = Promise.withResolvers<Error>();
    getPlain(`http://127.0.0.1:${service.port}/hello`).once('error', resolve);
    expect(await promise).toMatchObject({ code: 'ECONNRESET' });
    expect(await service.metrics.text()).toMatch(/^tls_connections_total\{protocol="failed"\} 1$/m);
  });

  it('serves plain HTTP too where that is permitted, and keeps its connections', async () => {
    const both = await testService(files, routes, { TLS_ONLY: 'false' });
    const agent = new PlainAgent({ keepAlive: true, maxSockets: 1 });
    for (const path of ['/hello', '/long']) {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const url = `http://127.0.0.1:${both.port}${path}`;
      getPlain(url, { agent }, (response) => void text(response).then(resolve, reject)).once('error', reject);
      expect(await promise).toContain(path === '/hello' ? '"protocol":"http"' : 'slip');
    }
    agent.destroy();
    expect((await ask(await both.open(), { ':path': '/hello' })).status).toBe(200);
    const measured = await both.metrics.text();
    expect(measured).toMatch(/^tls_connections_total\{protocol="plain"\} 1$/m);
    expect(measured).toMatch(/^tls_connections_total\{protocol="h2"\} 1$/m);
    expect(await both.stop()).toBe(true);
  });

  it('without a certificate serves plain HTTP as before', async () => {
    const plain = await testService({ cert: '', key: '' }, routes);
    const reply = await fetch(`http://127.0.0.1:${plain.port}/hello`);
    expect(await reply.json()).toMatchObject({ protocol: 'http' });
    await plain.stop();
  });
});

describe('by HTTP/2', () => {
  it('bodies are read, checked and answered as by HTTP/1.1', async () => {
    const json = { ':path': '/echo', 'content-type': 'application/json' };
    expect(await ask(session, json, '{"name":"bolt"}')).toMatchObject({ status: 200, body: '{"name":"bolt"}' });
    expect(await ask(session, json, '{"name":5}')).toMatchObject({ status: 400 });
    expect(await ask(session, { ':path': '/echo', 'content-type': 'text/plain' }, 'x')).toMatchObject({ status: 415 });
    expect(await ask(session, { ':path': '/nowhere' })).toMatchObject({ status: 404 });
    expect(await ask(session, { ...json, expect: '100-continue' }, '{"name":"bolt"}')).toMatchObject({ status: 200 });
  });

  it('replies are streamed', async () => {
    expect(await ask(session, { ':path': '/stream' })).toMatchObject({ status: 200, body: 'slipway' });
  });

  it('what is large comes whole, with its length, to HEAD as well', async () => {
    const { status, headers, body } = await ask(session, { ':path': '/large' });
    expect({ status, length: headers['content-length'] }).toEqual({ status: 200, length: String(large.length * 2) });
    expect(body === large).toBe(true);
    const head = await ask(session, { ':path': '/large', ':method': 'HEAD' });
    expect(head).toMatchObject({ status: 200, body: '' });
    expect(head.headers['content-length']).toBe(headers['content-length']);
  });

  it('headers that speak of a connection by HTTP/1.1, of a reply that is passed on, are left out', async () => {
    const { status, headers, body } = await ask(session, { ':path': '/passed-on' });
    expect([status, body]).toEqual([200, 'slip']);
    expect(headers).not.toHaveProperty('keep-alive');
  });

  it('many requests share a connection', async () => {
    const answers = await Promise.all(Array.from({ length: 300 }, () => ask(session, { ':path': '/hello' })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await service.metrics.text()).toMatch(/^tls_connections_total\{protocol="h2"\} 1$/m);
  });

  it('each request is in the log once, with its status, and in the metrics', async () => {
    await ask(session, { ':path': '/hello', 'x-request-id': 'one' });
    const lines = service.log.text.split('\n').filter((line) => line.includes('"requestId":"one"'));
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ msg: 'request', route: '/hello', status: 200 });
    expect(await service.metrics.text()).toMatch(
      /^http_request_duration_seconds_count\{method="GET",route="\/hello",status="200"\} 1$/m,
    );
  });

  it('a deadline that passes is a 504', async () => {
    expect(await ask(session, { ':path': '/slow' })).toMatchObject({ status: 504 });
  });

  it('a reply that breaks off is reset, and told of as a fault', async () => {
    const answer = await ask(session, { ':path': '/broken' });
    expect(answer.reset).not.toBe(0);
    await expect.poll(() => service.log.text).toContain('request broken off');
    expect(await ask(session, { ':path': '/hello' })).toMatchObject({ status: 200 });
  });

  it('a client that cancels has left: the log says 499', async () => {
    const stream = session.request({ ':path': '/waits' });
    await expect.poll(() => waiting).toBe(1);
    stream.close(constants.NGHTTP2_CANCEL);
    await expect.poll(() => service.log.text).toMatch(/"status":499.*"aborted":true/);
    expect(service.log.text).not.toContain('request broken off');
  });
});
