import { expect, it } from 'vitest';
import { checkConfig } from '../config/config.ts';
import { config, rules } from './config.ts';

it.each([
  ['0.0.0.0/0', 'networks smaller than /0'],
  ['127.0.0.1,::/0', 'networks smaller than /0'],
  ['10.0.0.0/33', 'addresses and networks, separated by commas'],
  ['10.0.0', 'addresses and networks, separated by commas'],
  ['127.0.0.1,010.0.0.1', 'addresses and networks, separated by commas'],
  ['10/8', 'addresses and networks, separated by commas'],
])('HTTP_TRUSTED_PROXIES=%s is refused with the reason', (HTTP_TRUSTED_PROXIES, reason) => {
  expect(() => checkConfig([config], { HTTP_TRUSTED_PROXIES }, rules)).toThrow(
    new RegExp(`HTTP_TRUSTED_PROXIES: expected ${reason}`),
  );
});

it('HTTP_TRUSTED_PROXIES may name addresses and networks', () => {
  const HTTP_TRUSTED_PROXIES = '10.0.0.0/8,127.0.0.1,fd00::/8';
  expect(() => checkConfig([config], { HTTP_TRUSTED_PROXIES }, rules)).not.toThrow();
});
