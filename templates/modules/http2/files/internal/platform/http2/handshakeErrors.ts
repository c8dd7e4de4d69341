/** Few enough to be a label, by what Node's or OpenSSL's codes say. */
const reasons: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/HANDSHAKE_TIMEOUT/, 'timeout'],
  [/ECONNRESET|EPIPE/, 'connection_lost'],
  [/HTTP_REQUEST/, 'plain_http'],
  [/UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW/, 'version'],
  [/NO_SHARED_CIPHER/, 'cipher'],
  [/NO_APPLICATION_PROTOCOL/, 'protocol'],
  // What a client says of our certificate.
  [/ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE)/, 'certificate_refused'],
];

/**
 * @param error of a handshake
 * @returns a word for it; `malformed` for whatever is no TLS
 */
export function reasonOf(error: Error & { readonly code?: string }): string {
  const code = error.code ?? '';
  return reasons.find(([pattern]) => pattern.test(code))?.[1] ?? 'malformed';
}
