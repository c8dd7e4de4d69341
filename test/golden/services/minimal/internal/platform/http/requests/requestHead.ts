import type { IncomingMessage } from 'node:http';
import { type Problem, problem } from '../problems/problem.ts';

/** Headers of a request at most; without a limit of their own, thousands of short ones fit into a head. */
export const mostHeaders = 100;

/**
 * Looks for what Node's parser lets through although RFC 9112 does not, or nobody could carry out. Who is in front of the service
 * may read such a head in another way than the service does.
 * @param request as it came in; its server takes note of one header more than the limit, no further ones
 * @returns what is wrong with its head, if anything is; the connection is then of no more use
 */
export function faultOfHead({ headers, rawHeaders, httpVersion }: IncomingMessage): Problem | undefined {
  // Names and values take turns.
  if (rawHeaders.length > 2 * mostHeaders) return problem(431, { code: 'too_many_headers' });
  // RFC 9112, 3.2: exactly one.
  const hosts = countOf('host', rawHeaders);
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) return problem(400, { code: 'invalid_host' });
  const { 'transfer-encoding': encoding, expect } = headers;
  // RFC 9112, 6.1: HTTP/1.0 knows of no chunks, and no other coding is known here. Not 501: it is no fault of the service.
  if (encoding !== undefined && (httpVersion !== '1.1' || encoding.toLowerCase() !== 'chunked')) {
    return problem(400, { code: 'invalid_transfer_encoding' });
  }
  if (expect !== undefined && expect.toLowerCase() !== '100-continue')
    return problem(417, { code: 'unknown_expectation' });
  return undefined;
}

function countOf(name: string, rawHeaders: readonly string[]): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const each = rawHeaders[index];
    if (each?.length === name.length && each.toLowerCase() === name) count += 1;
  }
  return count;
}
