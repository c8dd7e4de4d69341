import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Server as NetServer } from 'node:net';

/** Milliseconds. */
const sweepEvery = 50;

/**
 * Begins to accept connections.
 * @param server of node:http, or of another protocol
 * @param host address
 * @param port 0 takes any free one
 * @param setting that the port is from; that of the host is called alike
 * @returns the port it listens on
 * @throws {Error} when the port is taken, say: it names the settings
 */
export async function listen(server: NetServer, host: string, port: number, setting = 'PORT'): Promise<number> {
  server.listen({ host, port });
  try {
    await once(server, 'listening');
  } catch (cause) {
    const remedy = `set ${setting} to a port that is free, or ${setting.replace('PORT', 'HOST')} to an address of this machine`;
    throw new Error(`cannot listen on ${host}, port ${port}: ${remedy}`, { cause });
  }
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

/**
 * Stops accepting connections and lets the requests in flight finish. Node closes idle connections only once, and Fastify
 * leaves it at that: a connection whose reply comes later would stay open for as long as its client likes
 * (https://github.com/fastify/fastify/issues/7044). Here they are swept until none is left.
 * @param server of node:http; one that does not listen is left alone
 * @param signal aborts at the deadline: what is left is then cut off
 */
export async function drain(server: Server, signal: AbortSignal): Promise<void> {
  if (!server.listening) return;
  const sweep = setInterval(() => server.closeIdleConnections(), sweepEvery);
  const cutOff = (): void => server.closeAllConnections();
  signal.addEventListener('abort', cutOff);
  const closed = once(server, 'close');
  server.close();
  try {
    await closed;
  } finally {
    clearInterval(sweep);
    signal.removeEventListener('abort', cutOff);
  }
}
