import { Type } from 'typebox';

export const config = Type.Object({
  HOST: Type.String({ default: '0.0.0.0', description: 'Address on which the API listens', examples: ['127.0.0.1'] }),
  PORT: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: 8080,
    description: 'Port of the API; 0 takes any free one',
    examples: [8080],
  }),
  HTTP_BODY_LIMIT_BYTES: Type.Integer({
    minimum: 1,
    default: 1_048_576,
    description: 'Largest request body in bytes',
    examples: [1_048_576],
  }),
  HTTP_HEADER_LIMIT_BYTES: Type.Integer({
    minimum: 1024,
    default: 16_384,
    description: 'Largest request head in bytes',
    examples: [16_384],
  }),
  HTTP_REQUEST_TIMEOUT_MS: Type.Integer({
    minimum: 1,
    default: 30_000,
    description: 'Milliseconds within which a client must have sent its whole request',
    examples: [30_000],
  }),
  HTTP_KEEP_ALIVE_TIMEOUT_MS: Type.Integer({
    minimum: 1,
    default: 72_000,
    description: 'Milliseconds after which an idle connection is closed; longer than the load balancer waits before it',
    examples: [72_000],
  }),
});
