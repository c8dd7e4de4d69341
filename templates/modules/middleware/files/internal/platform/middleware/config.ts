import { Type } from 'typebox';

/** Settings of the chain of middleware; the keys are environment variables. */
export const config = Type.Object({
  MIDDLEWARE_ADDED_MAX: Type.Integer({
    default: 100,
    minimum: 0,
    maximum: 1000,
    description: 'Middleware that may be added while the service runs; each costs every request a little',
    examples: [100],
  }),
});
