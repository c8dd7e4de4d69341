import { Type } from 'typebox';

export const config = Type.Object({
  LOG_LEVEL: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    default: 'info',
    description: 'Least severe level that is logged',
    examples: ['info'],
  }),
});
