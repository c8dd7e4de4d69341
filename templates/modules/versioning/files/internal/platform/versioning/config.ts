import { Type } from 'typebox';

/** Settings of what is counted by version; the keys are environment variables. The versions themselves are code: versions.ts. */
export const config = Type.Object({
  VERSIONING_CONSUMER_CLAIM: Type.String({
    default: 'client_id',
    minLength: 1,
    description: 'Claim of a token that names the program that calls, for usage by version; without it, the subject',
    examples: ['client_id', 'azp'],
  }),
  VERSIONING_CONSUMERS_MAX: Type.Integer({
    default: 100,
    minimum: 1,
    description: 'Consumers that a process counts by name; those beyond are counted together, as other',
    examples: [100],
  }),
});
