import type { Duplex } from 'node:stream';

/** Milliseconds that a client may take to end its side of the connection, too. */
const lingerMs = 2000;

/**
 * Has a connection that was ended on this side come to an end: a client that is gone, or does not want to, never ends its own.
 * @param connection on which nothing more is said
 */
export function cutOffLater(connection: Duplex): void {
  const timer = setTimeout(() => connection.destroy(), lingerMs).unref();
  connection.once('close', () => clearTimeout(timer));
}
