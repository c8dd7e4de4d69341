import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Type } from 'typebox';
import { listenLocally, testHttp } from '../../../test/support/http.ts';
import { type Random, randomFrom } from '../../../test/support/random.ts';
import { connectTo, receive } from '../../../test/support/raw.ts';
import { readReplies } from '../../../test/support/replies.ts';
import type { Http } from './server.ts';

const seed = 20_261_121;
const rounds = 50;
const atOnce = 20;

let http: Http;
let port: number;
const uncaught: unknown[] = [];
const note = (error: unknown): void => void uncaught.push(error);
beforeAll(async () => {
  process.on('uncaughtException', note);
  http = await testHttp({ HTTP_REQUEST_TIMEOUT_MS: '200' });
  const body = Type.Object({ name: Type.String(), tags: Type.Array(Type.String()) }, { additionalProperties: false });
  http.get('/things/:id', { schema: { querystring: Type.Object({ n: Type.Optional(Type.Integer()) }) } }, () => ({}));
  http.post('/things', { schema: { body } }, () => ({}));
  port = await listenLocally(http);
});
afterAll(async () => {
  process.off('uncaughtException', note);
  http.server.closeAllConnections();
  await http.close();
});

const json = '{"name":"bolt","tags":["a","b"]}';
const seeds = [
  'GET /things/7?n=5 HTTP/1.1\r\nHost: test\r\nConnection: close\r\nAccept-Encoding: gzip, br;q=0.5\r\nIf-None-Match: "a"\r\n\r\n',
  `POST /things HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${json.length}\r\n\r\n${json}`,
  `POST /things HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n${json}\r\n0\r\n\r\n`,
  'OPTIONS * HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n',
].map((text) => Buffer.from(text));
const tokens = [
  '\r\n',
  '\r\n\r\n',
  '\n',
  '\0',
  '%00',
  '%zz',
  '../',
  '//',
  ' HTTP/2.0',
  'Transfer-Encoding: chunked\r\n',
  '\u{7f}',
  '"',
  '{',

  'Content-Length: 99999999999999999999\r\n',
  'Expect: 100-continue\r\n',
  'Upgrade: websocket\r\nConnection: upgrade\r\n',
  '__proto__',
  '[[[[',
  String.raw`\ud800`,
  'é',
  '\x80',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'ffffffffffffffff\r\n',
].map((text) => Buffer.from(text, 'latin1'));

/** A request with a few faults: bytes changed, cut out, doubled, or tokens put in. */
function garbage({ upTo, pick }: Random): Buffer {
  let bytes = upTo(10) === 0 ? Buffer.from(Array.from({ length: upTo(300) }, () => upTo(256))) : pick(seeds);
  for (let faults = upTo(6); faults > 0; faults -= 1) {
    const [one, other] = [upTo(bytes.length + 1), upTo(bytes.length + 1)];
    const [at, end] = [Math.min(one, other), Math.max(one, other)];
    const [before, middle, after] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)];
    const faulty = [
      [before, pick(tokens), middle, after],
      [before, after],
      [before, middle, middle, after],
      [before, Buffer.of(upTo(256)), middle.subarray(1), after],
    ];
    bytes = Buffer.concat(faulty[upTo(faulty.length)] ?? []);
  }
  return bytes;
}

describe(`garbage on ${rounds * atOnce} connections (seed ${seed})`, () => {
  it('is answered cleanly or cut off, crashes nothing, and delays nobody else', async () => {
    const random = randomFrom(seed);
    const wrong: string[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const sent = Array.from({ length: atOnce }, () => garbage(random));
      const replies = sent.map(async (bytes) => {
        const socket = await connectTo(port);
        // Half closed: nobody waits for the rest of what was cut short.
        socket.end(bytes);
        const reply = await receive(socket);
        const { statuses, fault } = readReplies(reply);
        // A mutated request may still be a good one; but nothing is ever our fault.
        if (fault !== undefined || statuses.some((status) => status >= 500)) {
          wrong.push(`${JSON.stringify(bytes.toString('latin1'))} → ${reply}`);
        }
      });
      expect((await fetch(`http://127.0.0.1:${port}/things/7`)).status).toBe(200);
      await Promise.all(replies);
    }
    expect(wrong).toEqual([]);
    expect(uncaught).toEqual([]);
  }, 60_000);
});
