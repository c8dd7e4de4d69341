import { once } from 'node:events';
import { type Socket, connect } from 'node:net';

/**
 * Opens a connection that sends what no HTTP client would.
 * @param port of a server on this machine
 * @param localAddress to come from
 * @returns the socket, connected; it stays writable when the server ends first
 */
export async function connectTo(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  await once(socket, 'connect');
  return socket;
}

/**
 * Sends bytes and reads until the server closes the connection, or resets it.
 * @param port of a server on this machine
 * @param bytes to be sent
 * @returns all that came back
 */
export async function exchange(port: number, bytes: string | Buffer): Promise<string> {
  const socket = await connectTo(port);
  socket.write(bytes);
  return receive(socket);
}

/**
 * @param socket to a server
 * @returns what comes until the connection is closed or reset
 */
export async function receive(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  // A reset ends it too: 'close' follows. `once` would take the error for its own.
  socket.on('error', () => undefined);
  const { promise: closed, resolve } = Promise.withResolvers<boolean>();
  socket.once('close', resolve);
  await closed;
  return Buffer.concat(chunks).toString('latin1');
}
