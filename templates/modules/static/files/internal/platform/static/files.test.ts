import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../config/config.ts';
import type { Http } from '../http/server.ts';
import { listenLocally, testHttp } from '../../../test/support/http.ts';
import { exchange } from '../../../test/support/raw.ts';
import { config } from './config.ts';
import { serveFiles } from './files.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'public-'));
const root = path.join(folder, 'public');
const script = 'export const slip = "way";\n'.repeat(100);
let http: Http;
beforeAll(async () => {
  mkdirSync(path.join(root, 'pages'), { recursive: true });
  writeFileSync(path.join(folder, 'secret.txt'), 'secret');
  writeFileSync(path.join(root, '.env'), 'secret');
  writeFileSync(path.join(root, 'plain.js'), script);
  writeFileSync(path.join(root, 'app.3f2a9c1b.js'), script);
  writeFileSync(path.join(root, 'app.3f2a9c1b.js.br'), brotliCompressSync(script));
  writeFileSync(path.join(root, 'app.3f2a9c1b.js.gz'), gzipSync(script));
  writeFileSync(path.join(root, 'report-20261121.pdf'), 'report');
  http = await testHttp();
  await serveFiles(http, root, readConfig(config, {}));
});
afterAll(async () => {
  await http.close();
  rmSync(folder, { recursive: true });
});

function get(url: string, headers: Readonly<Record<string, string>> = {}) {
  return http.inject({ url, headers });
}

describe('a file', () => {
  it('is served with its type, an ETag, and a policy under which a page can use what lies beside it', async () => {
    const { statusCode, headers, body } = await get('/static/plain.js');
    expect({ statusCode, body }).toEqual({ statusCode: 200, body: script });
    expect(headers).toMatchObject({
      'content-type': expect.stringMatching(/^(?:text|application)\/javascript/),
      'content-security-policy': expect.stringContaining("default-src 'self'"),
      'x-content-type-options': 'nosniff',
      'accept-ranges': 'bytes',
    });
    const { etag } = headers;
    expect(await get('/static/plain.js', { 'if-none-match': String(etag) })).toMatchObject({
      statusCode: 304,
      body: '',
    });
  });

  it('is sent in part when a part is asked for, and never compressed on the way', async () => {
    const part = await get('/static/plain.js', { range: 'bytes=7-11', 'accept-encoding': 'br' });
    expect(part).toMatchObject({ statusCode: 206, body: script.slice(7, 12) });
    expect(part.headers).toMatchObject({ 'content-range': `bytes 7-11/${script.length}` });
    expect(part.headers['content-encoding']).toBeUndefined();
    expect(await get('/static/plain.js', { range: 'bytes=90000-' })).toMatchObject({
      statusCode: 416,
      headers: { 'content-range': `bytes */${script.length}`, 'content-type': expect.stringContaining('problem+json') },
    });
  });

  it.each([{ 'if-match': '"another"' }, { 'if-unmodified-since': new Date(0).toUTCString() }])(
    'that is not as the caller knows it is not sent: %j',
    async (headers) => {
      const reply = await get('/static/plain.js', headers);
      expect(reply.statusCode).toBe(412);
      expect(reply.json()).toMatchObject({ code: 'precondition_failed' });
      expect(await get('/static/nothing.js', headers)).toMatchObject({ statusCode: 404 });
    },
  );

  it.each(['br', 'gzip'])('that lies there compressed is sent as it lies there: %s', async (encoding) => {
    const reply = await get('/static/app.3f2a9c1b.js', { 'accept-encoding': encoding });
    const packed = encoding === 'br' ? brotliCompressSync(script) : gzipSync(script);
    expect(reply.headers).toMatchObject({ 'content-encoding': encoding, 'content-length': String(packed.length) });
    expect(reply.headers.vary).toMatch(/^accept-encoding$/i);
    expect(reply.headers['content-type']).toMatch(/javascript/);
  });

  it.each([
    ['app.3f2a9c1b.js', 'public, max-age=31536000, immutable'],
    ['plain.js', 'public, max-age=60'],
    ['report-20261121.pdf', 'public, max-age=60'],
  ])('is kept by caches as long as its name tells: %s', async (name, expected) => {
    expect((await get(`/static/${name}`)).headers['cache-control']).toBe(expected);
  });

  it('needs no token where others do', async () => {
    const routes: unknown[] = [];
    const guarded = await testHttp();
    guarded.addHook('onRequest', async ({ routeOptions: { config: found } }) => void routes.push(found));
    await serveFiles(guarded, root, readConfig(config, {}));
    await guarded.inject('/static/plain.js');
    expect(routes).toEqual([expect.objectContaining({ auth: 'public' })]);
    await guarded.close();
  });
});

describe('what is no file of the folder', () => {
  it.each([
    '/static/',
    '/static/pages',
    '/static/pages/',
    '/static/.env',
    '/static/nothing.js',
    '/static/../secret.txt',
    '/static/%2e%2e/secret.txt',
    '/static/..%2fsecret.txt',
    '/static/pages/..%2f..%2fsecret.txt',
    '/static/%00',
    '/static/..%5csecret.txt',
  ])('is not found, or refused, with a problem: %s', async (url) => {
    const port = http.server.listening ? 0 : await listenLocally(http);
    const address = http.server.address();
    const reply = await exchange(
      typeof address === 'object' ? (address?.port ?? port) : port,
      `GET ${url} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`,
    );
    expect(reply).toMatch(/^HTTP\/1\.1 40[034] /);
    expect(reply).toContain('application/problem+json');
    expect(reply).not.toContain('secret');
    expect(reply).not.toContain(root);
  });
});
