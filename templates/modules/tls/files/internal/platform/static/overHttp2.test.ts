import { randomBytes } from 'node:crypto';
import fs, { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2';
import os from 'node:os';
import path from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readConfig } from '../config/config.ts';
import { TestFiles, type TestService, answerOf, ask, testCertificate, testService } from '../tls/testing.ts';
import { config } from './config.ts';
import { serveFiles } from './files.ts';

const root = mkdtempSync(path.join(os.tmpdir(), 'public-'));
const script = 'export const slip = "way";\n'.repeat(100);
/** More than the windows and buffers of a connection hold, compressed or not. */
const large = Buffer.from(randomBytes(3_000_000).toString('base64'));
const packed = brotliCompressSync(script);
const certificate = new TestFiles();
beforeAll(async () => {
  writeFileSync(path.join(root, 'plain.js'), script);
  writeFileSync(path.join(root, 'app.3f2a9c1b.js'), script);
  writeFileSync(path.join(root, 'app.3f2a9c1b.js.br'), packed);
  writeFileSync(path.join(root, 'large.bin'), large);
  writeFileSync(path.join(root, 'large.txt'), large);
  certificate.write(await testCertificate());
});
afterAll(() => {
  certificate[Symbol.dispose]();
  rmSync(root, { recursive: true });
});

let service: TestService;
let session: ClientHttp2Session;
async function start(env: Readonly<Record<string, string>> = {}): Promise<void> {
  // On a busy machine a large file takes longer than the default.
  const deadline = { HTTP_DEADLINE_MS: '600000', HTTP_DEADLINE_MAX_MS: '600000' };
  service = await testService(certificate, (http) => serveFiles(http, root, readConfig(config, {})), {
    ...deadline,
    ...env,
  });
  session = await service.open();
}
beforeEach(() => start());
afterEach(() => service.stop());

function get(name: string, headers: Readonly<Record<string, string>> = {}) {
  return ask(session, { ':path': `/static/${name}`, ...headers });
}

describe('a file by HTTP/2', () => {
  it('is streamed whole, with its length, and counted as one request', async () => {
    const { status, headers, body, reset } = await get('large.bin');
    expect({ status, reset }).toEqual({ status: 200, reset: constants.NGHTTP2_NO_ERROR });
    expect(headers).toMatchObject({ 'content-length': String(large.length), 'accept-ranges': 'bytes' });
    expect(body === large.toString()).toBe(true);
    const lines = service.log.text.split('\n').filter((line) => line.includes('/static/large.bin'));
    expect(lines).toEqual([expect.stringMatching(/"status":200.*"msg":"request"/)]);
  });

  it('is streamed to many at once, each of whom gets all of it', async () => {
    await service.stop();
    // On a busy machine, each waits for its turn.
    await start({ HTTP_STALL_TIMEOUT_MS: '600000', HTTP_REQUEST_TIMEOUT_MS: '600000' });
    const answers = await Promise.all(Array.from({ length: 20 }, () => get('large.bin')));
    expect(answers.every(({ body }) => body === large.toString())).toBe(true);
  });

  it('is streamed whole to who reads it slowly', async () => {
    await service.stop();
    await start({ HTTP_STALL_TIMEOUT_MS: '1000' });
    const stream = session.request({ ':path': '/static/large.bin', range: 'bytes=0-999999' });
    stream.on('data', () => {
      stream.pause();
      setTimeout(() => stream.resume(), 25);
    });
    const { bytes, reset } = await answerOf(stream);
    expect({ length: bytes.length, reset }).toEqual({ length: 1_000_000, reset: constants.NGHTTP2_NO_ERROR });
  });

  it('that its client has already is not sent again', async () => {
    const { etag, 'last-modified': modified } = (await get('plain.js')).headers;
    expect(await get('plain.js', { 'if-none-match': String(etag) })).toMatchObject({
      status: 304,
      body: '',
      reset: constants.NGHTTP2_NO_ERROR,
    });
    expect(await get('plain.js', { 'if-modified-since': String(modified) })).toMatchObject({ status: 304, body: '' });
    expect(await get('plain.js', { 'if-none-match': '"other"' })).toMatchObject({ status: 200, body: script });
  });

  it('is sent in part when a part is asked for', async () => {
    const part = await get('plain.js', { range: 'bytes=7-11', 'accept-encoding': 'br' });
    expect(part).toMatchObject({ status: 206, body: script.slice(7, 12) });
    expect(part.headers).toMatchObject({ 'content-range': `bytes 7-11/${script.length}`, 'content-length': '5' });
    expect(part.headers['content-encoding']).toBeUndefined();
    const refused = await get('plain.js', { range: 'bytes=90000-' });
    expect(refused.status).toBe(416);
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'range_not_satisfiable' });
  });

  it('is sent in part only if it is what its client has begun with', async () => {
    const { etag, 'last-modified': modified } = (await get('plain.js')).headers;
    const partIf = (condition: unknown) => get('plain.js', { range: 'bytes=0-5', 'if-range': String(condition) });
    const part = { status: 206, body: script.slice(0, 6) };
    expect(await partIf(etag)).toMatchObject(part);
    expect(await partIf(modified)).toMatchObject(part);
    const whole = { status: 200, body: script };
    expect(await partIf('"other"')).toMatchObject(whole);
    expect(await partIf(new Date(0).toUTCString())).toMatchObject(whole);
  });

  it('that lies there compressed is sent as it lies there', async () => {
    const { status, headers, bytes } = await get('app.3f2a9c1b.js', { 'accept-encoding': 'br' });
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-encoding': 'br',
      'content-length': String(packed.length),
      vary: expect.stringMatching(/^accept-encoding$/i),
    });
    expect(bytes.equals(packed)).toBe(true);
  });

  it.each(['plain.js', 'large.bin', 'app.3f2a9c1b.js'])('HEAD tells what GET would, without it: %s', async (name) => {
    const { headers } = await get(name);
    const head = await get(name, { ':method': 'HEAD' });
    expect(head).toMatchObject({ status: 200, body: '', reset: constants.NGHTTP2_NO_ERROR });
    for (const each of ['content-length', 'content-type', 'etag', 'last-modified', 'cache-control']) {
      expect(head.headers[each]).toBe(headers[each]);
    }
  });

  it('that does not exist is a problem', async () => {
    const answer = await get('nothing.js');
    expect(answer).toMatchObject({ status: 404, reset: constants.NGHTTP2_NO_ERROR });
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'file_not_found' });
  });
});

describe('a client that does not take all of a file', () => {
  const opened: fs.ReadStream[] = [];
  beforeEach(() => {
    const createReadStream = fs.createReadStream.bind(fs);
    vi.spyOn(fs, 'createReadStream').mockImplementation((...args) => {
      const stream = createReadStream(...args);
      opened.push(stream);
      return stream;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    opened.length = 0;
  });

  /** No file is left open. It counts as no fault of the service, and others are served. */
  async function nothingIsLeft(count: number): Promise<void> {
    await expect.poll(() => opened.map(({ closed }) => closed)).toEqual(Array.from({ length: count }, () => true));
    await expect.poll(() => service.log.text.split('"status":499').length - 1).toBe(count);
    expect(service.log.text).not.toContain('request broken off');
    expect(service.log.text).not.toMatch(/"level":[56]0/);
    expect(await service.metrics.text()).not.toMatch(/^http_request_duration_seconds_count\{.*status="5/m);
  }

  it.each([
    ['as it lies there', 'large.bin', {}],
    ['compressed on the way', 'large.txt', { 'accept-encoding': 'br' }],
    ['in part', 'large.bin', { range: 'bytes=100-' }],
  ])('cancels midway, of one that is sent %s', async (_how, name, headers) => {
    const streams = Array.from({ length: 10 }, () => session.request({ ':path': `/static/${name}`, ...headers }));
    await Promise.all(streams.map(begun));
    for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
    await nothingIsLeft(10);
    expect(await get('plain.js')).toMatchObject({ status: 200, body: script });
  });

  it('cancels at once', async () => {
    const streams = Array.from({ length: 10 }, () => session.request({ ':path': '/static/large.bin' }));
    await Promise.all(
      streams.map((stream) => {
        stream.close(constants.NGHTTP2_CANCEL);
        return answerOf(stream);
      }),
    );
    expect(await get('plain.js')).toMatchObject({ status: 200, body: script });
    await expect.poll(() => opened.every(({ closed }) => closed)).toBe(true);
    expect(service.log.text).not.toContain('request broken off');
  });

  it('loses its connection', async () => {
    const lost = await service.open();
    const streams = Array.from({ length: 10 }, () => lost.request({ ':path': '/static/large.bin' }));
    await Promise.all(streams.map(begun));
    lost.socket.destroy();
    lost.destroy();
    await nothingIsLeft(10);
    expect(await get('plain.js')).toMatchObject({ status: 200, body: script });
  });

  it('does not read on', async () => {
    await service.stop();
    await start({ HTTP_STALL_TIMEOUT_MS: '100' });
    const slow = await service.open();
    const streams = Array.from({ length: 3 }, () => slow.request({ ':path': '/static/large.bin' }));
    await Promise.all(streams.map(begun));
    await nothingIsLeft(3);
    expect(await service.metrics.text()).toMatch(/^errors_total\{code="reader_stalled"\} 3$/m);
    expect(await get('plain.js')).toMatchObject({ status: 200, body: script });
  });
});

/** Its first bytes have come, and it takes no more. */
async function begun(stream: ClientHttp2Stream): Promise<void> {
  stream.on('error', () => undefined);
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.once('data', () => {
    stream.pause();
    resolve();
  });
  await promise;
}
