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
  HTTP2_STREAMS_MAX: Type.Integer({
    minimum: 1,
    default: 100,
    description: 'Maximum of concurrent requests on one connection; the client queues the others',
    examples: [100],
  }),
});
