import { once } from 'node:events';
import { type Socket, connect, createServer } from 'node:net';

/** How a way to a server is: as it should be, broken off, or swallowing all packets without a word. */
export type ProxyState = 'open' | 'cut' | 'stalled';

/** A way to a server, as bad as a test wants it. */
export interface Proxy {
  /** The server's URL, by this way. */
  readonly url: string;
  /** For the connections that there are, and those to come. */
  readonly set: (state: ProxyState) => void;
  /** Connections to come go to another server, as when a name gets another address. */
  readonly moveTo: (target: string) => void;
  readonly close: () => void;
}

/** @returns a port of this machine on which nothing listens */
export async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  await once(server.close(), 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/**
 * @param target URL of a server
 * @param defaultPort its port, when the URL has none
 * @returns a way to it over TCP, open at first
 */
export async function openProxy(target: string, defaultPort: number): Promise<Proxy> {
  const url = new URL(target);
  const placeOf = ({ hostname, port }: URL) => ({ host: hostname, port: Number(port || defaultPort) });
  let place = placeOf(url);
  const sockets = new Set<Socket>();
  let state: ProxyState = 'open';
  const proxy = createServer((client) => {
    sockets.add(client.on('error', () => {}));
    if (state === 'cut') client.resetAndDestroy();
    if (state !== 'open') return;
    const upstream = connect(place);
    sockets.add(upstream.on('error', () => {}));
    client.pipe(upstream).pipe(client);
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('not listening');
  url.host = `127.0.0.1:${address.port}`;
  return {
    url: url.href,
    set: (next) => {
      state = next;
      for (const socket of sockets) {
        if (state === 'stalled') socket.unpipe().pause();
        else if (state === 'cut') socket.resetAndDestroy();
      }
    },
    moveTo: (next) => {
      place = placeOf(new URL(next));
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}
