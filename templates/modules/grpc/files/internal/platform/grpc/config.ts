import { Type } from 'typebox';

/** Settings of gRPC; the keys are environment variables. */
export const config = Type.Object({
  GRPC_HOST: Type.String({
    default: '0.0.0.0',
    description: 'Address on which gRPC listens',
    examples: ['127.0.0.1'],
  }),
  GRPC_PORT: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: 50_051,
    description: 'Port of gRPC, HTTP/2 without TLS; 0 takes any free one',
    examples: [50_051],
  }),
  GRPC_MESSAGE_LIMIT_BYTES: Type.Integer({
    minimum: 1,
    default: 4_194_304,
    description: 'Largest message of a client in bytes',
    examples: [4_194_304],
  }),
  GRPC_MESSAGE_MEMORY_BYTES: Type.Integer({
    minimum: 1,
    default: 33_554_432,
    description:
      'Bytes that the messages of all calls take at most, beyond 16 KiB each; what goes beyond is answered by RESOURCE_EXHAUSTED',
    examples: [33_554_432],
  }),
  GRPC_HEADER_LIMIT_BYTES: Type.Integer({
    minimum: 1024,
    default: 16_384,
    description: 'Largest headers of a call in bytes, as HTTP/2 counts them (RFC 9113, 6.5.2)',
    examples: [16_384],
  }),
  GRPC_STREAMS_LIMIT: Type.Integer({
    minimum: 1,
    default: 100,
    description: 'Most calls at the same time on one connection; clients wait with the others',
    examples: [100],
  }),
  GRPC_CALLS_LIMIT: Type.Integer({
    minimum: 1,
    default: 2000,
    description: 'Most calls at the same time; further ones are answered by RESOURCE_EXHAUSTED',
    examples: [2000],
  }),
  GRPC_PEER_CALLS_LIMIT: Type.Integer({
    minimum: 1,
    default: 500,
    description: 'Most calls at the same time from one address; behind a proxy or a mesh, that of the proxy',
    examples: [500],
  }),
  GRPC_CONNECTIONS_LIMIT: Type.Integer({
    minimum: 1,
    default: 1000,
    description: 'Most connections at the same time; further ones are closed',
    examples: [1000],
  }),
  GRPC_PEER_CONNECTIONS_LIMIT: Type.Integer({
    minimum: 1,
    default: 200,
    description: 'Most connections at the same time from one address; behind a proxy, that of the proxy',
    examples: [200],
  }),
  GRPC_DEADLINE_MS: Type.Integer({
    minimum: 1,
    default: 15_000,
    description: 'Milliseconds that a call with one request and one reply may take when its caller does not say',
    examples: [15_000],
  }),
  GRPC_DEADLINE_MAX_MS: Type.Integer({
    minimum: 1,
    default: 60_000,
    description: 'The most milliseconds that the caller of such a call is granted by grpc-timeout',
    examples: [60_000],
  }),
  GRPC_STALL_TIMEOUT_MS: Type.Integer({
    minimum: 1,
    default: 30_000,
    description:
      'Milliseconds for which a client may leave a message that it is sent unread before its call is given up',
    examples: [30_000],
  }),
  GRPC_KEEPALIVE_MS: Type.Integer({
    minimum: 1,
    default: 30_000,
    description: 'Milliseconds between two pings on a connection',
    examples: [30_000],
  }),
  GRPC_KEEPALIVE_TIMEOUT_MS: Type.Integer({
    minimum: 1,
    default: 10_000,
    description: 'Milliseconds that a client may take to answer a ping before its connection is closed',
    examples: [10_000],
  }),
  GRPC_REFLECTION: Type.Boolean({
    default: true,
    description: 'Whether the service describes itself to tools such as grpcurl',
    examples: [false],
  }),
});
