import { Type } from 'typebox';

/** Settings of rate limits; the keys are environment variables. */
export const config = Type.Object({
  RATELIMIT_QUOTA: Type.Integer({
    default: 0,
    minimum: 0,
    description: 'Requests within RATELIMIT_WINDOW_SECONDS, for routes without a policy of their own. 0: no limit',
    examples: [6000],
  }),
  RATELIMIT_WINDOW_SECONDS: Type.Integer({
    default: 60,
    minimum: 1,
    maximum: 86_400,
    description: 'Seconds of the window of RATELIMIT_QUOTA',
    examples: [60],
  }),
  RATELIMIT_BURST: Type.Integer({
    default: 0,
    minimum: 0,
    description: 'Requests that may come at once. 0: a tenth of RATELIMIT_QUOTA',
    examples: [200],
  }),
  RATELIMIT_RATE: Type.Number({
    default: 0,
    minimum: 0,
    description: 'Requests a second after a burst. 0: twice the average of RATELIMIT_QUOTA',
    examples: [50],
  }),
  RATELIMIT_KEY: Type.String({
    default: 'user',
    pattern: '^(peer|path|user|tenant|header:[A-Za-z0-9-]+)(,(peer|path|user|tenant|header:[A-Za-z0-9-]+))*$',
    description: 'What RATELIMIT_QUOTA is counted by: peer, path, user, tenant, header:<name>, separated by commas',
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
    description:
      'Maximum number of keys in the memory of a process. Beyond it, the least recently used key is forgotten',
    examples: [100_000],
  }),
  RATELIMIT_CONCURRENCY: Type.Boolean({
    default: true,
    description: 'Whether requests are refused when replies become slow and too many are being answered',
    examples: [true],
  }),
  RATELIMIT_CONCURRENCY_MIN: Type.Integer({
    default: 20,
    minimum: 1,
    description: 'Minimum of the adaptive concurrency limit',
    examples: [20],
  }),
  RATELIMIT_CONCURRENCY_MAX: Type.Integer({
    default: 1000,
    minimum: 1,
    description: 'Maximum of the adaptive concurrency limit',
    examples: [1000],
  }),
  RATELIMIT_LATENCY_TOLERANCE: Type.Number({
    default: 2,
    minimum: 1,
    description: 'Factor by which replies may become slower than usual before the concurrency limit falls',
    examples: [2],
  }),
});
