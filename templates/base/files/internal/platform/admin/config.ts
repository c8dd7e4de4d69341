import { Type } from 'typebox';
import { port } from '../http/config.ts';

export const config = Type.Object({
  ADMIN_HOST: Type.String({
    default: '0.0.0.0',
    description: 'Address on which probes and metrics listen',
    examples: ['127.0.0.1'],
  }),
  ADMIN_PORT: port(9090, 'Port of probes and metrics; 0 takes any free one'),
  ADMIN_TOKEN: Type.Optional(
    Type.String({
      secret: true,
      minLength: 16,
      description:
        'Bearer token for changes by the admin port from other machines; without it, changes come from this machine only',
      examples: ['openssl rand -base64 32'],
    }),
  ),
  HEALTH_TIMEOUT_MS: Type.Integer({
    minimum: 1,
    default: 1000,
    description: 'Milliseconds after which a health check that has not finished counts as failed',
    examples: [1000],
  }),
});
