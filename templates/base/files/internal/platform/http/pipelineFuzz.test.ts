import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Type } from 'typebox';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { listenLocally, testHttp } from '../../../test/support/http.ts';
import { type Random, randomFrom } from '../../../test/support/random.ts';
import { connectTo, receive } from '../../../test/support/raw.ts';
import { readReplies } from '../../../test/support/replies.ts';
import type { Http } from './server.ts';

const seed = 20_261_122;
const rounds = 15;
const atOnce = 20;

let http: Http;
let port: number;
beforeAll(async () => {
  http = await testHttp({ HTTP_REQUEST_TIMEOUT_MS: '500' });
  http.get('/', () => ({ ok: true }));
  http.get('/slow', async () => sleep(20, { ok: true }));
  http.get('/parts', (_request, reply) => reply.type('text/plain').send(Readable.from(parts())));
  const body = Type.Object({ name: Type.String() }, { additionalProperties: false });
  http.post('/things', { schema: { body } }, () => ({ ok: true }));
  port = await listenLocally(http);
});
afterAll(async () => {
  http.server.closeAllConnections();
  await http.close();
});

async function* parts(): AsyncIterable<string> {
  for (let part = 0; part < 5; part += 1) {
    yield `part ${part}\n`;
    await sleep(10);
  }
}

const json = '{"name":"bolt"}';
const requests = [
  'GET / HTTP/1.1\r\nHost: test\r\n\r\n',
  'HEAD / HTTP/1.1\r\nHost: test\r\n\r\n',
  'GET /slow HTTP/1.1\r\nHost: test\r\nX-Request-Timeout: -1\r\n\r\n',
  'GET /parts HTTP/1.1\r\nHost: test\r\nAccept-Encoding: gzip\r\n\r\n',
  'GET /parts HTTP/1.1\r\nHost: test\r\n\r\n',
  'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
  'DELETE / HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc',
  `POST /things HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: ${json.length}\r\n\r\n${json}`,
  `POST /things HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n${json.slice(0, 5)}\r\na\r\n${json.slice(5)}\r\n0\r\n\r\n`,
  `POST /things HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: ${json.length}\r\n\r\n${json}`,
];
const tokens = [
  '\r\n',
  '\n',
  '\0',
  ' ',
  '0\r\n\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Content-Length: 5\r\n',
  'Host: other\r\n',
  'Connection: close\r\n',
  'Connection: upgrade\r\nUpgrade: h2c\r\n',
  'GET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n',
  'CONNECT test:1 HTTP/1.1\r\nHost: test\r\n\r\n',
  '\x80\xff',
];

/** Requests one after another, whose replies take their time; in most cases with faults somewhere among them. */
function pipeline({ upTo, pick }: Random): string {
  let text = Array.from({ length: 1 + upTo(4) }, () => pick(requests)).join('');
  for (let faults = upTo(3); faults > 0; faults -= 1) {
    const at = upTo(text.length + 1);
    const [before, after] = [text.slice(0, at), text.slice(at)];
    text = pick([before, before + pick(tokens) + after, before + after.slice(upTo(8))]);
  }
  return text;
}

/** Sends it in segments, wherever they are cut, with pauses in which replies begin. */
async function send(socket: Socket, text: string, { upTo, pick }: Random): Promise<void> {
  const bytes = Buffer.from(text, 'latin1');
  let sent = 0;
  for (let cuts = upTo(4); cuts > 0; cuts -= 1) {
    const end = sent + upTo(bytes.length - sent + 1);
    socket.write(bytes.subarray(sent, end));
    sent = end;
    await sleep(pick([0, 1, 15]));
  }
  socket.end(bytes.subarray(sent));
}

it(`of garbage between requests on ${rounds * atOnce} connections, each reply is whole or the last (seed ${seed})`, async () => {
  const wrong: string[] = [];
  const seen = new Set<number>();
  for (let round = 0; round < rounds; round += 1) {
    const connections = Array.from({ length: atOnce }, async (_each, index) => {
      const random = randomFrom(seed + round * atOnce + index);
      const text = pipeline(random);
      const socket = await connectTo(port);
      const received = receive(socket);
      await send(socket, text, random);
      const { statuses, fault } = readReplies(await received);
      for (const status of statuses) seen.add(status);
      if (fault !== undefined || statuses.some((status) => status >= 500))
        wrong.push(`${JSON.stringify(text)} → ${fault}`);
    });
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
    await Promise.all(connections);
  }
  expect(wrong).toEqual([]);
  // Not everything was refused alike.
  expect([...seen]).toEqual(expect.arrayContaining([100, 200, 400, 404, 405]));
}, 60_000);
