import { Type } from 'typebox';
import { type Rule, rule } from '../config/config.ts';
import { config as http } from '../http/config.ts';

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

const { HOST, PORT } = http.properties;
const { ADMIN_HOST, ADMIN_PORT } = config.properties;
const everywhere = new Set(['0.0.0.0', '::']);

/** Two servers cannot have one port, unless each has an address of its own. */
export const rules: readonly Rule[] = [
  rule(Type.Object({ HOST, PORT, ADMIN_HOST, ADMIN_PORT }), ({ HOST: host, PORT: port, ...admin }) => {
    const hosts = [host, admin.ADMIN_HOST];
    const meet = host === admin.ADMIN_HOST || hosts.some((each) => everywhere.has(each));
    if (port === 0 || port !== admin.ADMIN_PORT || !meet) return undefined;
    const expected = `another port than PORT, which is ${port}, too`;
    return { variable: 'ADMIN_PORT', expected, given: String(port), example: String(port === 9090 ? 9091 : 9090) };
  }),
];
