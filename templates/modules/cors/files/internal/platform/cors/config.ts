import { Type } from 'typebox';

export const config = Type.Object({
  CORS_ORIGINS: Type.Optional(
    Type.String({
      pattern: String.raw`^(\*|https?://[^/,\s]+(\s*,\s*https?://[^/,\s]+)*)$`,
      description: 'Origins whose pages may call the API from a browser, separated by commas, or *; none when not set',
      examples: ['https://example.com,https://admin.example.com'],
    }),
  ),
  CORS_CREDENTIALS: Type.Boolean({
    default: false,
    description: 'Whether browsers may send cookies from these origins, which must then be listed by name',
    examples: [true],
  }),
});
