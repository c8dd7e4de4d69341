/**
 * @param error that a stream or a connection of HTTP/2 has ended with
 * @returns whether it is of the protocol: not of the network below it, and no code's own
 */
export function isOfHttp2(error: Error): boolean {
  return 'code' in error && String(error.code).startsWith('ERR_HTTP2_');
}
