/**
 * Loads a WebSocket server by hand-made frames: what a client library costs is not measured.
 * `echo <port> <connections> <seconds>` prints how many answers came; `hold <port> <connections>` subscribes each connection, says `ready`,
 * and at the end of standard input prints what the latencies of the published messages were.
 */
import { once } from 'node:events';
import { connect } from 'node:net';

const [, , what, port, connections, seconds] = process.argv;
/** In flight on each connection. */
const depth = 4;

/** A masked text frame; the mask is zero, so that the text in it can be changed. */
function frame(text) {
  const body = Buffer.from(text);
  const head = body.length < 126 ? [0x81, 0x80 | body.length] : [0x81, 0xfe, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), body]);
}

/** @returns a connection that is upgraded; each frame that comes is given to `take` */
async function open(take) {
  const socket = connect(Number(port), '127.0.0.1');
  await once(socket, 'connect');
  const key = 'dGhlIHNhbXBsZSBub25jZQ==';
  const head = [
    'GET /ws HTTP/1.1',
    'Host: x',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
  ];
  socket.write([...head, `Sec-WebSocket-Key: ${key}`, '', ''].join('\r\n'));
  const [answer] = await once(socket, 'data');
  if (!answer.toString('latin1').startsWith('HTTP/1.1 101')) throw new Error(answer.toString());
  let rest;
  socket.on('data', (chunk) => {
    let data = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      if (data.length < 4) break;
      const short = data[1] & 127;
      const begin = short === 126 ? 4 : 2;
      const length = short === 126 ? data.readUInt16BE(2) : short;
      if (data.length < begin + length) break;
      if ((data[0] & 15) === 1) take(data, begin, length, socket);
      data = data.subarray(begin + length);
    }
    rest = data.length === 0 ? undefined : data;
  });
  socket.on('error', () => process.exit(1));
  return socket;
}

function request(type, payload, msgId) {
  const said = { msgId, timestamp: 1_700_000_000_000, source: 'load', type, version: '1.0', payload };
  return frame(JSON.stringify({ ...said, direction: 'request' }));
}

if (what === 'echo') {
  let answers = 0;
  let sent = 0;
  const next = request('echo', { text: 'a text of some length, as one has it' }, '00000000');
  const at = next.indexOf('00000000');
  const say = (socket) => {
    sent += 1;
    const copy = Buffer.from(next);
    copy.write(String(10_000_000 + sent), at, 'latin1');
    socket.write(copy);
  };
  for (let count = 0; count < Number(connections); count += 1) {
    const socket = await open((_data, _begin, _length, from) => {
      answers += 1;
      say(from);
    });
    for (let each = 0; each < depth; each += 1) say(socket);
  }
  await new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1000));
  process.stdout.write(`${answers}\n`);
  process.exit();
} else {
  const latencies = [];
  let subscribed = 0;
  const take = (data, begin, length) => {
    const now = performance.timeOrigin + performance.now();
    const text = data.toString('latin1', begin, begin + length);
    if (!text.startsWith('{"offset"')) subscribed += 1;
    else latencies.push(now - JSON.parse(text).payload.at);
  };
  for (let count = 0; count < Number(connections);) {
    const batch = Array.from({ length: Math.min(200, Number(connections) - count) }, () => open(take));
    for (const socket of await Promise.all(batch)) {
      count += 1;
      socket.write(request('topic.subscribe', { topics: ['news'] }, 'subscribe'));
    }
  }
  while (subscribed < Number(connections)) await new Promise((resolve) => setTimeout(resolve, 20));
  process.stdout.write(`ready\n`);
  process.stdin.resume();
  await once(process.stdin, 'end');
  // On a machine that is busy the last of it takes its time.
  for (let before = -1; before < latencies.length;) {
    before = latencies.length;
    await new Promise((resolve) => setTimeout(resolve, 3000));
  }
  latencies.sort((a, b) => a - b);
  const of = (part) => latencies[Math.floor(latencies.length * part)];
  process.stdout.write(
    `${JSON.stringify({ count: latencies.length, p50: of(0.5), p99: of(0.99), most: latencies.at(-1) })}\n`,
  );
  process.exit();
}
