import { Type } from 'typebox';

/** Settings of TLS and HTTP/2; the keys are environment variables. */
export const config = Type.Object({
  TLS_CERT_FILE: Type.Optional(
    Type.String({
      kubernetes: '/etc/tls/tls.crt',
      description: 'File of the certificate and its chain, as PEM; without it the API is served by plain HTTP/1.1',
      examples: ['/etc/tls/tls.crt'],
    }),
  ),
  TLS_KEY_FILE: Type.Optional(
    Type.String({
      kubernetes: '/etc/tls/tls.key',
      description: "File of the certificate's private key, as PEM",
      examples: ['/etc/tls/tls.key'],
    }),
  ),
  TLS_ONLY: Type.Boolean({
    default: true,
    kubernetes: false,
    description:
      'Whether the port refuses plain HTTP; in Kubernetes false at first, while clients move from port 80 to 443',
    examples: [true],
  }),
  TLS_TICKET_KEYS: Type.Optional(
    Type.String({
      secret: true,
      pattern: '^[A-Za-z0-9+/]{64}$',
      description:
        '48 random bytes in base64. Instances with the same keys resume the TLS sessions of each other; module cluster sets it for its workers',
      examples: ['openssl rand -base64 48'],
    }),
  ),
  TLS_MIN_VERSION: Type.Enum(['TLSv1.2', 'TLSv1.3'], {
    default: 'TLSv1.2',
    description: 'Oldest version of TLS that is accepted',
    examples: ['TLSv1.3'],
  }),
  TLS_RELOAD_INTERVAL_MS: Type.Integer({
    minimum: 10,
    default: 10_000,
    description: 'Milliseconds between two checks for changed certificate files; SIGHUP checks at once',
    examples: [10_000],
  }),
  TLS_HANDSHAKE_TIMEOUT_MS: Type.Integer({
    minimum: 1,
    default: 10_000,
    description: 'Milliseconds after which an unfinished TLS handshake is aborted',
    examples: [10_000],
  }),
  HTTP2_STREAMS_MAX: Type.Integer({
    minimum: 1,
    default: 100,
    description: 'Maximum of concurrent requests on one connection; the client queues the others',
    examples: [100],
  }),
  HTTP2_REQUESTS_MAX: Type.Integer({
    minimum: 1,
    default: 2000,
    description:
      'Maximum of concurrent HTTP/2 requests on all connections; further ones are refused, and may be sent again',
    examples: [2000],
  }),
  HTTP2_PEER_REQUESTS_MAX: Type.Integer({
    minimum: 1,
    default: 500,
    description:
      'Maximum of concurrent HTTP/2 requests from one address; behind a proxy, this is the address of the proxy',
    examples: [500],
  }),
  HTTP2_REPLY_MEMORY_BYTES: Type.Integer({
    minimum: 1,
    default: 67_108_864,
    description:
      'Maximum memory, in bytes, of HTTP/2 replies that clients have not read yet, for all connections together; beyond it the oldest such reply is reset',
    examples: [67_108_864],
  }),
});
