import { describe, expect, it } from 'vitest';
import { admin } from '../internal/platform/admin/module.ts';
import { config as app, rules as appRules } from '../internal/platform/app/config.ts';
import { ConfigError, type Environment, checkConfig } from '../internal/platform/config/config.ts';
import { http } from '../internal/platform/http/module.ts';

const modules = [admin, http];

/** What a start would say, line by line. */
function complaints(env: Environment): string[] {
  try {
    const rules = [...appRules, ...modules.flatMap((module) => module.rules ?? [])];
    checkConfig([app, ...modules.map(({ config }) => config)], env, rules);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n').slice(1);
  }
  return [];
}

describe('settings that contradict each other', () => {
  it.each<[Environment, string]>([
    [
      { SHUTDOWN_DELAY_MS: '5000', SHUTDOWN_TIMEOUT_MS: '5000' },
      'SHUTDOWN_DELAY_MS: expected less than SHUTDOWN_TIMEOUT_MS, which is 5000, got "5000" (for example 4999)',
    ],
    [
      { HTTP_DEADLINE_MS: '90000' },
      'HTTP_DEADLINE_MS: expected at most HTTP_DEADLINE_MAX_MS, which is 60000, got "90000" (for example 60000)',
    ],
    [
      { HTTP_BODY_LIMIT_BYTES: '50000000' },
      'HTTP_BODY_LIMIT_BYTES: expected at most HTTP_BODY_MEMORY_BYTES, which is 33554432, got "50000000" (for example 33554432)',
    ],
  ])('are found at start: %j', (env, complaint) => {
    expect(complaints(env)).toEqual([`  ${complaint}`]);
  });

  it('are all told of at once', () => {
    expect(
      complaints({ SHUTDOWN_DELAY_MS: '25000', HTTP_DEADLINE_MS: '90000', HTTP_BODY_LIMIT_BYTES: '50000000' }),
    ).toHaveLength(3);
  });

  it.each<[Environment]>([[{}], [{ HTTP_DEADLINE_MS: '60000', HTTP_DEADLINE_MAX_MS: '60000' }]])(
    'are none in %j',
    (env) => {
      expect(complaints(env)).toEqual([]);
    },
  );
});
