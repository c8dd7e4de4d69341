import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listenLocally, testHttp } from '../../../../test/support/http.ts';
import { exchange } from '../../../../test/support/raw.ts';
import type { Http } from '../server.ts';

let http: Http;
let port: number;
let handled: number;
beforeEach(async () => {
  handled = 0;
  http = await testHttp();
  http.post('/', async () => {
    handled += 1;
    return {};
  });
  port = await listenLocally(http);
});
afterEach(() => http.close());

const json = ['Content-Type: application/json', 'Content-Length: 2'];

async function post(headers: readonly string[], version = '1.1', body = '{}'): Promise<string> {
  return exchange(port, [`POST / HTTP/${version}`, ...headers, '', body].join('\r\n'));
}

describe('a head', () => {
  it.each([
    ['names no host', 400, 'invalid_host', json],
    ['names two hosts', 400, 'invalid_host', ['Host: a', 'host: b', ...json]],
    [
      'names a coding besides chunks',
      400,
      'invalid_transfer_encoding',
      ['Host: a', 'Transfer-Encoding: gzip, chunked'],
    ],
    [
      'has 101 headers',
      431,
      'too_many_headers',
      ['Host: a', ...json, ...Array.from({ length: 98 }, (_each, index) => `x${index}: y`)],
    ],
  ])('that %s is %i, and the connection closes', async (_what, status, code, headers) => {
    const reply = await post(headers);
    expect(reply).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(reply).toContain(`"code":"${code}"`);
    expect(reply).toMatch(/^connection: close\r$/m);
    expect(handled).toBe(0);
  });

  it('of HTTP/1.0 needs no host, and knows of no chunks', async () => {
    expect(await post(json, '1.0')).toMatch(/^HTTP\/1\.1 200 /);
    const chunked = await post(['Content-Type: application/json', 'Transfer-Encoding: chunked'], '1.0', '0\r\n\r\n');
    expect(chunked).toContain('"code":"invalid_transfer_encoding"');
    expect(handled).toBe(1);
  });

  it('may have 100 headers', async () => {
    const headers = [
      'Host: a',
      'Connection: close',
      ...json,
      ...Array.from({ length: 96 }, (_each, index) => `x${index}: y`),
    ];
    expect(await post(headers)).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('a client that asks before it sends its body', () => {
  const asking = ['Host: a', 'Connection: close', 'Expect: 100-continue', 'Content-Type: application/json'];

  it('is told to go on', async () => {
    expect(await post([...asking, 'Content-Length: 2'])).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
  });
});
