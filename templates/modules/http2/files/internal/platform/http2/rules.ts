import { Type } from 'typebox';
import { type Rule, rule } from '../config/config.ts';
import { config } from './config.ts';

const { TLS_CERT_FILE, TLS_KEY_FILE } = config.properties;

/** A certificate is of no use without its key, nor the other way round. */
export const rules: readonly Rule[] = [
  rule(Type.Object({ TLS_CERT_FILE, TLS_KEY_FILE }), ({ TLS_CERT_FILE: cert, TLS_KEY_FILE: key }) => {
    if ((cert === undefined) === (key === undefined)) return undefined;
    const [missing, other] = key === undefined ? ['TLS_KEY_FILE', 'TLS_CERT_FILE'] : ['TLS_CERT_FILE', 'TLS_KEY_FILE'];
    const expected = `a file, because ${other} is set`;
    return { variable: missing, expected, example: key === undefined ? '/etc/tls/tls.key' : '/etc/tls/tls.crt' };
  }),
];
