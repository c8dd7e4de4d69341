/**
 * Asks a server for `/hello` by TLS and HTTP/1.1, ten requests at a time, and prints how many were answered.
 * `tlsLoad.mjs <port> <seconds> kept|resumed|new`: on connections that are kept; or each on a new one, whose session is resumed or not.
 */
import { once } from 'node:events';
import { connect } from 'node:tls';

const [, , port, seconds, mode] = process.argv;
const end = performance.now() + Number(seconds) * 1000;
const request = (connection) => `GET /hello HTTP/1.1\r\nHost: x\r\nConnection: ${connection}\r\n\r\n`;
let answered = 0;

async function open(session) {
  const socket = connect({ host: '127.0.0.1', port: Number(port), rejectUnauthorized: false, session });
  await once(socket, 'secureConnect');
  if (session !== undefined && !socket.isSessionReused()) throw new Error('the session was not resumed');
  return socket;
}

/** Each reply is small: it comes in one piece. */
async function ask(socket, connection) {
  socket.write(request(connection));
  const [reply] = await once(socket, 'data');
  if (!String(reply).startsWith('HTTP/1.1 200')) throw new Error(String(reply));
  answered += 1;
}

async function keep() {
  const socket = await open();
  while (performance.now() < end) await ask(socket, 'keep-alive');
  socket.destroy();
}

async function reconnect() {
  let session;
  while (performance.now() < end) {
    const socket = await open(session);
    if (mode === 'resumed') socket.once('session', (ticket) => (session = ticket));
    await ask(socket, 'close');
    socket.destroy();
  }
}

await Promise.all(Array.from({ length: 10 }, mode === 'kept' ? keep : reconnect));
process.stdout.write(`${answered}\n`);
