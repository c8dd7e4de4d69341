import { Type } from 'typebox';
import { type Rule, rule } from '../config/config.ts';
import { config as http, port } from '../http/config.ts';

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

const { HOST, PORT } = http.properties;
const { ADMIN_HOST, ADMIN_PORT } = config.properties;
const allAddresses = new Set(['0.0.0.0', '::']);

/** Two servers cannot listen on the same port of the same address. */
export const rules: readonly Rule[] = [
  rule(Type.Object({ HOST, PORT, ADMIN_HOST, ADMIN_PORT }), (settings) => {
    const hosts = [settings.HOST, settings.ADMIN_HOST];
    const isShared = settings.HOST === settings.ADMIN_HOST || hosts.some((host) => allAddresses.has(host));
    if (settings.PORT === 0 || settings.PORT !== settings.ADMIN_PORT || !isShared) return undefined;
    const given = String(settings.PORT);
    const expected = `another port than PORT, which is ${given}, too`;
    return { variable: 'ADMIN_PORT', expected, given, example: settings.PORT === 9090 ? '9091' : '9090' };
  }),
];
