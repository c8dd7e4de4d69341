import type { Static } from 'typebox';
import { type Rule, atMost, rule } from '../config/config.ts';
import { config } from './config.ts';

/**
 * Whoever sets a limit believes that it holds. A quota that is never reached, because the rate is lower, is no contradiction: there
 * is no other way to set a rate alone. Nor is a burst without a quota: RATELIMIT_QUOTA=0 turns the limit off for a while.
 */
export const rules: readonly Rule[] = [
  atMost(config, 'RATELIMIT_CONCURRENCY_MIN', 'RATELIMIT_CONCURRENCY_MAX'),
  rule(config, ({ RATELIMIT_QUOTA: quota, RATELIMIT_BURST: burst }: Static<typeof config>) => {
    if (quota === 0 || burst <= quota) return undefined;
    const expected = `at most RATELIMIT_QUOTA, which is ${quota}`;
    return { variable: 'RATELIMIT_BURST', expected, given: String(burst), example: String(quota) };
  }),
];
