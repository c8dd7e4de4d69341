import { Type } from 'typebox';
import { atMost, below, type Rule, rule } from '../config/config.ts';

export const config = Type.Object({
  HOST: Type.String({ default: '0.0.0.0', description: 'Address on which the API listens', examples: ['127.0.0.1'] }),
  PORT: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: 8080,
    description: 'Port of the API; 0 takes any free one',
    examples: [8080],
  }),
  HTTP_BODY_LIMIT_BYTES: Type.Integer({
    minimum: 1,
    default: 1_048_576,
    description: 'Largest request body in bytes',
    examples: [1_048_576],
  }),
  HTTP_BODY_MEMORY_BYTES: Type.Integer({
    minimum: 1,
    default: 33_554_432,
    description:
      'Bytes that the bodies of all requests in flight take at most; what goes beyond is turned away with 503',
    examples: [33_554_432],
  }),
  HTTP_CONNECTIONS_MAX: Type.Integer({
    minimum: 1,
    default: 2000,
    description: 'Connections of clients at once; further ones are closed at once',
    examples: [2000],
  }),
  HTTP_PEER_CONNECTIONS_MAX: Type.Integer({
    minimum: 1,
    default: 1000,
    description: 'The most of them from one address that is not in HTTP_TRUSTED_PROXIES',
    examples: [1000],
  }),
  HTTP_HEADER_LIMIT_BYTES: Type.Integer({
    minimum: 1024,
    default: 16_384,
    description: 'Largest request head in bytes',
    examples: [16_384],
  }),
  HTTP_REQUEST_TIMEOUT_MS: Type.Integer({
    minimum: 1,
    default: 30_000,
    description: 'Milliseconds within which a client must have sent its whole request',
    examples: [30_000],
  }),
  HTTP_STALL_TIMEOUT_MS: Type.Integer({
    minimum: 100,
    default: 30_000,
    description: 'Milliseconds for which a client may leave a reply unread before its connection is closed',
    examples: [30_000],
  }),
  HTTP_KEEP_ALIVE_TIMEOUT_MS: Type.Integer({
    minimum: 1,
    default: 72_000,
    description: 'Milliseconds after which an idle connection is closed; longer than the load balancer waits before it',
    examples: [72_000],
  }),
  HTTP_URL_LIMIT_BYTES: Type.Integer({
    minimum: 1,
    default: 8192,
    description: 'Longest path and query in bytes',
    examples: [8192],
  }),
  HTTP_EVENT_LOOP_DELAY_LIMIT_MS: Type.Integer({
    minimum: 1,
    default: 1000,
    description: 'Milliseconds by which the event loop may be late before requests are turned away with 503',
    examples: [1000],
  }),
  HTTP_COMPRESS_FROM_BYTES: Type.Integer({
    minimum: 1,
    default: 1024,
    description: 'Bytes from which a reply is compressed, when its client takes that; a very large number turns it off',
    examples: [1024],
  }),
  CORS_ORIGINS: Type.Optional(
    Type.String({
      pattern: String.raw`^(\*|https?://[^/,\s]+(\s*,\s*https?://[^/,\s]+)*)$`,
      description: 'Origins whose pages may call the API from a browser, with commas between, or *; none when not set',
      examples: ['https://example.com,https://admin.example.com'],
    }),
  ),
  CORS_CREDENTIALS: Type.Boolean({
    default: false,
    description: 'Whether browsers may send cookies along from those origins, which must then be named',
    examples: [true],
  }),
  HTTP_TRUSTED_PROXIES: Type.String({
    default: '',
    pattern: '^[0-9a-fA-F.:/,]*$',
    description:
      'Addresses or networks of proxies before the service, whose X-Forwarded-For is believed; none by default',
    examples: ['10.0.0.0/8,127.0.0.1'],
  }),
  HTTP_DEADLINE_MS: Type.Integer({
    minimum: 1,
    default: 15_000,
    description: 'Milliseconds within which a request is answered, or else by 504, when its caller does not say',
    examples: [15_000],
  }),
  HTTP_DEADLINE_MAX_MS: Type.Integer({
    minimum: 1,
    default: 60_000,
    description: 'The most milliseconds that a caller is granted by X-Request-Timeout',
    examples: [60_000],
  }),
});

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
