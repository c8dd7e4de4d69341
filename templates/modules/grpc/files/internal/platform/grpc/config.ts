import { Type } from 'typebox';

const positive = (usual: number, description: string) =>
  Type.Integer({ minimum: 1, maximum: 1_000_000_000, default: usual, description, examples: [usual] });

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
  GRPC_MESSAGE_LIMIT_BYTES: positive(4_194_304, 'Largest message of a client in bytes'),
  GRPC_STREAMS_LIMIT: positive(100, 'Most calls at the same time on one connection; clients wait with the others'),
  GRPC_CALLS_LIMIT: positive(2000, 'Most calls at the same time; further ones are answered by RESOURCE_EXHAUSTED'),
  GRPC_PEER_CALLS_LIMIT: positive(
    500,
    'Most calls at the same time from one address; behind a proxy or a mesh, that of the proxy',
  ),
  GRPC_CONNECTIONS_LIMIT: positive(1000, 'Most connections at the same time; further ones are closed'),
  GRPC_PEER_CONNECTIONS_LIMIT: positive(
    200,
    'Most connections at the same time from one address; behind a proxy, that of the proxy',
  ),
  GRPC_DEADLINE_MS: positive(
    15_000,
    'Milliseconds that a call with one request and one reply may take when its caller does not say',
  ),
  GRPC_DEADLINE_MAX_MS: positive(
    60_000,
    'The most milliseconds that the caller of such a call is granted by grpc-timeout',
  ),
  GRPC_STALL_TIMEOUT_MS: positive(
    30_000,
    'Milliseconds for which a client may leave a message of a stream unread before its call is given up',
  ),
  GRPC_KEEPALIVE_MS: positive(30_000, 'Milliseconds between two pings on a connection'),
  GRPC_KEEPALIVE_TIMEOUT_MS: positive(
    10_000,
    'Milliseconds that a client may take to answer a ping before its connection is closed',
  ),
  GRPC_CONNECTION_AGE_MS: positive(
    1_800_000,
    'Milliseconds after which a client is asked to open another connection: calls spread over new instances',
  ),
  GRPC_REFLECTION: Type.Boolean({
    default: true,
    description: 'Whether the service describes itself to tools such as grpcurl',
    examples: [false],
  }),
});
