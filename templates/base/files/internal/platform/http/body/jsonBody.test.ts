import { Type } from 'typebox';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listenLocally, testHttp } from '../../../../test/support/http.ts';
import { exchange } from '../../../../test/support/raw.ts';
import type { Http } from '../server.ts';

let http: Http;
beforeEach(async () => {
  http = await testHttp();
  http.post('/echo', ({ body }) => ({ body }));
  http.post('/object', { schema: { body: Type.Object({}) } }, ({ body }) => ({ body }));
  http.delete('/echo', ({ body }) => ({ body }));
});
afterEach(() => http.close());

async function post(body: string | Buffer, headers: Readonly<Record<string, string>> = {}) {
  return http.inject({
    method: 'POST',
    url: '/echo',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
}

describe('a body', () => {
  it.each([
    ['is not UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22]), 'invalid_utf8'],
    ['holds half a surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'invalid_utf8'],
    ['would set a prototype', '{"a":{"__proto__":{"admin":true}}}', 'invalid_json_body'],
    ['would set one by an escape', String.raw`{"\u005f_proto__":{"admin":true}}`, 'invalid_json_body'],
    ['would set one by its constructor', '{"constructor":{"prototype":{"admin":true}}}', 'invalid_json_body'],
    ['nests 65 levels', nested(65), 'json_too_deep'],
    ['nests half a million levels', nested(500_000), 'json_too_deep'],
    ['nests objects', '{"a":'.repeat(65) + '0' + '}'.repeat(65), 'json_too_deep'],
    ['is cut off in an escape', `"${'a'.repeat(100)}\\`, 'invalid_json_body'],
  ])('that %s is refused', async (_what, body, code) => {
    const refused = await post(body);
    expect(refused.statusCode).toBe(400);
    expect(refused.json()).toMatchObject({ status: 400, code });
  });

  it.each([
    ['64 levels', nested(64)],
    ['brackets in strings', JSON.stringify(`${'['.repeat(100)}"\\`)],
    ['all of Unicode', '"\u{10ffff} äöü 漢字"'],
    ['many objects side by side', JSON.stringify(Array.from({ length: 100 }, () => ({ a: [] })))],
  ])('with %s is taken as it is', async (_what, body) => {
    const echoed = await post(body);
    expect(echoed.json()).toEqual({ body: JSON.parse(body) });
  });

  it('is JSON by the suffix of its type too', async () => {
    const echoed = await post('{"a":1}', { 'content-type': 'application/merge-patch+json; charset=utf-8' });
    expect(echoed.json()).toEqual({ body: { a: 1 } });
    for (const type of ['application/jsonp', 'application/x+jsonp', 'text/x+json'])
      expect((await post('{}', { 'content-type': type })).statusCode).toBe(415);
  });

  it.each(['application/json', 'text/plain;charset=UTF-8', 'application/x-www-form-urlencoded', 'none', '/'])(
    'that is not there has no type, whatever the header says: %s',
    async (type) => {
      const headers = { 'content-type': type };
      for (const request of [{ method: 'DELETE' }, { method: 'POST' }, { method: 'POST', body: '' }] as const) {
        const reply = await http.inject({ url: '/echo', headers, ...request });
        expect([reply.statusCode, reply.json()]).toEqual([200, {}]);
      }
    },
  );

  it('that turns out to be empty is none where none is needed', async () => {
    const head =
      'Host: a\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
    const port = await listenLocally(http);
    expect(await exchange(port, `DELETE /echo HTTP/1.1\r\n${head}`)).toMatch(/^HTTP\/1\.1 200 [^]*\{\}$/);
    expect(await exchange(port, `POST /object HTTP/1.1\r\n${head}`)).toMatch(/^HTTP\/1\.1 400 [^]*"empty_json_body"/);
  });

  it('that is missing where one is needed is told so', async () => {
    const headers = { 'content-type': 'application/json' };
    const refused = await http.inject({ method: 'POST', url: '/object', headers, body: '' });
    expect(refused.json()).toMatchObject({
      status: 400,
      code: 'validation_failed',
    });
  });

  it.each(['utf-8', 'UTF-8', '"utf-8"', 'utf8; x=y'])('says that it is UTF-8: %s', async (charset) => {
    const echoed = await post('{"a":1}', { 'content-type': `application/json; charset=${charset}` });
    expect(echoed.json()).toEqual({ body: { a: 1 } });
  });

  it.each(['charset=latin1', 'x=y;Charset="UTF-16"'])('in another charset is 415: %s', async (parameters) => {
    const refused = await post('{"a":1}', { 'content-type': `application/json; ${parameters}` });
    expect(refused.json()).toMatchObject({ status: 415, code: 'invalid_media_type' });
  });

  it('that is no JSON is 415', async () => {
    expect((await post('{}', { 'content-type': 'text/plain' })).json()).toMatchObject({
      status: 415,
      code: 'invalid_media_type',
    });
  });

  it('as deep as allowed passes through a schema that refers to itself', async () => {
    const Tree = Type.Unsafe<unknown>({ $id: 'Tree', type: 'array', items: { $ref: 'Tree#' } });
    http.addSchema(Tree);
    http.post('/tree', { schema: { body: { $ref: 'Tree#' } } }, () => ({ ok: true }));
    const headers = { 'content-type': 'application/json' };
    const taken = await http.inject({ method: 'POST', url: '/tree', headers, body: nested(64) });
    expect(taken.json()).toEqual({ ok: true });
  });
});

function nested(levels: number): string {
  return '['.repeat(levels) + ']'.repeat(levels);
}
