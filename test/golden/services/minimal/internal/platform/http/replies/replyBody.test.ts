import { Readable } from 'node:stream';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testHttp } from '../../../../test/support/http.ts';
import type { Http } from '../server.ts';

const long = { text: 'slip'.repeat(500) };

let http: Http;
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

  it('stands on replies to GET that succeed, and on no others', async () => {
    expect((await http.inject({ method: 'POST', url: '/short' })).headers).not.toHaveProperty('etag');
    expect((await get('/nothing')).headers).not.toHaveProperty('etag');
  });
});
