import { Type } from 'typebox';

/** Settings of `cmd/cluster`; the keys are environment variables. */
export const config = Type.Object({
  HTTP_WORKERS: Type.Integer({
    minimum: 0,
    maximum: 256,
    default: 0,
    description: 'Processes that `cmd/cluster` runs the service in; 0 is one for each core. `cmd/server` is always one',
    examples: [4],
  }),
});
