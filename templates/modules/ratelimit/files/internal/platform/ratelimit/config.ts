import { Type } from 'typebox';

/** Settings of rate limits; the keys are environment variables. */
export const config = Type.Object({
  RATELIMIT_QUOTA: Type.Integer({
    default: 0,
    minimum: 0,
    description: 'Requests of a caller within RATELIMIT_WINDOW_SECONDS, for routes without their own. 0: no limit',
    examples: [6000],
  }),
  RATELIMIT_WINDOW_SECONDS: Type.Integer({
    default: 60,
    minimum: 1,
    maximum: 86_400,
    description: 'Seconds of the window of RATELIMIT_QUOTA and RATELIMIT_WRITE_QUOTA',
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
  RATELIMIT_WRITE_QUOTA: Type.Integer({
    default: 600,
    minimum: 0,
    description:
      'Requests of a caller that change one resource, within the window; at most RATELIMIT_QUOTA. 0: no limit of their own',
    examples: [600],
  }),
});
