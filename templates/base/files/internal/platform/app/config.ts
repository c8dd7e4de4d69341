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
  LOG_LEVEL: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    default: 'info',
    description: 'Least severe level that is logged',
    examples: ['info'],
  }),
  LOG_SAMPLE_INITIAL: Type.Integer({
    minimum: 0,
    default: 100,
    description:
      'Lines below warn of one message that are logged each second before sampling begins; requests count by route and class of status',
    examples: [100],
  }),
  LOG_SAMPLE_THEREAFTER: Type.Integer({
    minimum: 0,
    default: 100,
    description: 'From there on in that second, each how many-th line is logged: 1 logs all, 0 none',
    examples: [100],
  }),
});

const { SHUTDOWN_DELAY_MS, SHUTDOWN_TIMEOUT_MS } = config.properties;

export const rules = [
  rule(
    Type.Object({ SHUTDOWN_DELAY_MS, SHUTDOWN_TIMEOUT_MS }),
    ({ SHUTDOWN_DELAY_MS: delayMs, SHUTDOWN_TIMEOUT_MS: timeoutMs }) => {
      if (delayMs < timeoutMs) return undefined;
      const expected = `less than SHUTDOWN_TIMEOUT_MS, which is ${timeoutMs}`;
      return { variable: 'SHUTDOWN_DELAY_MS', expected, given: String(delayMs), example: String(timeoutMs - 1) };
    },
  ),
];
