import { expect, it } from 'vitest';
import { checkConfig } from '../config/config.ts';
import { config } from './config.ts';
import { rules } from './rules.ts';

it('asks for both a certificate and its key, or neither', () => {
  const check = (env: Readonly<Record<string, string>>) => () => checkConfig([config], env, rules);
  expect(check({})).not.toThrow();
  expect(check({ TLS_CERT_FILE: 'a', TLS_KEY_FILE: 'b' })).not.toThrow();
  expect(check({ TLS_CERT_FILE: 'a' })).toThrow('TLS_KEY_FILE: expected a file, because TLS_CERT_FILE is set');
  expect(check({ TLS_KEY_FILE: 'b' })).toThrow('TLS_CERT_FILE: expected a file, because TLS_KEY_FILE is set');
});
