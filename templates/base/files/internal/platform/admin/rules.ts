import { Type } from 'typebox';
import { type Rule, rule } from '../config/rule.ts';
import { config as http } from '../http/config.ts';
import { config } from './config.ts';

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
