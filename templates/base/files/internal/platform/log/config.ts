import { Type } from 'typebox';

export const config = Type.Object({
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
    default: 10,
    description: 'From there on in that second, each how many-th line is logged: 1 logs all, 0 none',
    examples: [10],
  }),
});
