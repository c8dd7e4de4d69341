import { Type } from 'typebox';

/** Settings of TLS and HTTP/2; the keys are environment variables. */
export const config = Type.Object({
  TLS_CERT_FILE: Type.Optional(
    Type.String({
      description: 'File of the certificate and its chain, as PEM; without it the API is served by plain HTTP/1.1',
      examples: ['/etc/tls/tls.crt'],
    }),
  ),
  TLS_KEY_FILE: Type.Optional(
    Type.String({ description: "File of the certificate's private key, as PEM", examples: ['/etc/tls/tls.key'] }),
  ),
  TLS_TICKET_KEYS: Type.Optional(
    Type.String({
      secret: true,
      pattern: '^[A-Za-z0-9+/]{64}$',
      description:
        '48 random bytes, base64, by which instances resume the sessions of each other; module cluster gives its workers some',
      examples: ['openssl rand -base64 48'],
    }),
  ),
  TLS_TICKET_KEYS_FILE: Type.Optional(
    Type.String({
      description: 'The same in a file, which is read anew when it changes; it goes before TLS_TICKET_KEYS',
      examples: ['/etc/tls/ticket.key'],
    }),
  ),
  TLS_MIN_VERSION: Type.Enum(['TLSv1.2', 'TLSv1.3'], {
    default: 'TLSv1.2',
    description: 'Oldest version of TLS that is spoken',
    examples: ['TLSv1.3'],
  }),
  TLS_RELOAD_INTERVAL_MS: Type.Integer({
    minimum: 10,
    default: 10_000,
    description: 'Milliseconds between two looks whether the files have changed; SIGHUP makes it look at once',
    examples: [10_000],
  }),
  TLS_HANDSHAKE_TIMEOUT_MS: Type.Integer({
    minimum: 1,
    default: 10_000,
    description: 'Milliseconds that a client may take for the handshake before its connection is closed',
    examples: [10_000],
  }),
  HTTP2_STREAMS_MAX: Type.Integer({
    minimum: 1,
    default: 100,
    description: 'Most requests at the same time on one connection; clients wait with the others',
    examples: [100],
  }),
  HTTP2_REQUESTS_MAX: Type.Integer({
    minimum: 1,
    default: 2000,
    description: 'Most requests at the same time by HTTP/2; further ones are refused, and may be sent again',
    examples: [2000],
  }),
  HTTP2_PEER_REQUESTS_MAX: Type.Integer({
    minimum: 1,
    default: 500,
    description: 'Most of them from one address; behind a proxy, that of the proxy',
    examples: [500],
  }),
  HTTP2_WINDOW_BYTES: Type.Integer({
    minimum: 65_535,
    default: 65_535,
    description:
      'Bytes of bodies that a connection may have on their way to us unread, and so the most it costs in memory; more makes large uploads over long distances faster',
    examples: [1_048_576],
  }),
  HTTP2_REPLY_MEMORY_BYTES: Type.Integer({
    minimum: 1,
    default: 67_108_864,
    description:
      'Bytes that replies take at most, of all connections, whose clients have yet to read them; beyond it the one that has been on its way longest is reset',
    examples: [67_108_864],
  }),
  HTTP2_CONTROL_FRAMES_MAX: Type.Integer({
    minimum: 1,
    default: 100,
    description: 'Most PING and SETTINGS frames of one connection within a second; more close it',
    examples: [100],
  }),
});
