import { Type } from 'typebox';

export const config = Type.Object({
  ADMIN_HOST: Type.String({
    default: '0.0.0.0',
    description: 'Address on which probes and metrics listen',
    examples: ['127.0.0.1'],
  }),
  ADMIN_PORT: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: 9090,
    description: 'Port of probes and metrics; 0 takes any free one',
    examples: [9090],
  }),
  HEALTH_TIMEOUT_MS: Type.Integer({
    minimum: 1,
    default: 1000,
    description: 'Milliseconds after which a module that has not told its health counts as unhealthy',
    examples: [1000],
  }),
});
