import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { isAnswerable } from '../connections/connection.ts';
import { cutOffLater } from '../connections/cutOffLater.ts';
import { problem, problemType } from './problem.ts';

const statuses: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431,
};

/**
 * Answers what is not even HTTP, before there is a request; then closes the connection. While a reply to an earlier request is due,
 * or on its way, it is just closed: the answer would be taken for that reply, or for a part of it.
 * @param error of Node's parser
 * @param socket to the client
 */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || !isAnswerable(socket)) {
    socket.destroy();
    return;
  }
  const status = statuses[error.code ?? ''] ?? 400;
  const body = JSON.stringify(problem(status));
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
      `Content-Type: ${problemType}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
  cutOffLater(socket);
}
