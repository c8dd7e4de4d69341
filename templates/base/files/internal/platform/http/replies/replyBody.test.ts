import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { invalidArgument } from '../../../../pkg/errors/index.ts';
import { listenLocally, testHttp } from '../../../../test/support/http.ts';
import type { Http } from '../server.ts';

const long = { text: 'slip'.repeat(500) };

let http: Http;
/** Streams without an end that were let go. */
let closed = 0;
beforeEach(async () => {
  http = await testHttp();
  http.get('/short', () => ({ text: 'slip' }));
  http.get('/long', () => long);
  http.get('/stream', (_request, reply) => reply.type('text/plain').send(Readable.from(['slip', 'way'])));
  http.get('/events', (_request, reply) => reply.type('text/event-stream').send(Readable.from(['data: 1\n\n'])));
  http.get('/broken', (_request, reply) => reply.type('text/plain').send(breaking()));
  http.get('/image', (_request, reply) => reply.type('image/png').send(Buffer.alloc(5000)));
  http.get('/tagged', (_request, reply) => reply.header('etag', '"v7"').send(long));
  http.get('/named', ({ url }, reply) => reply.header('x-name', decodeURIComponent(url)).send(long));
  http.post('/short', () => ({ text: 'slip' }));
  http.get('/response', () => Response.json(long, { status: 203, headers: { 'x-name': 'a' } }));
  http.get('/empty-response', () => new Response(null, { status: 204 }));
  http.get('/read-response', async () => {
    const response = new Response('slip');
    await response.text();
    return response;
  });
  http.get('/nothing-at-all', (_request, reply) => reply.send());
  http.get('/null', (_request, reply) => reply.type('text/plain').send(null));
  http.get('/endless', (_request, reply) => {
    const endless = new Readable({ read() {} });
    endless.once('close', () => (closed += 1));
    return reply.type('text/plain').send(endless);
  });
  http.get('/endless-web', (_request, reply) => reply.send(new ReadableStream({ cancel: () => void (closed += 1) })));
  http.get('/not-after-all', (_request, reply) => {
    reply.header('content-encoding', 'gzip');
    throw invalidArgument('No.');
  });
});
afterEach(() => http.close());

function breaking(): Readable {
  return new Readable({
    read() {
      this.destroy(new Error('the source broke'));
    },
  });
}

async function get(url: string, headers: Readonly<Record<string, string>> = {}) {
  return http.inject({ url, headers });
}

describe('a reply that cannot be sent', () => {
  it('because of a header is a problem', async () => {
    const reply = await get(`/named?${encodeURIComponent('日本')}`);
    expect(reply.statusCode).toBe(500);
    expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(reply.headers['x-content-type-options']).toBe('nosniff');
    expect(reply.json()).not.toHaveProperty('detail');
  });

  it('because its stream breaks before its first byte is a problem', async () => {
    const { statusCode, body } = await get('/broken');
    expect(statusCode).toBe(500);
    expect(JSON.parse(body)).toMatchObject({ status: 500 });
  });
});

describe('an ETag', () => {
  it('spares a client what it has already', async () => {
    const first = await get('/long');
    const etag = String(first.headers['etag']);
    expect(etag).toMatch(/^W\/"[\w-]+"$/);
    const again = await get('/long', { 'if-none-match': etag });
    expect(again.statusCode).toBe(304);
    expect(again.body).toBe('');
    expect(again.headers['etag']).toBe(etag);
    expect(again.headers).not.toHaveProperty('content-type');
  });

  it.each([
    ['"other", W/"v7"', 304],
    ['"v7"', 304],
    ['*', 304],
    ['"other"', 200],
    ['', 200],
  ])('of the route itself is kept; If-None-Match: %s is %i', async (known, status) => {
    const response = await get('/tagged', { 'if-none-match': known });
    expect(response.statusCode).toBe(status);
    expect(response.headers['etag']).toBe('"v7"');
  });

  it('is the same for HEAD', async () => {
    const { headers } = await get('/long');
    const head = await http.inject({ method: 'HEAD', url: '/long' });
    expect(head.headers['etag']).toBe(headers['etag']);
    expect(head.body).toBe('');
  });

  it.each(['*', 'W/"x", "v7"', '"v7"'])(
    'that HEAD knows already is 304 without a length, as for GET: %s',
    async (known) => {
      for (const method of ['GET', 'HEAD'] as const) {
        const { statusCode, headers, body } = await http.inject({
          method,
          url: '/tagged',
          headers: { 'if-none-match': known },
        });
        expect([statusCode, headers['etag'], body]).toEqual([304, '"v7"', '']);
        expect(headers).not.toHaveProperty('content-length');
      }
    },
  );

  it('stands on replies to GET that succeed, and on no others', async () => {
    expect((await http.inject({ method: 'POST', url: '/short' })).headers).not.toHaveProperty('etag');
    expect((await get('/nothing')).headers).not.toHaveProperty('etag');
  });
});

describe('a Response of the Web', () => {
  it('is sent as any reply: its status, its headers', async () => {
    const { statusCode, headers, body } = await get('/response');
    expect(statusCode).toBe(203);
    expect(headers).toMatchObject({ 'x-name': 'a', 'content-type': 'application/json' });
    expect(JSON.parse(body)).toEqual(long);
  });

  it('that was fetched is sent decoded, without the headers of the connection that it came by', async () => {
    const port = await listenLocally(http);
    http = await testHttp();
    http.get('/', () => fetch(`http://127.0.0.1:${port}/response`));
    const { headers, body } = await http.inject('/');
    expect(JSON.parse(body)).toEqual(long);
    expect(headers).toMatchObject({ 'x-name': 'a' });
    expect(headers).not.toHaveProperty('content-encoding');
    expect(headers).not.toHaveProperty('keep-alive');
  });

  it('whose body was read before is a fault of the service', async () => {
    const { statusCode, body } = await get('/read-response');
    expect(statusCode).toBe(500);
    expect(body).not.toContain('read before');
  });
});

it('a problem is not compressed, although the reply that it replaces would have been', async () => {
  const { headers, statusCode } = await http.inject('/not-after-all');
  expect(statusCode).toBe(400);
  expect(headers).not.toHaveProperty('content-encoding');
});

describe('HEAD', () => {
  it.each([
    '/short',
    '/long',
    '/stream',
    '/events',
    '/image',
    '/response',
    '/empty-response',
    '/nothing-at-all',
    '/null',
  ])('is answered as GET, without a body: %s', async (url) => {
    const whole = await get(url);
    const head = await http.inject({ method: 'HEAD', url });
    expect(head.body).toBe('');
    expect(head.statusCode).toBe(whole.statusCode);
    expect(head.headers['content-type']).toBe(whole.headers['content-type']);
  });

  it.each(['/endless', '/endless-web'])('lets a stream without an end go: %s', async (url) => {
    closed = 0;
    const head = await http.inject({ method: 'HEAD', url });
    expect(head.statusCode).toBe(200);
    await expect.poll(() => closed).toBe(1);
  });
});
