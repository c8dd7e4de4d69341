import { Type } from 'typebox';

/** Settings of `cmd/cluster`; the keys are environment variables. */
export const config = Type.Object({
  HTTP_WORKERS: Type.Integer({
    minimum: 0,
    maximum: 256,
    default: 0,
    description: 'Number of processes of `cmd/cluster`; 0 is one for each core. `cmd/server` is always one process',
    examples: [4],
  }),
});
