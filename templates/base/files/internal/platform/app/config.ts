import { Type } from 'typebox';
import { rule } from '../config/config.ts';

export const config = Type.Object({
  START_TIMEOUT_MS: Type.Integer({
    minimum: 1,
    default: 30_000,
    description: 'Milliseconds that each module may take to start',
    examples: [30_000],
  }),
  SHUTDOWN_DELAY_MS: Type.Integer({
    minimum: 0,
    default: 0,
    kubernetes: 5000,
    description: 'Milliseconds to serve on after readiness fails, until load balancers send no more requests',
    examples: [5000],
  }),
  SHUTDOWN_TIMEOUT_MS: Type.Integer({
    minimum: 1,
    default: 20_000,
    description: 'Milliseconds for the whole shutdown, the delay included',
    examples: [20_000],
  }),
});

export const rules = [
  rule(config, ({ SHUTDOWN_DELAY_MS: delayMs, SHUTDOWN_TIMEOUT_MS: timeoutMs }) => {
    if (delayMs < timeoutMs) return undefined;
    const expected = `less than SHUTDOWN_TIMEOUT_MS, which is ${timeoutMs}`;
    return { variable: 'SHUTDOWN_DELAY_MS', expected, given: String(delayMs), example: String(timeoutMs - 1) };
  }),
];
