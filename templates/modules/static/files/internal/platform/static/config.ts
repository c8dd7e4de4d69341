import { Type } from 'typebox';

/** Settings of static files; the keys are environment variables. */
export const config = Type.Object({
  STATIC_PREFIX: Type.String({
    default: '/static',
    pattern: '^(/[\\w.-]+)+$',
    description: 'Path under which the files of `public` are served',
    examples: ['/assets'],
  }),
  STATIC_MAX_AGE_SECONDS: Type.Integer({
    minimum: 0,
    default: 60,
    description: 'Seconds for which browsers and proxies cache a file without a hash in its name',
    examples: [3600],
  }),
});
