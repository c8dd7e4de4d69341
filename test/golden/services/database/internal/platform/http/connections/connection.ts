import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests that may come on one connection before an earlier one is answered (pipelining). Node itself knows no limit. */
const mostWaiting = 16;

const latest = Symbol('latest reply');
const waiting = Symbol('replies that wait');
/** What is known of a connection, kept on its socket: a look-up elsewhere would cost each request more. */
interface Connection extends Socket {
  [latest]?: ServerResponse;
  [waiting]?: number;
}

/**
 * Takes note of a request. A client that sends on and on without waiting for replies is cut off: each request of it would cost
 * memory, and time that others are waiting for.
 * @param connection on which it came
 * @param response the reply to it
 * @returns whether it is to be answered
 */
export function takesRequest(connection: Connection, response: ServerResponse): boolean {
  connection[latest] = response;
  // Node gives the socket to one reply at a time.
  if (response.socket !== null) return true;
  const count = (connection[waiting] ?? 0) + 1;
  connection[waiting] = count;
  if (count > mostWaiting) {
    connection.destroy();
    return false;
  }
  response.once('finish', () => {
    connection[waiting] = (connection[waiting] ?? 1) - 1;
  });
  return true;
}

/**
 * @param connection on which something came that is no request
 * @returns whether its client would take an answer for one to that: no reply has begun, and none to an earlier request is due
 */
export function isAnswerable(connection: Connection): boolean {
  const response = connection[latest];
  if (response === undefined || response.writableFinished) return true;
  return response.socket !== null && !response.headersSent && !response.req.complete;
}
