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
  GRPC_MESSAGE_LIMIT_BYTES: positive(4_194_304, 'Max size of a message of a client in bytes'),
  GRPC_STREAMS_LIMIT: positive(100, 'Max calls at the same time on one connection; clients delay further calls'),
  GRPC_CALLS_LIMIT: positive(2000, 'Max calls at the same time; further calls get RESOURCE_EXHAUSTED'),
  GRPC_CONNECTIONS_LIMIT: positive(1000, 'Max connections at the same time; further connections are closed'),
  GRPC_DEADLINE_MS: positive(15_000, 'Milliseconds for a call with one request and one reply without grpc-timeout'),
  GRPC_DEADLINE_MAX_MS: positive(60_000, 'Max milliseconds of grpc-timeout for such a call'),
  GRPC_CONNECTION_AGE_MS: positive(
    1_800_000,
    'Milliseconds after which a client is asked to open a new connection, so that calls reach new instances',
  ),
  GRPC_REFLECTION: Type.Boolean({
    default: true,
    description: 'Whether tools such as grpcurl can read the contract from the service',
    examples: [false],
  }),
});
