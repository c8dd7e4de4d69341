import { Type } from 'typebox';
import { type Rule, atMost, below, rule } from '../config/config.ts';
import { config } from './config.ts';

const { CORS_ORIGINS, CORS_CREDENTIALS } = config.properties;
const example = 'https://example.com';

/** What the API's settings must not say at once. */
export const rules: readonly Rule[] = [
  atMost(config, 'HTTP_DEADLINE_MS', 'HTTP_DEADLINE_MAX_MS'),
  // Otherwise each body that large would be turned away for want of memory, however often it is sent.
  atMost(config, 'HTTP_BODY_LIMIT_BYTES', 'HTTP_BODY_MEMORY_BYTES'),
  // The path stands in the head: a longer one would never be told of by 414.
  below(config, 'HTTP_URL_LIMIT_BYTES', 'HTTP_HEADER_LIMIT_BYTES'),
  // Browsers send no cookies to just anybody.
  rule(Type.Object({ CORS_ORIGINS, CORS_CREDENTIALS }), ({ CORS_ORIGINS: origins, CORS_CREDENTIALS: credentials }) =>
    credentials && (origins === undefined || origins === '*')
      ? {
          variable: 'CORS_ORIGINS',
          expected: 'origins by name, because CORS_CREDENTIALS is true',
          ...(origins && { given: origins }),
          example,
        }
      : undefined,
  ),
];
