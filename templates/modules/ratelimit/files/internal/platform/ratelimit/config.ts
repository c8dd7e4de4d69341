import { Type } from 'typebox';

/** Settings of rate limits; the keys are environment variables. */
export const config = Type.Object({
  RATELIMIT_QUOTA: Type.Integer({
    default: 0,
    minimum: 0,
    description: 'Requests within RATELIMIT_WINDOW_SECONDS, for routes that have no policy of their own; 0 is no limit',
    examples: [6000],
  }),
  RATELIMIT_WINDOW_SECONDS: Type.Integer({
    default: 60,
    minimum: 1,
    maximum: 86_400,
    description: 'Seconds for which RATELIMIT_QUOTA holds',
    examples: [60],
  }),
  RATELIMIT_BURST: Type.Integer({
    default: 0,
    minimum: 0,
    description: 'Requests that may come at once; 0 is a tenth of RATELIMIT_QUOTA',
    examples: [200],
  }),
  RATELIMIT_RATE: Type.Number({
    default: 0,
    minimum: 0,
    description: 'Requests a second once a burst is used up; 0 is twice the average of RATELIMIT_QUOTA',
    examples: [50],
  }),
  RATELIMIT_KEY: Type.String({
    default: 'user',
    pattern: '^(peer|path|user|tenant|header:[A-Za-z0-9-]+)(,(peer|path|user|tenant|header:[A-Za-z0-9-]+))*$',
    description: 'Whom RATELIMIT_QUOTA is counted for: peer, path, user, tenant, header:<name>, with commas between',
    examples: ['user', 'tenant,path', 'header:x-api-key'],
  }),
  RATELIMIT_TENANT_CLAIM: Type.String({
    default: 'tenant_id',
    minLength: 1,
    description: 'Claim of a token that names the tenant',
    examples: ['tenant_id', 'org_id'],
  }),
  RATELIMIT_KEYS_MAX: Type.Integer({
    default: 100_000,
    minimum: 1,
    description: 'Keys counted in the memory of a process; beyond, the one not seen for longest is forgotten',
    examples: [100_000],
  }),
  RATELIMIT_CONCURRENCY: Type.Boolean({
    default: true,
    description: 'Whether requests are turned away when replies become slow and too many are being answered',
    examples: [true],
  }),
  RATELIMIT_CONCURRENCY_MIN: Type.Integer({
    default: 20,
    minimum: 1,
    description: 'The adaptive concurrency limit is never lower',
    examples: [20],
  }),
  RATELIMIT_CONCURRENCY_MAX: Type.Integer({
    default: 1000,
    minimum: 1,
    description: 'The adaptive concurrency limit is never higher',
    examples: [1000],
  }),
  RATELIMIT_LATENCY_TOLERANCE: Type.Number({
    default: 2,
    minimum: 1,
    description: 'By how much replies may become slower than usual before the concurrency limit sinks',
    examples: [2],
  }),
});
