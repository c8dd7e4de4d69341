import { Readable } from 'node:stream';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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
  http.get('/named-short', ({ url }, reply) => reply.header('x-name', decodeURIComponent(url)).send('slip'));
  http.get('/twice', async (_request, reply) => {
    void reply.send(long);
    return 'again';
  });
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

describe('compression', () => {
  it.each([
    ['br', 'br', brotliDecompressSync],
    ['gzip, deflate, br, zstd', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['br;q=0.1, gzip;q=0.9', 'gzip', gunzipSync],
    ['br;q=0, gzip', 'gzip', gunzipSync],
    ['*', 'br', brotliDecompressSync],
  ])('for Accept-Encoding: %s is %s', async (accepted, encoding, decompress) => {
    const { headers, rawPayload } = await get('/long', { 'accept-encoding': accepted });
    expect(headers).toMatchObject({ 'content-encoding': encoding, vary: 'Accept-Encoding' });
    expect(headers['content-length']).toBe(String(rawPayload.length));
    expect(rawPayload.length).toBeLessThan(200);
    expect(JSON.parse(decompress(rawPayload).toString())).toEqual(long);
  });

  it.each([
    ['nobody asks for it', '/long', {}],
    ['no encoding is known', '/long', { 'accept-encoding': 'deflate, zstd, br;q=0' }],
    ['the reply is short', '/short', { 'accept-encoding': 'br' }],
    ['the reply is compressed by its nature', '/image', { 'accept-encoding': 'br' }],
    ['events are sent', '/events', { 'accept-encoding': 'br' }],
    ['it is a problem', '/nothing', { 'accept-encoding': 'br' }],
  ])('is left out when %s', async (_when, url, headers) => {
    const response = await get(url, headers);
    expect(response.headers).not.toHaveProperty('content-encoding');
  });

  it('says that the reply depends on Accept-Encoding, also when nothing was compressed', async () => {
    expect((await get('/long')).headers['vary']).toBe('Accept-Encoding');
  });

  it('works on streams', async () => {
    const { headers, rawPayload } = await get('/stream', { 'accept-encoding': 'gzip' });
    expect(headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(rawPayload).toString()).toBe('slipway');
  });

  it.each(['br', 'identity'])('of a reply with a header that cannot be sent is a problem (%s)', async (encoding) => {
    for (const path of ['/named', '/named-short']) {
      const reply = await get(`${path}?${encodeURIComponent('日本')}`, { 'accept-encoding': encoding });
      expect(reply.statusCode).toBe(500);
      expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(reply.json()).not.toHaveProperty('detail');
    }
  });

  it('that comes to an end after the handler has replied once more harms nobody', async () => {
    await get('/twice', { 'accept-encoding': 'br' });
    // By now it has.
    await get('/long', { 'accept-encoding': 'br' });
    expect((await get('/short')).statusCode).toBe(200);
  });

  it('of a stream that breaks before its first byte is a problem, uncompressed', async () => {
    const { statusCode, headers, body } = await get('/broken', { 'accept-encoding': 'gzip' });
    expect(statusCode).toBe(500);
    expect(headers).not.toHaveProperty('content-encoding');
    expect(JSON.parse(body)).toMatchObject({ status: 500 });
  });
});

describe('an ETag', () => {
  it('spares a client what it has already', async () => {
    const first = await get('/long');
    const etag = String(first.headers['etag']);
    expect(etag).toMatch(/^W\/"[\w-]+"$/);
    const again = await get('/long', { 'if-none-match': etag, 'accept-encoding': 'br' });
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
  it('is sent as any reply: its status, its headers, compressed', async () => {
    const { statusCode, headers, rawPayload } = await get('/response', { 'accept-encoding': 'gzip' });
    expect(statusCode).toBe(203);
    expect(headers).toMatchObject({ 'x-name': 'a', 'content-type': 'application/json', 'content-encoding': 'gzip' });
    expect(JSON.parse(gunzipSync(rawPayload).toString())).toEqual(long);
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

  it('lets a stream without an end go', async () => {
    const head = await http.inject({ method: 'HEAD', url: '/endless' });
    expect(head.statusCode).toBe(200);
    await expect.poll(() => closed).toBe(1);
  });
});
