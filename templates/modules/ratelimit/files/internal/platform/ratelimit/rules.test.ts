import { expect, it } from 'vitest';
import { checkConfig } from '../config/config.ts';
import { config } from './config.ts';
import { ratelimit } from './module.ts';

const check = (env: Readonly<Record<string, string>>) => () => checkConfig([config], env, ratelimit.rules);

it.each([
  {},
  { RATELIMIT_QUOTA: '0', RATELIMIT_BURST: '5', RATELIMIT_RATE: '1' },
  { RATELIMIT_QUOTA: '5', RATELIMIT_BURST: '5', RATELIMIT_WINDOW_SECONDS: '1', RATELIMIT_KEY: 'peer' },
  { RATELIMIT_QUOTA: '1000000', RATELIMIT_BURST: '1', RATELIMIT_RATE: '0.5' },
  { RATELIMIT_CONCURRENCY_MIN: '10', RATELIMIT_CONCURRENCY_MAX: '10' },
])('%j means something', (env) => {
  expect(check(env)).not.toThrow();
});

it.each([
  [{ RATELIMIT_CONCURRENCY_MIN: '500', RATELIMIT_CONCURRENCY_MAX: '10' }, 'at most RATELIMIT_CONCURRENCY_MAX'],
  [{ RATELIMIT_QUOTA: '10', RATELIMIT_BURST: '11' }, 'RATELIMIT_BURST: expected at most RATELIMIT_QUOTA'],
])('%j contradicts itself', (env, told) => {
  expect(check(env)).toThrow(told);
});
